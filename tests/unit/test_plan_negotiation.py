"""Content negotiation. The edge tests check that both sides agree on headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.plan.canonical import build_plan
from darkroom.plan.model import AUTO_CLASSES, DATA_FORMATS, EXTENDED_FORMATS, Plan
from darkroom.plan.variants import (
    LADDER_PX,
    RATIOS,
    apply_pixel_ratio,
    apply_save_data,
    is_ladder_request,
    list_variants,
)

from .edge.negotiation import choose_format_class, parse_ratio_hint
from .plans import plans


@pytest.mark.parametrize(
    ("hint", "ratio"),
    [
        *[
            ("1", 1.0),
            ("1.0", 1.0),
            ("1.01", 1.5),
            ("1.5", 1.5),
            ("1.51", 2.0),
            ("2", 2.0),
            ("2.625", 3.0),
            ("3.5", 3.5),
        ],
        *[("3.6", 4.0), ("4", 4.0), ("4.1", 4.0), ("999", 4.0), ("0", 1.0), ("0.5", 1.0), ("1.100000023841858", 1.5)],
        *[
            ("", 1.0),
            ("x", 1.0),
            ("-2", 1.0),
            ("2.", 1.0),
            (".5", 1.0),
            ("2x", 1.0),
            ("1000", 1.0),
            ("2 ", 1.0),
            ("1e1", 1.0),
        ],
    ],
)
def test_hinted_ratio(hint: str, ratio: float) -> None:
    assert parse_ratio_hint(hint) == ratio


@given(hint=st.text(max_size=8))
def test_a_hint_gives_a_ratio_that_options_could_give(hint: str) -> None:
    assert parse_ratio_hint(hint) in RATIOS


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "auto-legacy"),
        ("image/avif", "auto-avif"),
        ("image/webp", "auto-webp"),
        ("image/avif,image/webp", "auto-avif"),
        ("image/webp;q=0.9,image/avif;q=0.8", "auto-webp"),
        ("image/*", "auto-legacy"),
        ("*/*", "auto-legacy"),
        ("image/png,image/webp;q=0.9", "auto-legacy"),
        ("image/webp;q=0.5,*/*;q=0.5", "auto-webp"),
        ("image/avif;q=0", "auto-legacy"),
        ("image/avif;q=0.001", "auto-avif"),
        ("image/avif;q=0.0001,image/webp;q=0.1", "auto-webp"),
        ("image/avif\t;\tq=1.000", "auto-avif"),
        ("image/avif;q=1.001", "auto-legacy"),
        ("image/avif;level=1;q=0.5,image/webp;q=0.6", "auto-webp"),
    ],
)
def test_format_class(accept: str, name: str) -> None:
    assert choose_format_class(accept) == name


@pytest.mark.parametrize(
    ("width", "ratio", "result"),
    [
        (320, 1, 320),
        (320, 1.5, 480),
        (320, 2.5, 800),
        (800, 1.5, 1280),
        (640, 3.5, 2560),
        (2560, 1.5, 3840),
        (3840, 4, 3840),
    ],
)
def test_a_ladder_width_stays_on_the_ladder(width: int, ratio: float, result: int) -> None:
    assert apply_pixel_ratio(Plan("a", width=width), ratio) == Plan("a", width=result)
    assert apply_pixel_ratio(Plan("a", width=width, format="webp"), ratio) == Plan("a", width=result, format="webp")


def test_other_sizes_are_multiplied() -> None:
    assert apply_pixel_ratio(Plan("a", width=801), 2) == Plan("a", width=1602)
    assert apply_pixel_ratio(Plan("a", height=101), 1.5) == Plan("a", height=152)
    assert apply_pixel_ratio(Plan("a", width=800, quality=5), 2) == Plan("a", width=1600, quality=5)
    assert apply_pixel_ratio(Plan("a", width=8000, height=1), 2) == Plan("a", width=8192, height=2)
    assert apply_pixel_ratio(Plan("a", quality=5), 2) == Plan("a", quality=5)


def test_a_bare_image_keeps_its_size() -> None:
    bare = build_plan("a", {})
    assert apply_pixel_ratio(bare, 2) == bare
    explicit = build_plan("a", {"w": 2560, "h": 2560, "f": "avif"})
    assert apply_pixel_ratio(explicit, 2) == explicit


def test_saving() -> None:
    assert apply_save_data(Plan("a", width=800)) == Plan("a", width=800, quality=50)
    assert apply_save_data(Plan("a", width=800, quality=90)) == Plan("a", width=800, quality=90)
    assert apply_save_data(Plan("a", width=800, quality="auto")) == Plan("a", width=800, quality=50)
    assert apply_save_data(Plan("a", quality="auto", format="webp")) == Plan("a", quality="auto", format="webp")
    assert apply_save_data(Plan("a", width=800, format="webp")) == Plan("a", width=800, format="webp")
    assert apply_save_data(Plan("a", format="json")) == Plan("a", format="json")


def test_is_ladder() -> None:
    assert all(
        is_ladder_request(Plan("a", width=width, format=name))
        for width in LADDER_PX
        for name in ("auto", "webp", "auto-avif")
    )
    assert not is_ladder_request(Plan("a", width=801))
    assert not is_ladder_request(Plan("a", height=800))
    assert not is_ladder_request(Plan("a", width=800, quality=50))
    assert not is_ladder_request(build_plan("a", {}))
    assert not any(is_ladder_request(Plan("a", width=800, format=name)) for name in (*EXTENDED_FORMATS, *DATA_FORMATS))


@given(plan=plans())
def test_a_request_is_negotiated_to_what_hints_and_classes_can_make(plan: Plan) -> None:
    found = list_variants(plan)
    sized = {apply_pixel_ratio(plan, ratio) for ratio in RATIOS} | {apply_save_data(plan)}
    if plan.format in DATA_FORMATS:
        assert found == {plan}
    elif plan.format == "auto":
        assert {variant.format for variant in found} == set(AUTO_CLASSES)
        assert len(found) == 3 * len(sized)
    else:
        assert found == sized


@given(plan=plans())
def test_what_is_negotiated_is_in_normal_form(plan: Plan) -> None:
    from darkroom.plan.canonical import canonical_path, parse_path

    for variant in list_variants(plan):
        assert parse_path(canonical_path(variant)) == variant

"""What viewers get of a request; that both sides agree on headers is the edge tests' matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.plan.model import AUTO_CLASSES, BORROWED_FORMATS, DATA_FORMATS, Plan
from darkroom.plan.negotiation import (
    LADDER_PX,
    RATIOS,
    at_ratio,
    format_class,
    hinted_ratio,
    is_ladder,
    negotiations,
    saving,
)
from darkroom.plan.normalize import plan_of

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
    assert hinted_ratio(hint) == ratio


@given(hint=st.text(max_size=8))
def test_a_hint_gives_a_ratio_that_options_could_give(hint: str) -> None:
    assert hinted_ratio(hint) in RATIOS


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
    assert format_class(accept) == name


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
    assert at_ratio(Plan("a", width=width), ratio) == Plan("a", width=result)
    assert at_ratio(Plan("a", width=width, format="webp"), ratio) == Plan("a", width=result, format="webp")


def test_other_sizes_are_multiplied() -> None:
    assert at_ratio(Plan("a", width=801), 2) == Plan("a", width=1602)
    assert at_ratio(Plan("a", height=101), 1.5) == Plan("a", height=152)
    assert at_ratio(Plan("a", width=800, quality=5), 2) == Plan("a", width=1600, quality=5)
    assert at_ratio(Plan("a", width=8000, height=1), 2) == Plan("a", width=8192, height=2)
    assert at_ratio(Plan("a", quality=5), 2) == Plan("a", quality=5)


def test_a_bare_picture_keeps_its_size() -> None:
    bare = plan_of("a", {})
    assert at_ratio(bare, 2) == bare
    explicit = plan_of("a", {"w": 2560, "h": 2560, "f": "avif"})
    assert at_ratio(explicit, 2) == explicit


def test_saving() -> None:
    assert saving(Plan("a", width=800)) == Plan("a", width=800, quality=50)
    assert saving(Plan("a", width=800, quality=90)) == Plan("a", width=800, quality=90)
    assert saving(Plan("a", width=800, quality="auto")) == Plan("a", width=800, quality=50)
    assert saving(Plan("a", quality="auto", format="webp")) == Plan("a", quality="auto", format="webp")
    assert saving(Plan("a", width=800, format="webp")) == Plan("a", width=800, format="webp")
    assert saving(Plan("a", format="json")) == Plan("a", format="json")


def test_is_ladder() -> None:
    assert all(
        is_ladder(Plan("a", width=width, format=name)) for width in LADDER_PX for name in ("auto", "webp", "auto-avif")
    )
    assert not is_ladder(Plan("a", width=801))
    assert not is_ladder(Plan("a", height=800))
    assert not is_ladder(Plan("a", width=800, quality=50))
    assert not is_ladder(plan_of("a", {}))
    assert not any(is_ladder(Plan("a", width=800, format=name)) for name in (*BORROWED_FORMATS, *DATA_FORMATS))


@given(plan=plans())
def test_a_request_is_negotiated_to_what_hints_and_classes_can_make(plan: Plan) -> None:
    found = negotiations(plan)
    sized = {at_ratio(plan, ratio) for ratio in RATIOS} | {saving(plan)}
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

    for variant in negotiations(plan):
        assert parse_path(canonical_path(variant)) == variant

"""``w=auto`` in the edge function: the width of the ladder that a hint is rounded up to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.plan.variants import LADDER_PX, AccessMode
from darkroom_pipeline.plan.edge_settings import build_edge_entries
from functions.edge.build import edge_code
from functions.edge.tables import USUAL_WIDTH_PX

from .engine import EdgeEngine
from .reference import ViewerRequest, case_presets, outcome
from .test_experiments import EXPERIMENTS, HERO

ENTRIES = {
    mode: build_edge_entries(mode, "", case_presets(), experiments=EXPERIMENTS)
    for mode in (AccessMode.GUARDED, AccessMode.OPEN)
}


@pytest.fixture(scope="module")
def guarded() -> Iterator[EdgeEngine]:
    with EdgeEngine(edge_code(), ENTRIES[AccessMode.GUARDED]) as started:
        yield started


@pytest.fixture(scope="module")
def opened() -> Iterator[EdgeEngine]:
    with EdgeEngine(edge_code(), ENTRIES[AccessMode.OPEN]) as started:
        yield started


def answer(engine: EdgeEngine, url: str, *headers: tuple[str, str], **cookies: str) -> dict[str, Any]:
    event = ViewerRequest(url, list(headers)).event()
    event["request"]["cookies"] = {name: {"value": value} for name, value in cookies.items()}
    return engine.answer(event)


def same(engine: EdgeEngine, width: int, *headers: tuple[str, str], url: str = "/photo.jpg?w=auto") -> bool:
    """Whether the answer is that to a URL with ``width`` and without ratio, apart from the mark in the query."""
    auto, fixed = answer(engine, url, *headers), answer(engine, url.replace("w=auto", f"dpr=1&w={width}"), *headers)
    assert (auto.pop("querystring"), fixed.pop("querystring")) == ({"w": {"value": "auto"}}, {})
    return auto == fixed


@given(hint=st.integers(1, 5000), name=st.sampled_from(["width", "sec-ch-width"]))
def test_a_hint_is_rounded_up_to_a_width_of_the_ladder(guarded: EdgeEngine, hint: int, name: str) -> None:
    assert same(guarded, next((width for width in LADDER_PX if width >= hint), LADDER_PX[-1]), (name, str(hint)))


def test_every_width_is_one_of_the_ladder_whatever_the_hint_says(guarded: EdgeEngine) -> None:
    for hint in ("0", "-5", "1e9", "abc", "NaN", "801.5", "800, 900", " 640 ", "0x200", "Infinity", "{}", "8" * 400):
        path = answer(guarded, "/photo.jpg?w=auto", ("sec-ch-width", hint))["uri"]
        assert any(path == f"/photo.jpg/_/w-{width}.auto-legacy" for width in LADDER_PX), (hint, path)


def test_without_a_hint_it_is_a_usual_width(guarded: EdgeEngine) -> None:
    assert USUAL_WIDTH_PX in LADDER_PX
    assert same(guarded, USUAL_WIDTH_PX)
    assert same(guarded, USUAL_WIDTH_PX, ("sec-ch-width", ""))


def test_the_ratio_of_the_screen_does_not_count_twice(guarded: EdgeEngine) -> None:
    assert same(guarded, 640, ("width", "600"), ("sec-ch-dpr", "2"))
    assert same(guarded, 640, ("sec-ch-width", "600"), ("width", "1900"))
    assert outcome(answer(guarded, "/photo.jpg?w=auto&dpr=2"))["body"]["code"] == "duplicate-option"


def test_a_format_and_save_data_count(guarded: EdgeEngine) -> None:
    assert same(guarded, 480, ("width", "480"), url="/photo.jpg?f=webp&w=auto")
    assert same(guarded, 480, ("width", "480"), ("save-data", "on"))


def test_other_options_need_open_access(guarded: EdgeEngine, opened: EdgeEngine) -> None:
    url = "/photo.jpg?w=auto&h=300&fit=cover"
    assert outcome(answer(guarded, url, ("width", "600")))["body"]["code"] == "unsigned"
    assert same(opened, 640, ("width", "600"), url=url)


def test_an_experiment_keeps_its_mark(opened: EdgeEngine) -> None:
    found = answer(opened, f"/photo.jpg?exp={HERO.name}&w=auto", ("width", "600"), uid="visitor-1")
    assert found["querystring"] == {"exp": {"value": HERO.name}, "w": {"value": "auto"}}
    assert "w-640" in found["uri"]


@pytest.mark.parametrize("query", ["width=auto", "w=%61uto", "w=auto&w=auto", "w=AUTO", "w=auto2", "h=auto"])
def test_it_has_one_spelling(guarded: EdgeEngine, query: str) -> None:
    assert outcome(answer(guarded, f"/photo.jpg?{query}", ("width", "600")))["statusCode"] == 400


@pytest.mark.parametrize("query", ["dl=w=auto&w=auto", "dl=w=auto&w=800", "preset=cover&w=auto"])
def test_nothing_else_is_replaced(guarded: EdgeEngine, query: str) -> None:
    found = answer(guarded, f"/photo.jpg?{query}", ("width", "600"))
    assert "statusCode" in found

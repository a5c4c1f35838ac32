"""Experiments and beacons in the edge function, compared with darkroom.plan.experiments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.plan.experiments import BEACON, Experiment, assign_variant
from darkroom.plan.variants import AccessMode
from darkroom_pipeline.plan.edge_settings import build_edge_entries
from functions.edge.build import edge_code

from .engine import EdgeEngine
from .reference import ViewerRequest, case_presets, outcome

HERO = Experiment("hero", (("cover", 60), ("w640", 40)), "cookie:uid")
SIDE = Experiment("side", (("w640", 1), ("cover", 1), ("thin", 1)), "header:x-visitor")
EXPERIMENTS = {"hero": HERO.format_entry(), "side": SIDE.format_entry(["thin"])}
PUBLISHED = build_edge_entries(AccessMode.GUARDED, "", case_presets(), experiments=EXPERIMENTS)


@pytest.fixture(scope="module")
def engine() -> Iterator[EdgeEngine]:
    with EdgeEngine(edge_code(), PUBLISHED) as started:
        yield started


def event(url: str, cookies: dict[str, str] | None = None, **words: Any) -> dict[str, Any]:
    made = ViewerRequest(url, **words).event()
    made["request"]["cookies"] = {name: {"value": value} for name, value in (cookies or {}).items()}
    return made


def path(engine: EdgeEngine, url: str, **words: Any) -> str:
    uri: str = engine.answer(event(url, **words))["uri"]
    return uri


@given(visitor=st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=70))
def test_a_cookie_chooses_the_preset(engine: EdgeEngine, visitor: str) -> None:
    preset = assign_variant(HERO.point, HERO.divide(), visitor)
    assert path(engine, "/photo.jpg?exp=hero", cookies={"uid": visitor}) == path(engine, f"/photo.jpg?preset={preset}")


@given(visitor=st.uuids().map(str))
def test_a_header_chooses_the_preset(engine: EdgeEngine, visitor: str) -> None:
    preset = assign_variant(SIDE.point, SIDE.divide(["thin"]), visitor)
    headers = [("x-visitor", visitor)]
    assert path(engine, "/photo.jpg?exp=side", headers=headers) == path(engine, f"/photo.jpg?preset={preset}")


@pytest.mark.parametrize(
    "cookies", [{}, {"visitor": "visitor-1"}, {"uid": ""}, {"uid": "x" * 65}, {"uid": "caf%C3%A9"}]
)
def test_without_an_identifier_the_control_is_shown(engine: EdgeEngine, cookies: dict[str, str]) -> None:
    assert path(engine, "/photo.jpg?exp=hero", cookies=cookies) == path(engine, "/photo.jpg?preset=cover")


def test_an_experiment_takes_one_read_more_than_a_preset(engine: EdgeEngine) -> None:
    path(engine, "/photo.jpg?exp=hero")
    assert engine.reads == ["exp-hero", "settings", "preset-cover"]
    path(engine, f"/photo.jpg?w=800&exp=1800000001&s={'A' * 43}")
    assert engine.reads == ["settings"]


def test_only_the_name_stays_in_the_query(engine: EdgeEngine) -> None:
    answer = engine.answer(event("/photo.jpg?exp=hero", {"uid": "visitor-1"}))
    assert answer["querystring"] == {"exp": {"value": "hero"}}
    url = answer["headers"]["x-darkroom-url"]["value"]
    assert url == f"/photo.jpg?preset={assign_variant(HERO.point, HERO.divide(), 'visitor-1')}"
    assert "uid" not in str({name: value for name, value in answer["headers"].items() if name.startswith("x-darkroom")})


def test_other_options_are_those_of_a_preset(engine: EdgeEngine) -> None:
    assert outcome(engine.answer(event("/photo.jpg?exp=hero&w=300")))["body"]["code"] == "unsigned"
    assert outcome(engine.answer(event("/photo.jpg?exp=hero&preset=w640")))["body"]["code"] == "duplicate-option"


@pytest.mark.parametrize("name", ["none", "Hero", "hero-2", "h" * 33, "0x10", "", "hero%20"])
def test_an_unknown_experiment_is_a_wrong_expiry(engine: EdgeEngine, name: str) -> None:
    refused = outcome(engine.answer(event(f"/photo.jpg?exp={name}")))
    assert (refused["statusCode"], refused["body"]["option"]) == (400, "exp")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_beacon_is_answered(engine: EdgeEngine, method: str) -> None:
    answer = engine.answer(event(f"{BEACON}?event=click&exp=hero&visitor=visitor-1", method=method))
    assert answer == {"statusCode": 204}
    assert engine.reads == []


def test_paths_like_a_beacon_are_no_images(engine: EdgeEngine) -> None:
    assert outcome(engine.answer(event("/_/beacons")))["body"]["code"] == "bad-key"
    assert outcome(engine.answer(event(BEACON, method="POST")))["statusCode"] == 405

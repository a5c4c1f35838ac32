"""Settings of the edge function from its key-value store, and its defaults without them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from darkroom.http.response import TOO_LARGE_STATUS
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import AccessMode
from darkroom.settings import DEFAULTS
from darkroom_pipeline.plan.edge_settings import build_edge_entries
from functions.edge.build import CHOICE, edge_code

from .engine import EdgeEngine
from .reference import ViewerRequest, case_presets, outcome

CODE = edge_code()
PUBLISHED = build_edge_entries(AccessMode.GUARDED, "people/=faces", case_presets())
COVER = "/photo.jpg?w=256&h=256&fit=cover&g=attention&f=webp"
SIGNATURE = "s=" + "A" * 43


@pytest.fixture(scope="module")
def fresh() -> Any:
    with EdgeEngine(CODE) as engine:
        yield engine


@pytest.fixture(scope="module")
def published() -> Any:
    with EdgeEngine(CODE, PUBLISHED) as engine:
        yield engine


def answer(engine: EdgeEngine, url: str, **words: Any) -> dict[str, Any]:
    return outcome(engine.answer(ViewerRequest(url, **words).event()))


@pytest.mark.parametrize(
    "url", ["/photo.jpg?w=800", "/photo.jpg", "/a/b.jpg?w=1280&f=webp", f"/a.jpg?w=801&{SIGNATURE}"]
)
def test_an_ordinary_request_takes_one_read(published: EdgeEngine, url: str) -> None:
    assert "path" in answer(published, url)
    assert published.reads == ["settings"]


@pytest.mark.parametrize("stores", [False, "presets"])
def test_what_is_not_stored_is_requested_from_the_function_first(stores: bool | str) -> None:
    entries = build_edge_entries(AccessMode.OPEN, "", case_presets(), stores=stores)
    with EdgeEngine(CODE, entries) as engine:
        found = engine.answer(ViewerRequest("/photo.jpg?w=800").event())
        assert found["headers"]["x-darkroom-first"] == {"value": "1"}
        assert engine.group is not None
        assert [one["originId"] for one in engine.group["originIds"]] == ["transform", "derivatives"]
        assert engine.group["failoverCriteria"]["statusCodes"] == [TOO_LARGE_STATUS]
        injected = [("x-darkroom-first", "1")]
        found = engine.answer(ViewerRequest("/photo.jpg?preset=cover", headers=injected).event())
        assert (engine.group, found["headers"].get("x-darkroom-first")) == (None, None)
        assert "path" in answer(engine, "/photo.jpg?w=800&redact=faces")
        assert engine.group is not None


@pytest.mark.parametrize("metadata", ["none", "rights"])
@pytest.mark.parametrize("always", ["", "people/=faces", ":logo"])
def test_what_is_stored_changes_no_path(always: str, metadata: str) -> None:
    urls = [
        "/photo.jpg",
        "/photo.jpg?w=801&f=webp",
        "/people/a.jpg?preset=cover",
        "/a.jpg?w=9&meta=rights",
        "/a.jpg?f=json",
    ]
    found = []
    for stores in (True, False):
        entries = build_edge_entries(AccessMode.OPEN, always, case_presets(), metadata, stores=stores)
        with EdgeEngine(CODE, entries) as engine:
            found.append([answer(engine, url)["path"] for url in urls])
    assert found[0] == found[1]


@pytest.mark.parametrize("stores", [True, "auto"])
def test_what_may_be_stored_is_requested_from_the_store_first(stores: bool | str) -> None:
    with EdgeEngine(CODE, build_edge_entries(AccessMode.OPEN, "", case_presets(), stores=stores)) as engine:
        found = engine.answer(ViewerRequest("/photo.jpg?w=800", headers=[("x-darkroom-first", "1")]).event())
        assert (engine.group, found["headers"].get("x-darkroom-first")) == (None, None)


def test_a_plan_without_failover_has_no_choice() -> None:
    with EdgeEngine(
        CODE.replace(CHOICE, "0"), build_edge_entries(AccessMode.OPEN, "", case_presets(), stores=False)
    ) as engine:
        found = engine.answer(ViewerRequest("/photo.jpg?w=800").event())
        assert (engine.group, found["headers"].get("x-darkroom-first")) == (None, None)


def test_a_preset_is_one_read_more_and_its_equal_too(published: EdgeEngine) -> None:
    assert "path" in answer(published, "/photo.jpg?preset=cover")
    assert published.reads == ["settings", "preset-cover"]
    assert "path" in answer(published, COVER)
    assert published.reads == ["settings", "unsigned-fit-cover_g-attention_h-256_w-256.webp"]
    assert answer(published, "/photo.jpg?preset=cover&w=257")["statusCode"] == 403


def test_a_hint_is_followed_as_far_as_presets_go(published: EdgeEngine) -> None:
    hinted = [("sec-ch-dpr", "2")]
    assert answer(published, "/photo.jpg?preset=cover", headers=hinted)["path"].endswith("_h-256_w-256.webp")
    assert published.reads[-1] == "unsigned-fit-cover_g-attention_h-512_w-512.webp"


def test_a_refusal_of_the_url_reads_its_text_only(published: EdgeEngine) -> None:
    refused = answer(published, "/photo.jpg?w=0")
    assert refused["body"]["detail"] == "w must be a whole number from 1 to 8192, but is '0'"
    assert published.reads == ["refusal-bad-option.w"]


def test_what_a_viewer_wrote_is_text_in_a_refusal(published: EdgeEngine) -> None:
    refused = answer(published, "/photo.jpg?%22%7D%5C=1")
    assert refused["body"]["detail"] == "There is no option '\"}\\'"
    assert refused["body"]["option"] == '"}\\'


def test_published_settings_replace_those_of_the_build(published: EdgeEngine) -> None:
    assert "redact-faces" in answer(published, "/people/a.jpg?w=800")["path"]
    assert answer(published, "/photo.jpg?w=801")["statusCode"] == 403
    refused = answer(published, "/photo.jpg?preset=social")
    assert refused["body"]["detail"].startswith("preset: there is no preset 'social'; there are w640, ")


def test_published_rules_are_in_force_without_other_entries() -> None:
    with EdgeEngine(CODE, {"settings": "open people/=faces"}) as engine:
        assert "redact-faces" in answer(engine, "/people/a.jpg?w=801")["path"]
        assert engine.reads == ["settings", "findings"]
        assert answer(engine, "/photo.jpg?preset=cover")["statusCode"] == 400, "no preset is published"


def test_without_published_settings_the_defaults_are_in_force(fresh: EdgeEngine) -> None:
    assert DEFAULTS.access_mode == "guarded"
    assert not DEFAULTS.forced.text
    assert "redact" not in answer(fresh, "/people/a.jpg?w=800")["path"]
    assert fresh.reads == ["settings"]
    for name in load_default_presets().options:
        assert "path" in answer(fresh, f"/photo.jpg?preset={name}")
    assert answer(fresh, "/photo.jpg?w=801")["statusCode"] == 403


@pytest.mark.parametrize(
    ("url", "status", "code", "detail"),
    [
        ("/photo.jpg?w=0", 400, "bad-option", "bad-option.w 0 400"),
        ("/photo.jpg?preset=constructor", 400, "bad-option", "bad-option.name constructor 400"),
        ("/photo.jpg?no=1", 400, "unknown-option", "unknown-option.name no 400"),
        ("/photo.jpg?w=801", 403, "unsigned", "unsigned.set 0 403"),
    ],
)
def test_a_refusal_is_short_before_its_text_is_published(
    fresh: EdgeEngine, url: str, status: int, code: str, detail: str
) -> None:
    refused = answer(fresh, url)
    assert refused["statusCode"] == status
    assert refused["headers"]["content-type"] == "application/problem+json"
    assert refused["headers"]["cache-control"] == ("public, max-age=60" if status == 400 else "no-store")
    assert refused["body"] == {"code": code, "detail": detail}


@pytest.mark.parametrize("entry", ["settings", "preset-cover", "findings"])
def test_an_entry_that_cannot_be_read_is_our_fault_and_not_missing(entry: str) -> None:
    held = {**PUBLISHED, "findings": "b2"}
    with EdgeEngine(CODE, held) as engine:
        engine.evaluate(f"cf.broken = {json.dumps(entry)}; 0")
        refused = answer(engine, "/people/a.jpg?preset=cover")
        assert (refused["statusCode"], refused["body"]["code"]) == (500, "internal")
        assert refused["headers"]["cache-control"] == "no-store"


def test_a_refusal_stands_without_its_text() -> None:
    with EdgeEngine(CODE, PUBLISHED) as engine:
        engine.evaluate("cf.broken = 'refusal-bad-option.w'; 0")
        refused = answer(engine, "/photo.jpg?w=0")
        assert (refused["statusCode"], refused["body"]["code"]) == (400, "bad-option")


def test_a_mode_that_is_not_known_needs_signatures() -> None:
    with EdgeEngine(CODE, {**PUBLISHED, "settings": "closed"}) as engine:
        assert answer(engine, "/photo.jpg?w=800")["statusCode"] == 403
        assert answer(engine, "/photo.jpg?preset=cover")["statusCode"] == 403
        assert "path" in answer(engine, f"/photo.jpg?w=800&{SIGNATURE}")

"""One table of cases through both sides: the minified edge function, and darkroom.plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from darkroom.errors import list_errors_by_code
from darkroom.image_keys import encode_key, quote_key
from darkroom.plan.canonical import parse_path
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import AccessMode, list_variants, needs_signature
from darkroom.signing import remove_signature
from darkroom_pipeline.plan.edge_settings import build_edge_entries
from functions.edge.build import edge_code
from tests.odd_keys import odd_keys
from tools.signing_vectors import build_document

from .engine import EdgeEngine, Engines
from .reference import CASES, ViewerRequest, case_presets, expected, outcome

TABLE: list[dict[str, Any]] = json.loads((CASES / "urls.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    found = Engines(edge_code(), case_presets())
    yield found
    found.close()


def test_the_function_gets_the_text_of_literal_signatures() -> None:
    """The edge passes on path and query as they are written, in their order, for every test vector of signatures."""
    document: Any = build_document()
    entries = build_edge_entries(AccessMode.GUARDED, "", load_default_presets())
    with EdgeEngine(edge_code(), entries) as engine:
        for vector in (*document["images"], *document["targets"]):
            got = outcome(engine.answer(ViewerRequest(vector["signed"]).event()))
            assert remove_signature(got["url"]) == vector["text"]
            assert got["request"] == vector["canonical_text"].partition("?")[0]
            assert got["signature"] == parse_url(vector["signed"]).signature


def asked(case: dict[str, Any]) -> ViewerRequest:
    headers = [
        (name, value)
        for name, values in case.get("headers", {}).items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    words = {name: case[name] for name in ("mode", "method", "always", "generation", "metadata") if name in case}
    return ViewerRequest(case["url"], headers, **words)


def _problem(wanted: dict[str, Any], detail: str) -> dict[str, Any]:
    return {
        "type": f"urn:darkroom:problem:{wanted['code']}",
        "title": list_errors_by_code()[wanted["code"]].title,
        "detail": detail,
        **wanted,
    }


def check(case: dict[str, Any], got: dict[str, Any]) -> None:
    """Compare an outcome with the table."""
    wanted = case["expect"]
    if "status" in wanted:
        assert got["statusCode"] == wanted["status"]
        assert got["headers"] == {
            "content-type": "application/problem+json",
            "cache-control": "public, max-age=60" if wanted["status"] == 400 else "no-store",
            "x-darkroom-error": wanted["code"],
        }
        assert got["body"] == ("" if case.get("method") == "HEAD" else _problem(wanted, got["body"]["detail"]))
    else:
        assert got.pop("url", "") == wanted.get("url", case["url"])
        plain = {name: value for name, value in wanted.items() if name not in ("needs_signature", "url")}
        assert got == plain


def test_the_table_is_worth_its_name() -> None:
    assert len(TABLE) >= 120
    assert len({case["name"] for case in TABLE}) == len(TABLE)


@pytest.mark.parametrize("case", TABLE, ids=[case["name"] for case in TABLE])
def test_the_edge_function(case: dict[str, Any], engines: Engines) -> None:
    request = asked(case)
    engine = engines.of(request.mode, request.always, request.metadata)
    check(case, outcome(engine.answer(request.event(), request.generation)))
    is_needed = "_fv-" in case["expect"].get("path", "").replace("/_/fv-", "_fv-")
    assert ("findings" in engine.reads) == is_needed


@pytest.mark.parametrize("url", ["/p.jpg?w=800", "/p.jpg?w=801", "/p.jpg?w=0", "/a//b", "/_/beacon?exp=hero"])
@pytest.mark.parametrize("mode", ["guarded", "signed"])
def test_a_preflight_is_answered_without_an_origin_or_a_read(url: str, mode: str, engines: Engines) -> None:
    """A script's preflight has neither its signature nor its options in force: the request after it is verified."""
    request = ViewerRequest(url, [("origin", "https://shop.example.com")], mode=mode, method="OPTIONS")
    engine = engines.of(mode, "", "none")
    assert outcome(engine.answer(request.event())) == expected(request)
    assert engine.reads == []


def test_the_edge_function_encodes_keys(engines: Engines) -> None:
    cases = json.loads((CASES / "keys.json").read_text(encoding="utf-8"))
    keys = {case["key"]: case["encoded"] for case in cases} | {key: encode_key(key) for key in odd_keys()}
    engine = engines.of("open", "")
    for key, encoded in keys.items():
        answer = outcome(engine.answer(ViewerRequest(f"/{quote_key(key)}?f=json").event(), ""))
        assert answer["path"] == answer["request"] == f"/{encoded}/_/full.json"


@pytest.mark.parametrize("case", TABLE, ids=[case["name"] for case in TABLE])
def test_the_plan(case: dict[str, Any]) -> None:
    request = asked(case)
    check(case, expected(request))
    if "request" in case["expect"]:
        mode, always = AccessMode(request.mode), ForcedOptions.parse(request.always)
        needs = case["expect"].get("needs_signature", False)
        assert needs_signature(parse_path(case["expect"]["request"]), mode, case_presets) == needs
        variant = parse_path(case["expect"]["path"])
        assert "signature" in case["expect"] or not needs_signature(variant, mode, case_presets, always)
        assert replace(variant, findings="", rights=False) in list_variants(
            parse_path(case["expect"]["request"]), always=always
        )

"""One table of cases through both sides: the minified edge function, and darkroom.plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from darkroom.errors import refusals
from darkroom.plan.canonical import parse_path
from darkroom.plan.policy import AccessMode, needs_signature
from functions.edge.build import edge_code

from .engine import EdgeEngine
from .reference import CASES, Asked, case_presets, expected, outcome, same_url

TABLE: list[dict[str, Any]] = json.loads((CASES / "urls.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, EdgeEngine]]:
    code = edge_code(case_presets())
    with EdgeEngine(code, "guarded") as guarded, EdgeEngine(code, "open") as free, EdgeEngine(code, "signed") as signed:
        yield {"guarded": guarded, "open": free, "signed": signed}


def asked(case: dict[str, Any]) -> Asked:
    headers = [
        (name, value)
        for name, values in case.get("headers", {}).items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return Asked(case["url"], headers, case.get("mode", "guarded"), case.get("method", "GET"))


def _problem(wanted: dict[str, Any], detail: str) -> dict[str, Any]:
    return {
        "type": f"urn:darkroom:problem:{wanted['code']}",
        "title": refusals()[wanted["code"]].title,
        "detail": detail,
        **wanted,
    }


def check(case: dict[str, Any], got: dict[str, Any]) -> None:
    """Compare an outcome with what the table says."""
    wanted = case["expect"]
    if "status" in wanted:
        assert got["statusCode"] == wanted["status"]
        assert got["headers"] == {
            "content-type": "application/problem+json",
            "cache-control": "public, max-age=60" if wanted["status"] == 400 else "no-store",
        }
        assert got["body"] == ("" if case.get("method") == "HEAD" else _problem(wanted, got["body"]["detail"]))
    else:
        assert same_url(got.pop("url", ""), wanted.get("url", case["url"]))
        plain = {name: value for name, value in wanted.items() if name not in ("needs_signature", "url")}
        assert got == plain


def test_the_table_is_worth_its_name() -> None:
    assert len(TABLE) >= 120
    assert len({case["name"] for case in TABLE}) == len(TABLE)


@pytest.mark.parametrize("case", TABLE, ids=[case["name"] for case in TABLE])
def test_the_edge_function(case: dict[str, Any], engines: dict[str, EdgeEngine]) -> None:
    request = asked(case)
    check(case, outcome(engines[request.mode].answer(request.event())))


@pytest.mark.parametrize("case", TABLE, ids=[case["name"] for case in TABLE])
def test_the_plan(case: dict[str, Any]) -> None:
    request = asked(case)
    check(case, expected(request))
    if "request" in case["expect"]:
        plan = parse_path(case["expect"]["request"])
        needs = case["expect"].get("needs_signature", False)
        assert needs_signature(plan, AccessMode(request.mode), case_presets) == needs

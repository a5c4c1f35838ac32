"""Each parameter of Cloudflare's documentation, and the response to it here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from darkroom.http.response import HttpResponse
from darkroom_dialects.cloudflare import OPTION_MAPPINGS

from ..serving import ACCOUNT, Deployment, body_of, deploy, key_of, size_of

pytestmark = pytest.mark.slow

TABLE = json.loads(Path(__file__).with_name("documented.json").read_text(encoding="utf-8"))
ROWS = TABLE["rows"]
HOSTED = TABLE["hosted"]


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return deploy({source for _, source, *_ in ROWS})


def check(response: HttpResponse, outcome: Any) -> None:
    """Compare an answer with a row's outcome."""
    if isinstance(outcome, str) and outcome.startswith("is refused"):
        assert response["statusCode"] == (501 if "501" in outcome else 400)
        return
    assert response["statusCode"] == 200, response["body"]
    if isinstance(outcome, list):
        assert size_of(response) == outcome
    elif isinstance(outcome, dict):
        found = json.loads(body_of(response))
        assert {name: found[name] for name in outcome} == outcome
        assert found["original"].keys() == {"file_size", "width", "height", "format"}
    else:
        headers: Any = response["headers"]
        assert headers["content-type"] == outcome


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[2]}")
def test_a_documented_parameter(deployment: Deployment, row: list[Any]) -> None:
    _, source, options, outcome = row
    check(deployment.get(f"/cdn-cgi/image/{options}/{key_of(source)}", "cloudflare"), outcome)


@pytest.mark.parametrize("row", HOSTED, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_documented_hosted_image(deployment: Deployment, row: list[Any]) -> None:
    _, variant, outcome = row
    key = key_of("plain 1080x720")
    check(deployment.get(f"/cdn-cgi/imagedelivery/{ACCOUNT}/{key}/{variant}", "cloudflare"), outcome)


def test_every_parameter_has_a_row() -> None:
    named = {option.partition("=")[0] for _, _, options, _ in ROWS for option in options.split(",")}
    assert {covered.name for covered in OPTION_MAPPINGS if not named & set(covered.names)} == set()

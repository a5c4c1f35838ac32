"""Random requests through the minified edge function and through darkroom.plan: the same outcome, word for word.

``DARKROOM_FUZZ_EXAMPLES`` sets how many; 20,000 take about a minute and a half.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, event, given, settings

from darkroom.plan.canonical import parse_path
from darkroom.plan.model import DATA_FORMATS
from darkroom.plan.redaction import AlwaysRedact
from functions.edge.build import edge_code

from .engine import Engines
from .reference import Asked, case_presets, expected, outcome, same_url
from .viewers import REQUESTS

DATA = tuple(f".{name}" for name in DATA_FORMATS)
EXAMPLES = int(os.environ.get("DARKROOM_FUZZ_EXAMPLES", "1500"))


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    found = Engines(edge_code(case_presets()))
    yield found
    found.close()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(request=REQUESTS)
def test_both_sides_agree(request: Asked, engines: Engines) -> None:
    theirs = outcome(engines.of(request.mode, request.always).answer(request.event(), request.generation))
    mine = expected(request)
    body = mine.get("body") or {"code": "no body"}
    event(body["code"] if "statusCode" in mine else "forwarded")
    assert same_url(theirs.pop("url", ""), mine.pop("url", ""))
    assert theirs == mine
    if "path" in mine:
        path, redact = mine["path"], AlwaysRedact.parse(request.always).of(parse_path(mine["request"]).key)
        assert not redact or path.endswith(DATA) or parse_path(path).redact in (redact, "all")

"""Random requests through the minified edge function and through darkroom.plan: the same outcome, word for word.

``DARKROOM_FUZZ_EXAMPLES`` sets how many; 20,000 take about a minute and a half.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, event, given, settings

from functions.edge.build import edge_code

from .engine import EdgeEngine
from .reference import Asked, case_presets, expected, outcome, same_url
from .viewers import REQUESTS

EXAMPLES = int(os.environ.get("DARKROOM_FUZZ_EXAMPLES", "1500"))


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, EdgeEngine]]:
    code = edge_code(case_presets())
    with EdgeEngine(code, "guarded") as guarded, EdgeEngine(code, "open") as free, EdgeEngine(code, "signed") as signed:
        yield {"guarded": guarded, "open": free, "signed": signed}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(request=REQUESTS)
def test_both_sides_agree(request: Asked, engines: dict[str, EdgeEngine]) -> None:
    theirs = outcome(engines[request.mode].answer(request.event()))
    mine = expected(request)
    body = mine.get("body") or {"code": "no body"}
    event(body["code"] if "statusCode" in mine else "forwarded")
    assert same_url(theirs.pop("url", ""), mine.pop("url", ""))
    assert theirs == mine

"""Random requests through the minified edge function and through darkroom.plan: the same outcome, word for word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import event, given

from darkroom.plan.canonical import parse_path
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import DATA_FORMATS
from darkroom.plan.redaction import merge_redactions
from functions.edge.build import edge_code
from tests.profiles import fuzz_settings

from .engine import Engines
from .reference import ViewerRequest, case_presets, expected, outcome
from .viewers import REQUESTS

DATA = tuple(f".{name}" for name in DATA_FORMATS)


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    found = Engines(edge_code(), case_presets())
    yield found
    found.close()


@fuzz_settings()
@given(request=REQUESTS)
def test_both_sides_agree(request: ViewerRequest, engines: Engines) -> None:
    theirs = outcome(
        engines.of(request.mode, request.always, request.metadata).answer(request.event(), request.generation)
    )
    mine = expected(request)
    body = mine.get("body") or {"code": "no body"}
    event(body["code"] if "statusCode" in mine else "forwarded")
    assert theirs == mine
    if "path" in mine:
        path, redact = mine["path"], ForcedOptions.parse(request.always).find(parse_path(mine["request"]).key).redact
        assert not redact or path.endswith(DATA) or merge_redactions(found := parse_path(path).redact, redact) == found

"""The function at the edge in njs, the closest engine to CloudFront's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.component.edge.test_njs import NJS, run_inline
from tests.unit.edge.language import violations

from .test_template import tiles

CODE = tiles().properties("HostFunction")["FunctionCode"]


def test_the_function_is_in_the_language_of_the_engine() -> None:
    assert violations(CODE, has_words=False) == []


@pytest.mark.skipif(NJS is None, reason="njs is not installed")
def test_queries_and_preflights_in_njs(tmp_path: Path) -> None:
    headers = {"host": {"value": "tiles.example.com"}}
    request = {"method": "GET", "uri": "/tiles/a", "querystring": {}, "headers": headers}
    event = {"request": request, "rawQueryString": "bands=3,2,1&utm=\u00fc&s=a-_b"}
    found = run_inline(CODE, event, tmp_path)
    assert found["headers"]["x-viewer-query"] == {"value": "bands=3,2,1&s=a-_b"}
    assert run_inline(CODE, {"request": request | {"method": "OPTIONS"}}, tmp_path) == {"statusCode": 204}

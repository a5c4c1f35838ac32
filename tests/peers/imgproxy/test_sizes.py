"""The sizes that imgproxy's own tests expect, for the same options here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..serving import Deployment, deploy, key_of, size_of

pytestmark = pytest.mark.slow

TABLE = json.loads(Path(__file__).with_name("sizes.json").read_text(encoding="utf-8"))
ROWS: list[tuple[str, str, str, list[int]]] = [tuple(row) for row in TABLE["rows"]]
LEAST_SHARE = 0.95
"""Of all rows, that agree."""

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""Rows by source and options that differ, each with the reason."""


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return deploy({source for _, source, *_ in ROWS})


@pytest.mark.parametrize(("test", "source", "options", "size"), ROWS, ids=[f"{row[0]}-{row[2]}" for row in ROWS])
def test_a_size_agrees(deployment: Deployment, test: str, source: str, options: str, size: list[int]) -> None:
    response = deployment.get(f"/imgproxy/unsafe/{options}/plain/local:///{key_of(source)}")
    agrees = response["statusCode"] == 200 and size_of(response) == size
    if (source, options) in EXCEPTIONS:
        assert not agrees, "is no exception any more"
    else:
        assert response["statusCode"] == 200, response["body"]
        assert size_of(response) == size


def test_exceptions_are_few() -> None:
    assert EXCEPTIONS.keys() <= {(source, options) for _, source, options, _ in ROWS}
    assert 1 - len(EXCEPTIONS) / len(ROWS) >= LEAST_SHARE

"""An issuer for all tests of a module, and a world for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from extensions.review_app.tests import issuer as issuers
from extensions.review_app.tests.issuer import Issuer

from .world import World


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuers.serving() as found:
        yield found


@pytest.fixture
def world(
    aws: Callable[[str], Any], aws_environment: dict[str, str], issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> World:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)  # the credentials with which the signing keys are read
    return World.build(aws, aws_environment, issuer)

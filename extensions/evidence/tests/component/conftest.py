"""Fixtures of the evidence and custody functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .world import World


@pytest.fixture
def credentials(aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Variables of AWS, also of this process: a function reads its credentials at the first request."""
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    return aws_environment


@pytest.fixture
def world(aws: Callable[[str], Any], credentials: dict[str, str]) -> World:
    return World.build(aws, credentials)

"""Fixtures of the evidence and custody functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .world import World


@pytest.fixture
def world(aws: Callable[[str], Any], aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)  # credentials are read at the first request
    return World.build(aws, aws_environment)

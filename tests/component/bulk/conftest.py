"""Create bulk jobs for each test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.component.services.ingesting import World

from .jobs import Runs


@pytest.fixture
def runs(aws: Callable[[str], Any]) -> Runs:
    return Runs(World.build(aws))

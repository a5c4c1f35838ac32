"""A monitor environment for each test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .environment import MonitorEnvironment


@pytest.fixture
def stack(aws: Callable[[str], Any]) -> MonitorEnvironment:
    return MonitorEnvironment.build(aws)

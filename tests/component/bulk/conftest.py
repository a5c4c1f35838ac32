"""Create bulk jobs for each test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.component.services.ingest_environment import IngestEnvironment

from .jobs import BulkJobs


@pytest.fixture
def runs(aws: Callable[[str], Any]) -> BulkJobs:
    return BulkJobs(IngestEnvironment.build(aws))

"""Fixtures of the imaging tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CORPUS = Path(os.environ.get("DARKROOM_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """A folder of real pictures that break image pipelines; tests that need it are skipped where it is absent."""
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS}")
    return CORPUS

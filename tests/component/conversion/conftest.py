"""The package with libjxl, which the layer of ingest has."""

from __future__ import annotations

import asyncio
import sys

import pytest

from darkroom_pipeline.conversion import jxl_worker
from local.progress import Progress
from local.tool_venvs import JPEG_XL, ensure_one, site_packages


@pytest.fixture
def jxl_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package with libjxl, behind all others."""
    asyncio.run(ensure_one(JPEG_XL, Progress()))
    folder = site_packages(JPEG_XL)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    monkeypatch.setattr(jxl_worker, "FOLDERS", [str(folder / "imagecodecs.libs")])

"""Rasters of cut-outs, drawn."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom.findings import CUTOUT, Finding, Findings

type Coverage = NDArray[np.uint8]


def encode(coverage: Coverage) -> bytes:
    """Encode height × width numbers as the PNG of a raster."""
    stored = io.BytesIO()
    Image.fromarray(coverage).save(stored, "PNG")
    return stored.getvalue()


def rectangle(width: int, height: int, left: int, top: int, right: int, bottom: int) -> Coverage:
    """The coverage by a rectangle with hard edges."""
    coverage = np.zeros((height, width), np.uint8)
    coverage[top:bottom, left:right] = 255
    return coverage


def cut_findings(coverage: Coverage, **fields: Any) -> Findings:
    """Findings with a cut-out."""
    return Findings("1", "etag", {CUTOUT: Finding(CUTOUT, "m", "1", raster=encode(coverage), **fields)})

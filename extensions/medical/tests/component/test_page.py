"""A slice in Chromium: Cornerstone3D by WADO-RS and the rendered image have the same grey levels at each window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.competitors.model import MissingCompetitor
from extensions.medical.bench import page
from medical.window import Window

from .files import make, save

pytestmark = [pytest.mark.slow, pytest.mark.skipif(page.CHROMIUM is None, reason="needs Chromium")]

SIDE = 440
POINTS = [(0.1, 0.2), (0.3, 0.7), (0.5, 0.5), (0.75, 0.25), (0.9, 0.9)]
WINDOWS = [(40, 400), (-600, 1500), (1000, 4000)]


def test_the_sliders_change_pixels_of_both_images(tmp_path: Path) -> None:
    try:
        page.build_viewer()
    except MissingCompetitor as error:
        pytest.skip(str(error))
    ramp = np.add.outer(np.arange(SIDE) * 2, np.arange(SIDE) * 4).astype(np.uint16)
    path = tmp_path / "ramp.dcm"
    path.write_bytes(save(make(ramp, RescaleSlope=1, RescaleIntercept=-1024)))

    def use(shown: Any) -> None:
        for center, width in WINDOWS:
            page.set_window(shown, center, width)
            for x, y in POINTS:
                value = int(ramp[int(SIDE * y), int(SIDE * x)]) - 1024
                expected = 255 * float(Window(center, width).apply(np.array([float(value)]))[0])
                viewer, rendered = shown.evaluate(f"window.levels({x}, {y})")
                assert abs(rendered - expected) <= 0.51, (center, width, x, y)
                assert abs(viewer - expected) <= 3 * 255 / width + 1.5, "it may show the pixel beside"

    page.open_page(page.Study.ingest(path), use)

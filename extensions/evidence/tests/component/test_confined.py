"""The analysis in its confined process: what it may not do, and that it finds what it finds elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image

from darkroom_pipeline.conversion.sandbox import ProcessLimits
from evidence.analysis import analyse
from evidence.process import MAX_RESULT_BYTES, MEMORY_BYTES, AnalysisProcess
from tests.confined_probe import check_confined, supports_probe, take_over
from tests.waiting import HANG_S

from .images import build_exif, coffee, make_thumbnail, once, twice, with_exif

LIMITS = ProcessLimits(MEMORY_BYTES, MAX_RESULT_BYTES, wall_s=HANG_S, threads=True)
FORMATS = (".png", ".jpg", ".webp", ".gif", ".tif", ".avif")


@pytest.mark.skipif(not supports_probe(), reason="numbers of system calls")
def test_an_analysis_that_is_taken_over_reaches_nothing(tmp_path: Path) -> None:
    check_confined(take_over("evidence.worker", [0], LIMITS, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("original", ["camera", "twice", "small"])
def test_the_result_is_that_of_an_unconfined_analysis(original: str) -> None:
    """With copies in every format, whose decoders are loaded before the process is confined."""
    small = coffee().resize((96, 64), Image.Resampling.BICUBIC)
    data = {
        "camera": with_exif(once(), build_exif(make_thumbnail(coffee()), "SONY", "ILCE-6000")),
        "twice": twice(),
        "small": pyvips.Image.new_from_array(small).write_to_buffer(".png"),
    }[original]
    copies = {f"copy{name}": pyvips.Image.new_from_array(coffee()).write_to_buffer(name) for name in FORMATS}
    found: Any = AnalysisProcess(HANG_S).analyse(data, copies)
    assert found == analyse(data, copies)
    assert list(found["near_copies"]) == list(copies)

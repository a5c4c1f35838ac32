"""Make JPEGs of 24, 100 and 280 megapixels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyvips

from ..build_cache import build_once
from ..images import QUALITY, make_photograph
from ..memory.sources import LARGE
from ..paths import WORK

REFUSED = "280mp.jpg"
REFUSED_PX = (20_000, 14_000)
HUGE = "100mp.jpg"
HUGE_PX = (11_600, 8_700)
COVERED = "24mp.jpg"


def make_files() -> Mapping[str, Path]:
    """Return the files by name, made once.

    The 24 MP photograph and its mirror images make 100 MP. 280 MP have one colour, for a small file: only its header is
    read.
    """
    folder = build_once(WORK / "large", [Path(__file__), Path(__file__).parent.parent / "images.py"], _make)
    return {name: folder / name for name in (COVERED, HUGE, REFUSED)}


def _make(folder: Path) -> None:
    make_photograph(LARGE).save(folder / COVERED, quality=QUALITY, subsampling="4:2:0")
    image = pyvips.Image.new_from_file(str(folder / COVERED))
    pair = image.join(image.fliphor(), "horizontal")
    block = pair.join(pair.flipver(), "vertical").replicate(2, 2)
    block.crop(0, 0, *HUGE_PX).jpegsave(str(folder / HUGE), Q=QUALITY, keep="none")
    plain = pyvips.Image.black(*REFUSED_PX, bands=3).linear([1, 1, 1], [120, 140, 160], uchar=True)
    plain.copy(interpretation="srgb").jpegsave(str(folder / REFUSED), Q=50, optimize_coding=True, keep="none")

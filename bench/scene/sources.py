"""Make a tiled, compressed TIFF of 40,000 × 30,000 px."""

from __future__ import annotations

from pathlib import Path

import pyvips

from ..build_cache import build_once
from ..images import QUALITY, make_photograph
from ..memory.sources import LARGE
from ..paths import WORK

SCENE = "scene.tif"
SCENE_PX = (40_000, 30_000)
TILE_PX = 256
WAVE = 37
"""Amplitude of the brightness variation in 8-bit levels, which makes all tiles different."""


def make_large_image() -> Path:
    """Return the file, made once: a 24 MP photograph and its mirror images, repeated with varying brightness."""
    return build_once(WORK / "scene", [Path(__file__), Path(__file__).parent.parent / "images.py"], _make) / SCENE


def _make(folder: Path) -> None:
    make_photograph(LARGE).save(folder / "part.png", compress_level=1)
    image = pyvips.Image.new_from_file(str(folder / "part.png")).copy_memory()
    pair = image.join(image.fliphor(), "horizontal")
    block = pair.join(pair.flipver(), "vertical")
    width, height = SCENE_PX
    whole = block.replicate(-(-width // block.width), -(-height // block.height)).crop(0, 0, width, height)
    # One large wave with a period of 7,000 px, made small and enlarged.
    light = pyvips.Image.sines(width // 100, height // 100, hfreq=5.7, vfreq=4.3).resize(100, kernel="linear")
    lit = (whole + light.crop(0, 0, width, height) * WAVE).cast("uchar").copy(interpretation="srgb")
    options = {"compression": "jpeg", "Q": QUALITY, "tile_width": TILE_PX, "tile_height": TILE_PX}
    lit.tiffsave(str(folder / SCENE), tile=True, keep="none", **options)
    (folder / "part.png").unlink()

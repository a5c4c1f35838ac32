"""Make photographs to measure with, from a camera's photograph in a wallpaper package.

Larger ones, and all without the package, are made from small photographs of scikit-image. An enlarged photograph alone
is too smooth: it decodes faster and compresses better than a camera's. So each octave that the enlargement leaves empty
gets fine detail of a photograph of grass (the photograph less its blur), tiled in mirrored copies, in proportion to the
local contrast; then noise like a sensor's at a moderate sensitivity.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image
from skimage.filters import gaussian

from .build_cache import build_once
from .corpus.packages import LOMIRI_16, PackageUnavailable, unpack
from .paths import WORK

type Floats = NDArray[np.float32]

SEED = 20_250_101
DETAIL = "grass"
DETAIL_SIGMA_PX = 1.5
DETAIL_SHARE = 0.6
"""Contrast of the added detail in each octave, relative to the local contrast of the photograph's finest octave."""

NOISE_LEVELS = 1.6
QUALITY = 88
CAMERA_QUALITY = 94
"""Quality at which 12 MP have the 2.3 MB of cameras; the package's file has been reduced below that."""

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A JPEG of ``width`` × ``height`` px, made from the packaged photograph ``origin`` without the camera's."""

    name: str
    origin: str
    width: int
    height: int


RECIPES = (Recipe("12mp.jpg", "coffee", 4000, 3000), Recipe("2mp.jpg", "chelsea", 1632, 1224))


CAMERAS = "usr/share/backgrounds/Dragonfly_by_Bolly.jpg"
"""13 MP by a telephone: leaves with sharp edges, sky, and out-of-focus areas."""


def make_images() -> list[Path]:
    """Return the files of all recipes."""
    camera = _camera()
    folder = build_once(WORK / "images", [Path(__file__)], lambda folder: _make(folder, camera), str(camera))
    return [folder / recipe.name for recipe in RECIPES]


def describe_sources() -> str:
    """Describe the sources of the images."""
    if _camera() is None:
        return "Sources: photographs of scikit-image, enlarged, with detail and noise"
    return f"Sources: {Path(CAMERAS).stem.replace('_', ' ')}, of Debian's {LOMIRI_16.name}, cropped or reduced"


def _camera() -> Path | None:
    try:
        return unpack(LOMIRI_16) / CAMERAS
    except PackageUnavailable:
        return None


def make_photograph(recipe: Recipe) -> Image.Image:
    """Make the image of ``recipe``, equal in each run."""
    origin = _covering(Image.fromarray(getattr(skimage.data, recipe.origin)()), recipe.width / recipe.height)
    small = np.asarray(origin, dtype=np.float32)
    large = np.asarray(origin.resize((recipe.width, recipe.height), Image.Resampling.LANCZOS), dtype=np.float32)
    contrast = np.sqrt(_blurred(_fine(small @ LUMA) ** 2, 4 * DETAIL_SIGMA_PX))
    where = _resized(contrast, recipe.width, recipe.height)
    grass = _fine(np.asarray(getattr(skimage.data, DETAIL)(), dtype=np.float32))
    grass /= grass.std()
    random = np.random.default_rng(SEED)
    added = random.normal(0, NOISE_LEVELS, where.shape).astype(np.float32)
    scale = recipe.width / origin.width / 2
    while scale >= 1:
        octave = _resized(grass, round(grass.shape[1] * scale), round(grass.shape[0] * scale))
        added += DETAIL_SHARE * where * _mirrored(octave, recipe.width, recipe.height)
        scale /= 2
    return Image.fromarray(np.clip(large + added[..., None], 0, 255).astype(np.uint8))


def _make(folder: Path, camera: Path | None) -> None:
    for recipe in RECIPES:
        image = make_photograph(recipe) if camera is None else _fit_camera(camera, recipe)
        image.save(folder / recipe.name, quality=CAMERA_QUALITY if camera else QUALITY, subsampling="4:2:0")


def _fit_camera(camera: Path, recipe: Recipe) -> Image.Image:
    """Fit the photograph to ``recipe``: crop if little is lost, which keeps pixels, otherwise reduce it."""
    with Image.open(camera) as image:
        whole = image.convert("RGB")
    if whole.width >= 2 * recipe.width:
        size = (recipe.width, recipe.height)
        return _covering(whole, recipe.width / recipe.height).resize(size, Image.Resampling.LANCZOS)
    left, top = (whole.width - recipe.width) // 2, (whole.height - recipe.height) // 2
    return whole.crop((left, top, left + recipe.width, top + recipe.height))


def _covering(image: Image.Image, aspect: float) -> Image.Image:
    """Return the middle of ``image`` with the aspect ratio ``aspect`` (width by height)."""
    width, height = min(image.width, round(image.height * aspect)), min(image.height, round(image.width / aspect))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _fine(plane: Floats) -> Floats:
    """Return the detail of ``plane``: itself less its blur."""
    return np.asarray(plane - _blurred(plane, DETAIL_SIGMA_PX), dtype=np.float32)


def _blurred(plane: Floats, sigma_px: float) -> Floats:
    return np.asarray(gaussian(plane, sigma_px), dtype=np.float32)  # type: ignore[no-untyped-call]


def _resized(plane: Floats, width: int, height: int) -> Floats:
    image = Image.fromarray(plane.astype(np.float32), mode="F")
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def _mirrored(tile: Floats, width: int, height: int) -> Floats:
    """Tile ``tile`` with its mirror images, without seams."""
    pair = np.concatenate([tile, tile[:, ::-1]], axis=1)
    block = np.concatenate([pair, pair[::-1]], axis=0)
    times = (-(-height // block.shape[0]), -(-width // block.shape[1]))
    return np.tile(block, times)[:height, :width]

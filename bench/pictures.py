"""Photographs to work on: a camera's, out of a package of wallpapers.

Larger ones than that, and all where the package cannot be had, are made from small ones that scikit-image carries. An
enlarged photograph alone is too smooth: it decodes faster and compresses better than a camera's. So each octave that
the enlargement leaves empty gets fine detail of a photograph of grass (itself less its blur), tiled in mirrored copies,
in proportion to the local contrast; then noise like a sensor's at a moderate sensitivity.
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
"""Contrast of the added detail in each octave, of the local contrast of the photograph's own finest octave."""

NOISE_LEVELS = 1.6
QUALITY = 88
CAMERA_QUALITY = 94
"""Its 12 MP then have the 2.3 MB that cameras write; the package's file has been made smaller than that."""

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A JPEG of ``width`` × ``height`` px made from the packaged photograph ``origin`` where there is no camera's."""

    name: str
    origin: str
    width: int
    height: int


RECIPES = (Recipe("12mp.jpg", "coffee", 4000, 3000), Recipe("2mp.jpg", "chelsea", 1632, 1224))


CAMERAS = "usr/share/backgrounds/Dragonfly_by_Bolly.jpg"
"""13 MP by a telephone: leaves with sharp edges, sky, and what lies out of focus."""


def make_images() -> list[Path]:
    """The files of all recipes."""
    camera = _camera()
    folder = build_once(WORK / "pictures", [Path(__file__)], lambda folder: _make(folder, camera), str(camera))
    return [folder / recipe.name for recipe in RECIPES]


def describe_sources() -> str:
    """Where the pictures come from, for the conditions of what is measured with them."""
    if _camera() is None:
        return "Sources: photographs that scikit-image carries, enlarged, with detail and noise"
    return f"Sources: {Path(CAMERAS).stem.replace('_', ' ')}, of Debian's {LOMIRI_16.name}, cut or made smaller"


def _camera() -> Path | None:
    try:
        return unpack(LOMIRI_16) / CAMERAS
    except PackageUnavailable:
        return None


def make_photograph(recipe: Recipe) -> Image.Image:
    """The picture that ``recipe`` describes, the same each time."""
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
        image = make_photograph(recipe) if camera is None else _taken(camera, recipe)
        image.save(folder / recipe.name, quality=CAMERA_QUALITY if camera else QUALITY, subsampling="4:2:0")


def _taken(camera: Path, recipe: Recipe) -> Image.Image:
    """The photograph in the size of ``recipe``: cut where little is lost, so that pixels stay, else made smaller."""
    with Image.open(camera) as image:
        whole = image.convert("RGB")
    if whole.width >= 2 * recipe.width:
        size = (recipe.width, recipe.height)
        return _covering(whole, recipe.width / recipe.height).resize(size, Image.Resampling.LANCZOS)
    left, top = (whole.width - recipe.width) // 2, (whole.height - recipe.height) // 2
    return whole.crop((left, top, left + recipe.width, top + recipe.height))


def _covering(image: Image.Image, aspect: float) -> Image.Image:
    """The middle of ``image`` in the shape ``aspect`` (width over height)."""
    width, height = min(image.width, round(image.height * aspect)), min(image.height, round(image.width / aspect))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _fine(plane: Floats) -> Floats:
    """The detail of ``plane``: itself less its blur."""
    return np.asarray(plane - _blurred(plane, DETAIL_SIGMA_PX), dtype=np.float32)


def _blurred(plane: Floats, sigma_px: float) -> Floats:
    return np.asarray(gaussian(plane, sigma_px), dtype=np.float32)  # type: ignore[no-untyped-call]


def _resized(plane: Floats, width: int, height: int) -> Floats:
    image = Image.fromarray(plane.astype(np.float32), mode="F")
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def _mirrored(tile: Floats, width: int, height: int) -> Floats:
    """``tile`` and its mirror images side by side, so that no seam shows."""
    pair = np.concatenate([tile, tile[:, ::-1]], axis=1)
    block = np.concatenate([pair, pair[::-1]], axis=0)
    times = (-(-height // block.shape[0]), -(-width // block.shape[1]))
    return np.tile(block, times)[:height, :width]

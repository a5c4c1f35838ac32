"""The models themselves, and real pictures whose faces are known."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.findings import Region
from darkroom.models import catalogue
from darkroom.models.pixels import Pixels
from darkroom.models.running import Models
from local.golden import labelled
from tests.corpus import CORPUS
from tools.fetch_models import PLACES, fetch

from .pictures import photograph

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".local" / "models"

FACES: dict[str, list[Region]] = {
    name: [Region(*box) for box in boxes]
    for name, boxes in tomllib.loads((ROOT / "tests" / "cases" / "faces.toml").read_text(encoding="utf-8")).items()
} | {"astronaut": [box for golden in labelled() if golden.picture == "astronaut.png" for box in golden.faces or ()]}
"""Where the faces are, by picture; marked by hand."""


@cache
def models_folder() -> Path:
    """The folder with every model's file; downloaded when first needed."""
    fetch(PLACES["endpoint"], FOLDER)
    return FOLDER


@cache
def small_models() -> Models:
    """Those that a function runs in-process."""
    return Models(catalogue.load(catalogue.SMALL), models_folder())


def picture_of_faces(name: str) -> Image.Image:
    """A picture of :data:`FACES`, RGB; the test is skipped where the corpus that has it is missing."""
    if name == "astronaut":
        return photograph()
    if not (CORPUS / name).is_file():
        pytest.skip(f"{name} is not here")
    return Image.open(CORPUS / name).convert("RGB")


def pixels(image: Image.Image) -> Pixels:
    """``image`` as models take it."""
    return np.asarray(image.convert("RGB"))


def overlap(a: Region, b: Region) -> float:
    """Intersection over union."""
    across = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    down = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / (a.width * a.height + b.width * b.height - shared)

"""Run the models, and measure the distance of two boxes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from cli.models.fetch_models import PLACES, fetch
from darkroom.findings import Region
from darkroom_analysis.models import catalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.pixels import Pixels

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".local" / "models"


@cache
@cache
def models_folder() -> Path:
    """The folder with every model's file; downloaded when first needed."""
    fetch(PLACES["endpoint"], FOLDER)
    return FOLDER


@cache
def small_models() -> ModelSet:
    """The models that a function runs in process."""
    return ModelSet(catalogue.load_catalogue(catalogue.SMALL_MODELS), models_folder())


def pixels(image: Image.Image) -> Pixels:
    """Return ``image`` as the input of models."""
    return np.asarray(image.convert("RGB"))


def overlap(a: Region, b: Region) -> float:
    """Intersection over union."""
    across = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    down = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / (a.width * a.height + b.width * b.height - shared)

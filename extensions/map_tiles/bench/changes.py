"""A later date of a real image with known changes, since no package ships two dates of one place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEED = 1
PATCHES = 40
SIDES_PX = (20, 90)
GAIN, OFFSET, NOISE = 0.8, 12, 2
"""The later date is darker and hazier, with noise of two levels, as by another sun and sensor."""


def plant_changes(path: Path) -> tuple[bytes, NDArray[np.bool_]]:
    """Return the later date as a GeoTIFF, and which pixels changed.

    Squares are replaced by squares of other places of the same image: water by town, town by hills.
    """
    import rasterio

    with rasterio.open(path) as source:
        profile: dict[str, Any] = {**source.profile, "driver": "GTiff"}
        before = source.read().astype(float)
    generator = np.random.default_rng(SEED)
    valid = (before > 0).any(axis=0)
    after = before * GAIN + OFFSET + generator.normal(0, NOISE, before.shape)
    truth = np.zeros(valid.shape, bool)
    height, width = truth.shape
    for _ in range(PATCHES):
        side = int(generator.integers(*SIDES_PX))
        top, left, from_top, from_left = (int(generator.integers(0, end - side)) for end in (height, width) * 2)
        patch = before[:, from_top : from_top + side, from_left : from_left + side]
        after[:, top : top + side, left : left + side] = patch * GAIN + OFFSET
        truth[top : top + side, left : left + side] = True
    encoded = np.where(valid, np.clip(np.rint(after), 1, 255), 0).astype(np.uint8)
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as written:
            written.write(encoded)
        return bytes(memory.read()), truth & valid

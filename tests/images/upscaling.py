"""The released model of upscaling, in a folder of its own."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import pyvips
from numpy.typing import NDArray

from cli.models.upscale_model import UPSCALE_TABLE, fetch_network
from darkroom_analysis.models.catalogue import load_catalogue

FOLDER = Path(__file__).parents[2] / ".local" / "upscale-models"


@cache
def upscale_folder() -> Path:
    """The folder with the model and its table; the network is downloaded and converted when first needed."""
    [model] = load_catalogue(UPSCALE_TABLE).models.values()
    network, digest = FOLDER / model.artefact, model.sha256[model.artefact]
    if not network.is_file() or hashlib.sha256(network.read_bytes()).hexdigest() != digest:
        FOLDER.mkdir(parents=True, exist_ok=True)
        network.write_bytes(fetch_network(digest))
    (FOLDER / "models.toml").write_text(UPSCALE_TABLE.read_text(encoding="utf-8"), encoding="utf-8")
    return FOLDER


def to_vips(pixels: NDArray) -> pyvips.Image:
    """Return sRGB pixels, height × width × 3, as an image of libvips."""
    return pyvips.Image.new_from_array(pixels).copy(interpretation="srgb")

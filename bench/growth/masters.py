"""Make photographs of 1 to 120 megapixels, and their masters as ingest stores them.

Photographs are of cameras. Sizes up to the camera's are reduced; larger ones are composed of the photograph and its
mirror images, so that every pixel is one of a camera.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path

import pyvips

from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.master import make_master

from ..build_cache import build_once
from ..corpus.packages import LOMIRI_16, unpack
from ..paths import WORK

MEGAPIXELS = (1, 2, 5, 12, 24, 48, 80, 120)
PHOTOGRAPHS = ("Dragonfly_by_Bolly", "seeding_by_Clements_Engelhardt", "sunset_by_Aitzol_Berasategi")
"""12 to 16 MP by three cameras: leaves out of focus, grass, a sky."""

FOLDER = "usr/share/backgrounds"
QUALITY = 90
"""JPEG quality of the photographs: 0.15 to 0.3 bytes per pixel."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph ``number`` of ``megapixels``. ``kind`` is how ingest makes its master."""

    number: int
    megapixels: int
    kind: str

    @property
    def name(self) -> str:
        """File name of the master."""
        return f"{self.megapixels}mp-{self.number}.{'tif' if self.kind == 'pyramid' else 'jpg'}"


def make_masters() -> Mapping[Photograph, Path]:
    """Return the masters' files, made once. Raises PackageUnavailable."""
    originals = unpack(LOMIRI_16) / FOLDER
    folder = build_once(WORK / "growth", [Path(__file__)], lambda folder: _make(folder, originals))
    found = sorted(folder.glob("*mp-*.*"))
    return {read_name(file.name): file for file in found}


def read_name(name: str) -> Photograph:
    """Return the photograph of a master's file name."""
    stem, _, suffix = name.partition(".")
    megapixels, number = stem.split("mp-")
    return Photograph(int(number), int(megapixels), "pyramid" if suffix == "tif" else "cleaned")


def _make(folder: Path, originals: Path) -> None:
    limits = Limits()
    for number, name in enumerate(PHOTOGRAPHS):
        for megapixels in MEGAPIXELS:
            upload = scale(pyvips.Image.new_from_file(str(originals / f"{name}.jpg")), megapixels)
            data = upload.jpegsave_buffer(Q=QUALITY, keep="none")
            master = make_master(data, probe(Source.from_bytes(data), limits), limits=limits)
            kind = "pyramid" if master.method == "pyramid" else "cleaned"
            (folder / Photograph(number, megapixels, kind).name).write_bytes(master.body)


def scale(image: pyvips.Image, megapixels: float) -> pyvips.Image:
    """Return ``image`` with its aspect ratio and ``megapixels`` (10⁶), never more."""
    factor = sqrt(megapixels * 1e6 / (image.width * image.height))
    width, height = int(image.width * factor), int(image.height * factor)
    if factor <= 1:
        return image.thumbnail_image(width, height=height, size="force")
    return mirror_tiles(image, ceil(factor)).crop(0, 0, width, height)


def mirror_tiles(image: pyvips.Image, times: int) -> pyvips.Image:
    """Return ``times`` × ``times`` copies, every second one mirrored, without seams."""
    tiles: Sequence[pyvips.Image] = [
        image if not (row % 2 or column % 2) else _mirror(image, column % 2, row % 2)
        for row in range(times)
        for column in range(times)
    ]
    return pyvips.Image.arrayjoin(list(tiles), across=times)


def _mirror(image: pyvips.Image, horizontally: int, vertically: int) -> pyvips.Image:
    image = image.fliphor() if horizontally else image
    return image.flipver() if vertically else image

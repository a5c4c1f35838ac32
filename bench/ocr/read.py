"""Read the images of a folder in the endpoint's environment: ``python -m bench.ocr.read MODELS IMAGES``.

Writes a line of JSON for each image and reader: the name, the reader, the seconds, and the findings. Only images whose
names begin with ``page`` are read by all readers.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from darkroom.findings import TEXT, TextLine, finding_to_document
from darkroom_analysis.models.catalogue import load_catalogue
from darkroom_analysis.models.pixels import Pixels
from endpoint.ocr import RapidOcr
from endpoint.page_images import even_light
from endpoint.reading_order import direction

from . import EVENED, LEVELLED, PLAIN, PREPARED

TABLE = Path(__file__).resolve().parents[2] / "endpoint" / "models.toml"

WARMED_UP = "page-0"
"""The first image of all readers: it is read before it is timed."""


class PlainOcr(RapidOcr):
    """Reads each image once, as it is."""

    def _look(self, image: Pixels) -> list[TextLine]:
        return self._read(image)


class EvenedOcr(RapidOcr):
    """Reads each image once, with its light evened out."""

    def _look(self, image: Pixels) -> list[TextLine]:
        return self._read(even_light(image))


class LevelledOcr(RapidOcr):
    """Reads each image to find the angle of its lines, and returns what it reads when they are level."""

    def _look(self, image: Pixels) -> list[TextLine]:
        if not (lines := self._read(image)):
            return []
        along = direction(np.array([line.corners for line in lines]) * (image.shape[1], image.shape[0]))
        return self._read_turned(image, float(np.degrees(np.arctan2(along[1], along[0]))))


READERS: Mapping[str, type[RapidOcr]] = {
    PLAIN: PlainOcr,
    EVENED: EvenedOcr,
    LEVELLED: LevelledOcr,
    PREPARED: RapidOcr,
}


def main(models: str, images: str) -> None:
    """Read each image with its readers."""
    spec = load_catalogue(TABLE).get(TEXT)
    readers = {name: reader(spec, Path(models), 0) for name, reader in READERS.items()}
    for file in sorted(Path(images).glob("*.png")):
        with Image.open(file) as image:
            pixels = np.asarray(image.convert("RGB"))
        for name, reader in readers.items():
            if name != PREPARED and not file.stem.startswith("page"):
                continue
            if file.stem == WARMED_UP:
                reader.detect_batch([pixels], [[TEXT]])
            began_s = time.perf_counter()
            finding = reader.detect_batch([pixels], [[TEXT]])[0][TEXT]
            line = {"image": file.stem, "reader": name, "s": time.perf_counter() - began_s}
            sys.stdout.write(json.dumps(line | {"finding": finding_to_document(finding)}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

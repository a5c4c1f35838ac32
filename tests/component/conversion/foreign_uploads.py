"""Uploads of foreign files: the examination of ingest, a rendering, and its pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom.imaging.formats.image_format import Header
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import HEAD_BYTES, Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom.services.deadline import INGEST, Deadline
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import ObjectHead
from darkroom_pipeline.conversion.converter import Converter
from darkroom_pipeline.conversion.formats import FORMATS
from darkroom_pipeline.imaging.master import Master
from darkroom_pipeline.services.ingest.examine import FetchedUpload, UploadExaminer
from tests.foreign import FOREIGN
from tests.waiting import HANG_S

CELLS = 16
"""Along each side of an image, whose colours are averaged in each cell."""
LIMITS = Limits()


@dataclass(frozen=True)
class Examined:
    """An upload that passed: its header before it was converted, and its master."""

    header: Header
    master: Master


@cache
def _examiner() -> UploadExaminer:
    converter = Converter(tuple(FORMATS), wall_s=HANG_S)
    return UploadExaminer(LIMITS, PowertoolsObserver("ingest"), converter=converter)


def examine(name: str) -> Examined:
    """Examine a file as ingest does an upload; raises DarkroomError where it is refused."""
    body = (FOREIGN / name).read_bytes()
    head = ObjectHead(name, '"e"', len(body), "v1", 0, {}, {}, {})
    upload = FetchedUpload(head, body, sha256(body).hexdigest(), body[:HEAD_BYTES])
    examiner, deadline = _examiner(), Deadline(INGEST)
    found, data = examiner.read_header("a", upload)
    data, header = examiner.convert(data, found, deadline)
    examiner.decode(data, (), {}, deadline)
    return Examined(found, examiner.make_master(data, header, deadline))


def render_cells(master: Master) -> NDArray[np.float64]:
    """Render a master whole, and average its colours on white."""
    body = render(Plan("a", format="png"), Source.from_bytes(master.body), limits=LIMITS).body
    with Image.open(io.BytesIO(body)) as image:
        rich = image.convert("RGBA")
    white = Image.alpha_composite(Image.new("RGBA", rich.size, "white"), rich).convert("RGB")
    return average(np.asarray(white, dtype=np.float64))


def average(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean colour of each cell; an image with fewer pixels has as many cells as pixels."""
    for axis in (0, 1):
        side = pixels.shape[axis]
        cells = min(CELLS, side)
        starts = [-(-cell * side // cells) for cell in range(cells)]
        sums = np.add.reduceat(pixels, starts, axis=axis)
        counts = np.diff([*starts, side]).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        pixels = sums / counts
    return pixels

"""Burned-in text: find it with the deployment's text detector, and remove it from the pages before they are stored.

An image is searched unless its header says that it has no text (Burned In Annotation, PS3.3, C.7.6.1.1.1), and its
modality is none of those whose devices draw text into images. A secondary capture is always searched: it is a copy
of a screen or of paper, whatever the header says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom.errors import OverLimits, Unanalysable
from darkroom.findings import TEXT, Finding, TextLine
from darkroom.plan.geometry.redaction_mask import LINE_MARGIN, MARGIN_PX
from darkroom_pipeline.aws.sagemaker import Endpoint

from .instance import Scale
from .voi import Voi, full_range, list_values

SILENT_MODALITIES = frozenset({"CT", "MR", "PT", "NM", "CR", "DX", "MG", "RTIMAGE", "RTDOSE", "SEG"})
"""Modalities whose header is believed if it says that there is no text. Ultrasound, fluoroscopy, endoscopy, scans of
paper and screenshots are not among them."""

MAX_SIDE_PX = 2048
"""Longest side of what is analysed, as for other images (:mod:`darkroom_analysis.inference.views`)."""

MAX_SEARCHED = 256
"""Different images of one upload that are analysed at most; an upload with more is refused."""

type Read = Callable[[bytes], Finding]
"""Analyses a PNG for text. Raises ModelUnavailable."""

type Pixels = NDArray[Any]


class Box(NamedTuple):
    """Pixels from ``left`` and ``top`` to before ``right`` and ``bottom``."""

    left: int
    top: int
    right: int
    bottom: int


SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
"""Storage of single and multi-frame secondary captures (PS3.4, B.5): this SOP class, and those below it."""

SPREAD = (0.5, 99.5)
"""Percentiles of a page's values that are black and white in one more view: a few extreme pixels, such as an implant,
make text near the others invisible in the full range."""


def needs_search(modality: str, burned_in: str, sop_class: str) -> bool:
    """Return whether text has to be searched for. ``sop_class`` is "" for one that is not of the standard."""
    is_capture = not sop_class or f"{sop_class}.".startswith(f"{SECONDARY_CAPTURE}.")
    return is_capture or not (burned_in == "NO" and modality in SILENT_MODALITIES)


class TextSearch:
    """Searches images of one upload, each different one once. Raises OverLimits for too many."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[bytes, list[Box]] = {}

    def find(self, image: Pixels) -> list[Box]:
        """Return where 8-bit ``image`` has text. Raises ModelUnavailable or Unanalysable."""
        digest = hashlib.sha256(image.tobytes()).digest()
        if digest not in self._known:
            if len(self._known) >= MAX_SEARCHED:
                raise OverLimits(f"More than {MAX_SEARCHED} different frames would have to be searched for text")
            finding = self._read(encode_view(image))
            if finding.error:
                raise Unanalysable("The text detector cannot read the image", detail=finding.error)
            height, width = image.shape[:2]
            self._known[digest] = [outline(line, width, height) for line in finding.lines]
        return self._known[digest]


def read_by_endpoint(endpoint: Endpoint, image_id: str) -> Read:
    """Return a reader that invokes ``endpoint``."""

    def read(png: bytes) -> Finding:
        found: Finding = endpoint.invoke(png, (TEXT,), image_id).found[TEXT]
        return found

    return read


def cover_pages(
    pages: Pixels, scales: Sequence[Scale], presets: Sequence[Sequence[Voi]], ends: tuple[float, float], read: Read
) -> int:
    """Remove text from ``pages`` in place; return the number of places.

    ``pages`` has shape (page, row, column) with 16-bit numbers, or (page, row, column, 3) with colours. Text that is
    found on one page is removed from all of them, since devices draw it at the same place in each frame. ``ends`` are
    the least and greatest modality value.
    """
    search = TextSearch(read)
    boxes: set[Box] = set()
    for number, page in enumerate(pages):
        scale = scales[number if len(scales) > 1 else 0]
        known = presets[number if len(presets) > 1 else 0]
        for view in draw_views(page, scale, known, ends):
            boxes.update(search.find(view))
    cover(pages, boxes)
    return len(boxes)


def draw_views(page: Pixels, scale: Scale, presets: Sequence[Voi], ends: tuple[float, float]) -> Iterator[Pixels]:
    """Yield the 8-bit images of a page that are searched: the full range of values, most values, and each preset."""
    if page.ndim == 3:
        yield np.asarray(page)
        return
    values = list_values(*scale)
    low, high = sorted(float(values[end]) for end in np.percentile(page, SPREAD, method="nearest"))
    most = (full_range(low, high),) if low < high else ()
    for voi in (full_range(*ends), *most, *presets):
        yield np.rint(255 * voi.apply(values)).astype(np.uint8)[page]


def cover_masks(masks: Iterable[Pixels], read: Read) -> int:
    """Remove text from overlays, of shape (row, column) with 0 or 255, in place; return the number of places."""
    search = TextSearch(read)
    count = 0
    for mask in masks:
        boxes = set(search.find(np.asarray(mask)))
        cover(mask[np.newaxis], boxes)
        count += len(boxes)
    return count


def cover(pages: Pixels, boxes: Iterable[Box]) -> None:
    """Set the pixels of ``boxes`` to 0 on all ``pages``."""
    for box in boxes:
        pages[:, box.top : box.bottom, box.left : box.right] = 0


def outline(line: TextLine, width: int, height: int) -> Box:
    """Return the upright box around a line, with the margins of redacted images."""
    points = [(x * width, y * height) for x, y in line.corners]
    (ax, ay), (bx, by) = points[0], points[3]
    margin = LINE_MARGIN * float(np.hypot(ax - bx, ay - by)) + MARGIN_PX
    lefts, tops = zip(*points, strict=True)
    return Box(
        max(0, floor(min(lefts) - margin)),
        max(0, floor(min(tops) - margin)),
        min(width, ceil(max(lefts) + margin)),
        min(height, ceil(max(tops) + margin)),
    )


def encode_view(image: Pixels) -> bytes:
    """Return an 8-bit image as PNG for the detector, no side over :data:`MAX_SIDE_PX`."""
    import io

    view = Image.fromarray(image)
    if max(view.size) > MAX_SIDE_PX:
        view.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.BOX)
    file = io.BytesIO()
    view.save(file, "PNG")
    return file.getvalue()

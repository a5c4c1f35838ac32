"""Apply the measures to the bytes of an image. This runs in a process of its own: :mod:`.process` starts it.

Each measure is a document with a ``state`` of :mod:`.documents`, and a ``reason`` if it has no value; ``flagged`` is
whether the value is beyond the threshold, None where that has no answer; ``value`` has the numbers, ``images`` are
PNG or JPEG files in base64, by name.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from darkroom.imaging.formats.metadata.image_metadata import join_make_and_model

from . import double_compression, measures
from .areas import Box
from .copies import CopyComparison, compare_copy
from .differences import CELL_PX
from .documents import MEASURED, Document, miss, refuse
from .double_compression import MAX_LEVEL, BlockMap, DoubleCompression, FrequencyFit
from .exif import ExifFacts, read_exif
from .jpeg_header import JpegHeader, is_jpeg, parse_header
from .pixels import decode_luma
from .quantisation import compare_tables, load_known
from .thumbnail import compare_thumbnail

SHOWN_LEVELS = 20
"""Levels on both sides of zero whose shares a document has."""


class Missing(Exception):
    """The image has nothing that the measure applies to. The message says what."""


def analyse(data: bytes, copies: Mapping[str, bytes]) -> Document:
    """Return a document for each measure that needs the bytes; ``copies`` are near copies by key."""
    not_jpeg = "The image is no JPEG" if not is_jpeg(data) else ""
    header: JpegHeader | None = None
    if not not_jpeg:
        try:
            header = parse_header(data)
        except ValueError as error:
            return {name: refuse(f"The header of the JPEG: {error}") for name in _OF_BYTES} | _compare_all(data, copies)
    if header is None:
        return {name: miss(not_jpeg) for name in _OF_BYTES} | _compare_all(data, copies)
    facts, damage = _read_facts(header)
    found: Document = {
        measures.THUMBNAIL: guard(lambda: _measure_thumbnail(data, facts, damage)),
        measures.TABLES: guard(lambda: _measure_tables(header, facts)),
    }
    return found | _measure_compression(data, header) | _compare_all(data, copies)


_OF_BYTES = (measures.THUMBNAIL, measures.TABLES, measures.DOUBLE_COMPRESSION, measures.AREA)


def guard(measure: Callable[[], Document]) -> Document:
    """Return the document of ``measure``, or why there is none."""
    try:
        return measure()
    except Missing as reason:
        return miss(str(reason))
    except (ValueError, OSError, MemoryError, ArithmeticError) as error:
        return refuse(str(error) or type(error).__name__)


def _describe(value: Document, *, flagged: bool | None, **images: str) -> Document:
    return {"state": MEASURED, "flagged": flagged, "value": value, "images": images}


def _read_facts(header: JpegHeader) -> tuple[ExifFacts, str]:
    """Return what the EXIF block states, and what is wrong with the block."""
    try:
        return read_exif(header.exif), ""
    except ValueError as error:
        return ExifFacts(), f"The EXIF block: {error}"


def _measure_thumbnail(data: bytes, facts: ExifFacts, damage: str) -> Document:
    if damage:
        raise ValueError(damage)
    if not facts.thumbnail:
        raise Missing("The EXIF block has no thumbnail")
    found = compare_thumbnail(data, facts.thumbnail)
    differences = found.differences
    value: Document = {
        "width": found.width,
        "height": found.height,
        "is_cropped": found.is_cropped,
        "correlation": round(found.correlation, 3),
        "areas": [list(box) for box in found.boxes],
        "share": round(differences.share, 4),
        "peak_levels": round(differences.peak, 1),
        "median_levels": round(differences.median, 1),
    }
    return _describe(
        value,
        flagged=measures.thumbnail_differs(found),
        thumbnail=draw_photograph(found.thumbnail),
        image=draw_photograph(found.image, differences.boxes),
        differences=draw_cells(differences.cells, 0, 64),
    )


def _measure_tables(header: JpegHeader, facts: ExifFacts) -> Document:
    found = compare_tables(header, facts.make, facts.model)
    camera = join_make_and_model(facts.make, facts.model)
    value: Document = {
        "camera": camera,
        "software": facts.software,
        "sampling": header.sampling,
        "luma": list(header.luma),
        "chroma": list(header.chroma or ()),
        "libjpeg_quality": list(found.qualities),
        "is_libjpeg": found.is_libjpeg,
        "is_known_model": found.is_known_model,
        "matches_model": found.matches_model,
        "same_as": list(found.same_as),
        "known_cameras": len({one.name for one in load_known() if one.is_camera}),
    }
    return _describe(value, flagged=measures.tables_differ(found, camera))


def _measure_compression(data: bytes, header: JpegHeader) -> Document:
    try:
        found, coefficients = double_compression.measure(decode_luma(data), header.luma)
        is_double = measures.is_double(found)
        area = double_compression.map_blocks(found, coefficients) if is_double else None
    except (ValueError, OSError, MemoryError) as error:
        return dict.fromkeys((measures.DOUBLE_COMPRESSION, measures.AREA), refuse(str(error)))
    second = miss("The image does not count as compressed twice") if area is None else _describe_area(area)
    return {measures.DOUBLE_COMPRESSION: _describe_double(found, flagged=is_double), measures.AREA: second}


def _describe_double(found: DoubleCompression, *, flagged: bool) -> Document:
    strongest = found.strongest
    value: Document = {
        "score": round(found.score, 4),
        "threshold": measures.MIN_DOUBLE_SCORE,
        "blocks": found.blocks,
        "frequencies": [_describe_fit(fit) for fit in found.fits],
        "histogram": _describe_histogram(strongest) if strongest else None,
    }
    return _describe(value, flagged=flagged)


def _describe_fit(fit: FrequencyFit) -> Document:
    return {
        "frequency": list(fit.frequency),
        "step": fit.step,
        "first_step": fit.first_step if fit.gain > 0 else None,
        "gain": round(fit.gain, 4),
    }


def _describe_histogram(fit: FrequencyFit) -> Document:
    """Return shares of levels other than zero, and what one and two compressions would make them."""
    places = [level for level in range(-SHOWN_LEVELS, SHOWN_LEVELS + 1) if level]
    shares = {}
    for name, histogram in (("observed", fit.observed), ("once", fit.once), ("twice", fit.twice)):
        other = 1 - histogram[MAX_LEVEL]
        shares[name] = [round(float(histogram[MAX_LEVEL + level] / other), 5) for level in places]
    return {"frequency": list(fit.frequency), "levels": places, **shares}


def _describe_area(area: BlockMap) -> Document:
    flagged = measures.has_area(area)
    value: Document = {
        "areas": [list(area.box)] if area.box and flagged else [],
        "share": round(area.share, 4),
        "depth": round(area.depth, 2),
        "threshold_share": measures.MIN_AREA_SHARE,
        "threshold_depth": measures.MIN_AREA_DEPTH,
    }
    reach = max(float(np.quantile(np.abs(area.values), 0.98)), 1e-6)
    return _describe(value, flagged=flagged, map=draw_cells(-area.values, -reach, reach))


def _compare_all(data: bytes, copies: Mapping[str, bytes]) -> Document:
    return {measures.COPIES: {key: guard(partial(_compare_one, data, copy)) for key, copy in copies.items()}}


def _compare_one(data: bytes, copy: bytes) -> Document:
    found = compare_copy(data, copy)
    if found is None:
        raise Missing("The copy does not lie on the image by moving and scaling")
    return _describe(
        _describe_copy(found),
        flagged=bool(found.boxes),
        image=draw_photograph(found.first, found.differences.boxes),
        copy=draw_photograph(found.second),
        differences=draw_cells(found.differences.cells, 0, 64),
    )


def _describe_copy(found: CopyComparison) -> Document:
    return {
        "scale": round(found.scale, 3),
        "left": found.left,
        "top": found.top,
        "overlap": round(found.overlap, 3),
        "correlation": round(found.correlation, 3),
        "areas": [list(box) for box in found.boxes],
        "share": round(found.differences.share, 4),
        "peak_levels": round(found.differences.peak, 1),
        "median_levels": round(found.differences.median, 1),
    }


def draw_photograph(image: NDArray[np.float32], boxes: Sequence[Box] = ()) -> str:
    """Return ``image`` as a JPEG in base64, with outlines of ``boxes``, which are in cells."""
    drawn = Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(drawn)
    for left, top, width, height in boxes:
        pen.rectangle(
            (CELL_PX * left, CELL_PX * top, CELL_PX * (left + width), CELL_PX * (top + height)), outline="red"
        )
    target = io.BytesIO()
    drawn.save(target, "JPEG", quality=85)
    return b64encode(target.getvalue()).decode()


def draw_cells(cells: NDArray[np.float32], low: float, high: float) -> str:
    """Return ``cells`` as a PNG in base64, one px each: ``low`` is black, ``high`` is white."""
    levels = np.clip((cells - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    target = io.BytesIO()
    Image.fromarray(levels).save(target, "PNG")
    return b64encode(target.getvalue()).decode()

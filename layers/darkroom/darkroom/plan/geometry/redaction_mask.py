"""The mask of a plan that redacts faces, text or objects, computed from findings.

Outlines have four corners, because text may be slanted. A mask has a cell for each square of the image; a cell that
an outline touches is covered completely.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor, hypot

from ...errors import FindingsPending, NoInference, Unanalysable
from ...findings import FACES, OBJECTS, TEXT, Finding, Findings, Region, TextLine
from ..model import Plan
from ..option_types import split_parts
from ..redaction import check_first_page, get_redacted_tasks
from .detected import list_objects
from .layout import Geometry
from .placement import STORED_POINTS, Size

Point = tuple[float, float]
Outline = tuple[Point, Point, Point, Point]

FACE_MARGINS = (0.5, 0.3, 0.5)
"""Margins that are covered above, beside and below a face, as fractions of its height and width.

With 0.15 on each side, the detector still found faces in the covers, by hair, ears and neck, with scores up to 0.5.
With these margins no score came near its threshold of 0.4 (docs/decisions/0011).
"""

LINE_MARGIN = 0.3
"""Margin that is covered around a line of text, as a fraction of its height: accents and descenders."""

OBJECT_MARGINS = (0.1, 0.1, 0.1)
"""The same for an object: detectors' boxes are as exact as the IoU that they are trained for."""

MARGIN_PX = 3
"""Margin that is covered around any outline: decoders smooth a JPEG's chroma over three pixels."""


def compute_outlines(plan: Plan, findings: Findings | None, upright: Size) -> list[Outline]:
    """Return the outlines that ``plan`` covers, in pixels of an image of ``upright`` size.

    Raises FindingsPending if a task is not analysed yet, NoInference if this deployment has no model for it,
    Unanalysable if the model could not read the image, and BadOption for a page that is not analysed or a class that
    the model does not detect.
    """
    check_first_page(plan)
    known = {task: _require(findings, task) for task in get_redacted_tasks(plan)}
    return [
        outline
        for word in (split_parts(plan.redact) if plan.redact else [])
        for outline in _outline_findings(word, known, upright)
    ]


def _require(findings: Findings | None, task: str) -> Finding:
    """Return the finding of ``task``, or raise why there is none."""
    finding = findings.found.get(task) if findings else None
    if finding is None and findings is not None and not findings.is_awaited(task):
        raise NoInference(f"redact: this deployment has no model for {task}")
    if finding is None:
        raise FindingsPending(detail=f"no findings of {task}")
    if finding.error:
        raise Unanalysable(detail=f"{task}: {finding.error}")
    return finding


def _outline_findings(word: str, known: Mapping[str, Finding], upright: Size) -> Iterator[Outline]:
    """Yield the outlines of one ``word`` of a redaction. Lines that were not searched may have personal data."""
    if word in ("faces", "all"):
        yield from (_outline_box(face.region, FACE_MARGINS, upright) for face in known[FACES].faces)
    if word in ("text", "pii", "all"):
        lines = (line for line in known[TEXT].lines if word != "pii" or line.personal != ())
        yield from (_outline_line(line, upright) for line in lines)
    elif word != "faces":
        yield from (_outline_box(one, OBJECT_MARGINS, upright) for one in list_objects(known[OBJECTS], word, "redact"))


def rasterize_mask(outlines: Sequence[Outline], geometry: Geometry, cell_px: int) -> tuple[Size, bytes]:
    """Return the grid of cells of ``cell_px`` over the stored region of ``geometry``, and its rows: 255 is covered.

    ``outlines`` are in pixels of the upright image.
    """
    region = geometry.stored_region
    grid = Size(ceil(region.width / cell_px), ceil(region.height / cell_px))
    cells = bytearray(grid.width * grid.height)
    for cover in outlines:
        corners = [_to_stored_point(point, geometry) for point in cover]
        places = [((x - region.left) / cell_px, (y - region.top) / cell_px) for x, y in corners]
        for row, first, last in _rasterize_rows(places, grid, MARGIN_PX / cell_px):
            start = row * grid.width
            cells[start + first : start + last] = b"\xff" * (last - first)
    return grid, bytes(cells)


def _outline_box(box: Region, margins: tuple[float, float, float], upright: Size) -> Outline:
    """Return the corners of ``box`` with ``margins`` above, beside and below it, in fractions of its sides."""
    above, beside, below = margins
    left, right = box.left - beside * box.width, box.left + (1 + beside) * box.width
    top, bottom = box.top - above * box.height, box.top + (1 + below) * box.height
    left, right = left * upright.width, right * upright.width
    top, bottom = top * upright.height, bottom * upright.height
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _outline_line(line: TextLine, upright: Size) -> Outline:
    """Return the corners of ``line`` moved outwards, each along both sides that meet in it."""
    corners = [(x * upright.width, y * upright.height) for x, y in line.corners]
    upper_left, upper_right, lower_right, lower_left = corners
    beyond_px = LINE_MARGIN * max(
        _measure_distance(upper_left, lower_left), _measure_distance(upper_right, lower_right)
    )
    moved = [_move_outwards(corners[at], (corners[at - 1], corners[(at + 1) % 4]), beyond_px) for at in range(4)]
    return moved[0], moved[1], moved[2], moved[3]


def _move_outwards(corner: Point, neighbours: tuple[Point, Point], by_px: float) -> Point:
    x, y = corner
    for neighbour in neighbours:
        length = _measure_distance(corner, neighbour) or 1.0
        x += (corner[0] - neighbour[0]) / length * by_px
        y += (corner[1] - neighbour[1]) / length * by_px
    return x, y


def _measure_distance(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


def _to_stored_point(point: Point, geometry: Geometry) -> Point:
    """Map ``point`` from the upright image to the stored one."""
    x, y = STORED_POINTS[geometry.orientation](point[0] / geometry.upright.width, point[1] / geometry.upright.height)
    return x * geometry.stored.width, y * geometry.stored.height


def _rasterize_rows(corners: Sequence[Point], grid: Size, spread: float) -> Iterator[tuple[int, int, int]]:
    """Yield each row within ``spread`` of the convex shape of ``corners``, with its first cell and its last + 1."""
    heights = [y for _, y in corners]
    top, bottom = floor(min(heights) - spread), ceil(max(heights) + spread)
    for row in range(max(0, top), min(grid.height, bottom)):
        places = list(_find_crossings(corners, row - spread, row + 1 + spread))
        if not places:
            continue
        first, last = max(0, floor(min(places) - spread)), min(grid.width, ceil(max(places) + spread))
        if first < last:
            yield row, first, last


def _find_crossings(corners: Sequence[Point], upper: float, lower: float) -> Iterator[float]:
    """Yield the x where each edge enters and leaves the band between ``upper`` and ``lower``."""
    for (x, y), (next_x, next_y) in zip(corners, [*corners[1:], corners[0]], strict=True):
        start, end = max(upper, min(y, next_y)), min(lower, max(y, next_y))
        if start > end:
            continue
        if next_y == y:
            yield from (x, next_x)
            continue
        for at in (start, end):  # the slope of an edge may be infinite in floating point
            yield x + (at - y) / (next_y - y) * (next_x - x)

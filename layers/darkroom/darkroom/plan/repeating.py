"""Where a watermark stands that is repeated: thumbor's arithmetic (``filters/watermark.py`` of thumbor 7.8)."""

from __future__ import annotations

from typing import NamedTuple

from .boxes import Size

MAX_MARKS = 100
"""Above it, both axes have at most :data:`MAX_ON_AN_AXIS` marks."""

MAX_ON_AN_AXIS = 6
LEAST_GAP_PX = 10
"""Between the marks of an axis that has no room for two."""


class _Row(NamedTuple):
    """The marks of one axis, and the px that are left beside them."""

    marks: int
    spare_px: int


def starts(picture: Size, mark: Size, axes: str) -> tuple[range, range]:
    """The first px of each mark across and down, for the ``axes`` (``h``, ``v``, ``hv``) that are repeated.

    The range of an axis that is not repeated is empty.
    """
    across, down = _row(picture.width, mark.width), _row(picture.height, mark.height)
    if axes == "hv" and across.marks * down.marks > MAX_MARKS:
        across, down = _fewer(across, picture.width, mark.width), _fewer(down, picture.height, mark.height)
    return (
        _placed(across, mark.width) if "h" in axes else range(0),
        _placed(down, mark.height) if "v" in axes else range(0),
    )


def _row(side: int, own: int) -> _Row:
    if side < 2 * own:
        return _Row(-(-side // own), LEAST_GAP_PX)
    return _Row(*divmod(side, own))


def _fewer(row: _Row, side: int, own: int) -> _Row:
    marks = min(MAX_ON_AN_AXIS, row.marks)
    return _Row(marks, side - marks * own)


def _placed(row: _Row, own: int) -> range:
    gap = row.spare_px // (max(row.marks, 2) - 1)
    return range(0, row.marks * (own + gap), own + gap)

"""The measures by name, and from which value on each counts as flagged.

Thresholds were set by values of a third of the photographs that ``bench`` counts. Rates hold for those only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .double_compression import BlockMap, DoubleCompression
    from .quantisation import TableComparison
    from .thumbnail import ThumbnailComparison

CREDENTIALS = "content_credentials"
THUMBNAIL = "thumbnail"
TABLES = "quantisation_tables"
DOUBLE_COMPRESSION = "double_compression"
AREA = "compressed_once_area"
COPIES = "near_copies"

MEASURES = (CREDENTIALS, THUMBNAIL, TABLES, DOUBLE_COMPRESSION, AREA, COPIES)

MIN_DOUBLE_SCORE = 0.03
"""Nats a coefficient. Photographs that were compressed once reach 0.02, those compressed again at a higher quality
exceed 0.1."""

MIN_AREA_SHARE = 0.01
MIN_AREA_DEPTH = 1.1
"""Areas of photographs without a splice, such as skies, are shallower than 1, or smaller than 1 %."""


def is_double(found: DoubleCompression) -> bool:
    """Whether the image counts as compressed twice."""
    return found.score >= MIN_DOUBLE_SCORE


def has_area(found: BlockMap) -> bool:
    """Whether an area of an image that was compressed twice counts as compressed once."""
    return found.share >= MIN_AREA_SHARE and found.depth >= MIN_AREA_DEPTH


def tables_differ(found: TableComparison, camera: str) -> bool | None:
    """Whether the tables count as those of another program than ``camera``; None where no camera is named.

    Tables of libjpeg count so for a camera of which no file is known: most cameras have tables of their own.
    """
    if not camera:
        return None
    return not found.matches_model if found.is_known_model else found.is_libjpeg


def thumbnail_differs(found: ThumbnailComparison) -> bool:
    """Whether the thumbnail counts as that of another image."""
    return found.is_cropped or bool(found.boxes)

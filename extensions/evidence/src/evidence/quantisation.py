"""Compare the quantisation tables of a JPEG with those of its camera and of libraries.

Cameras and editors have tables of their own, libjpeg and what is built on it scales those of the standard (H. Farid,
"Digital image ballistics from JPEG quantization", 2006; E. Kee, M. K. Johnson and H. Farid, "Digital image
authentication from JPEG headers", 2011).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .jpeg_header import JpegHeader, QuantisationTable

KNOWN = Path(__file__).with_name("known_tables.json")
"""Written by ``bench.cameras`` from files of cameras and editors, with the package of each."""

# fmt: off
LUMA: QuantisationTable = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)
CHROMA: QuantisationTable = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
)
# fmt: on
"""The examples of ITU-T T.81, tables K.1 and K.2, which libjpeg scales by its quality."""


@dataclass(frozen=True, slots=True)
class KnownTables:
    """Tables of a file by a camera, or by an editor, whose ``model`` is then its name."""

    make: str
    model: str
    luma: QuantisationTable
    chroma: QuantisationTable
    source: str
    is_camera: bool

    @property
    def name(self) -> str:
        """Make and model."""
        return self.model if self.model.lower().startswith(self.make.lower()) else f"{self.make} {self.model}"


@dataclass(frozen=True, slots=True)
class TableComparison:
    """``qualities`` are those of libjpeg that make luma and chroma, None where none does.

    ``is_known_model``: there is a file of the camera that the image names. ``matches_model``: that has the same
    tables; None without one. ``same_as`` names all known cameras and editors with the same tables.
    """

    qualities: tuple[int | None, int | None]
    is_known_model: bool
    matches_model: bool | None
    same_as: tuple[str, ...]

    @property
    def is_libjpeg(self) -> bool:
        """Whether both tables are those of one quality of libjpeg."""
        luma, chroma = self.qualities
        return luma is not None and luma == chroma


def scale_table(table: QuantisationTable, quality: int, *, baseline: bool = True) -> QuantisationTable:
    """Scale ``table`` for ``quality``, 1 to 100, as ``jpeg_quality_scaling`` of libjpeg does."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(max((step * percent + 50) // 100, 1), 255 if baseline else 32_767) for step in table)


def find_quality(table: QuantisationTable, original: QuantisationTable) -> int | None:
    """Return the highest quality for which libjpeg makes ``table`` of ``original``, None if it never does."""
    return next((quality for quality in range(100, 0, -1) if scale_table(original, quality) == table), None)


@cache
def load_known() -> tuple[KnownTables, ...]:
    """Load the tables of known cameras and editors."""
    entries = json.loads(KNOWN.read_text(encoding="utf-8"))
    return tuple(
        KnownTables(
            one["make"], one["model"], tuple(one["luma"]), tuple(one["chroma"]), one["source"], one["is_camera"]
        )
        for one in entries
    )


def compare_tables(header: JpegHeader, make: str, model: str) -> TableComparison:
    """Compare the tables in ``header`` with those known of the camera that the EXIF block names.

    Raises ValueError if the file lacks a table.
    """
    luma, chroma = header.luma, header.chroma
    qualities = (find_quality(luma, LUMA), None if chroma is None else find_quality(chroma, CHROMA))
    if chroma is None:
        qualities = (qualities[0], qualities[0])
    same = [one for one in load_known() if one.luma == luma and chroma in (None, one.chroma)]
    of_model = [one for one in load_known() if one.is_camera and _is_model(one, make, model)]
    return TableComparison(
        qualities,
        is_known_model=bool(of_model),
        matches_model=any(one in same for one in of_model) if of_model else None,
        same_as=tuple(dict.fromkeys(one.name for one in same)),
    )


def _is_model(known: KnownTables, make: str, model: str) -> bool:
    return (known.make.casefold(), known.model.casefold()) == (make.strip().casefold(), model.strip().casefold())

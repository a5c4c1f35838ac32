"""The tables of the everyday matrix: rows that can be drawn, and exceptions that some cell has."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest

from darkroom.plan.model import CONVERTED_TYPES, DATA_FORMATS, IMAGE_FORMATS, SOURCE_TYPES
from darkroom.plan.options import OPTIONS
from darkroom_dialects.registry import DIALECTS
from tests.everyday.drawings import DRAWN
from tests.everyday.features import ANALYSED, EFFECTS, OUTPUTS, REENCODED, SIGNED
from tests.everyday.kinds import Kind, load_kinds
from tests.everyday.matrix import PUT, TASKS, UPLOADED
from tests.everyday.reference import NOT_COMPARED

CELLS = [
    *(f"{PUT}/{feature.name}" for feature in OUTPUTS),
    *(f"{UPLOADED}/{feature.name}" for feature in (*OUTPUTS, *EFFECTS, *ANALYSED, SIGNED, REENCODED)),
    *(f"{UPLOADED}/{task}" for task in TASKS),
]
KINDS = load_kinds()


def test_columns_have_names_of_their_own() -> None:
    assert len(CELLS) == len(set(CELLS))
    assert len(CELLS) * len(KINDS) > 8_000


WITHOUT_A_COLUMN = {
    "cutout": "needs a model that a deployment adds",
    "exp": "belongs to signatures",
    "s": "is in every signed column",
}


def test_every_option_and_every_format_is_in_the_matrix() -> None:
    asked = {name for cell in CELLS for name in re.findall(r"(\w+)=", cell)}
    assert {option.short for option in OPTIONS if option.native} - asked == WITHOUT_A_COLUMN.keys()
    formats = {kind.name.split(" ")[0] for kind in KINDS} | {"jp2", "jxl", "psd"}
    assert {"jpeg 2000", "jpeg xl", "photoshop document"} <= {kind.name for kind in KINDS}
    assert (SOURCE_TYPES.keys() | CONVERTED_TYPES.keys()) - formats == set()
    for form in (*IMAGE_FORMATS, *DATA_FORMATS):
        assert any(f"f={form}" in cell for cell in CELLS)
    for dialect in DIALECTS:
        assert f"{UPLOADED}/{dialect.name}" in CELLS


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_a_row_names_what_there_is(kind: Kind) -> None:
    for source in (kind.source, kind.reference):
        assert source in DRAWN or source.startswith(("tests/", "shared/")) or source in ("", NOT_COMPARED), source
    for pattern, exception in kind.exceptions.items():
        assert any(fnmatchcase(cell, pattern) for cell in CELLS), pattern
        assert exception.reason
        assert exception.defect is not bool(exception.status or exception.tolerance), "one outcome"

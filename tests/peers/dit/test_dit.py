"""Each row of edits through sharp, called as DIT 7 calls it, and through Darkroom: equal sizes and like colours.

A row that differs is in :mod:`.differences`, with the reason, or it is a defect. ``-s`` prints the counts.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from base64 import b64encode
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.competitors.dit import __file__ as contender
from bench.competitors.model import MissingCompetitor
from bench.competitors.npm import LOCKED, install
from darkroom.errors import DarkroomError
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.dit import parse
from tests.peers.thumbor import sources

from .differences import DIFFERENCES, difference
from .table import Row, rows

pytestmark = pytest.mark.slow

LEAST_AGREEING = 0.95
SIZE_TOLERANCE_PX = 1
"""sharp rounds sides of JPEGs that it decodes at a reduced size, and of images turned by an angle, otherwise."""

CELLS = 24
"""Both images are reduced to at most so many pixels on an axis before their colours are compared."""

NEAR = 8.0
"""Mean difference of levels, of 255, that encoders, resamplers and half a pixel account for."""

HERE = Path(__file__).parent
SETTINGS = DialectSettings(Sources((("s3://pictures/", ""),)), {"mark": sources.MARK})


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row: sharp's image, and ours, or why it was refused."""

    row: Row
    theirs: bytes
    ours: bytes = b""
    refusal: str = ""

    @property
    def agrees(self) -> bool:
        return not self.refusal and self.size_differs <= SIZE_TOLERANCE_PX and self.distance <= NEAR

    @property
    def size_differs(self) -> int:
        """By how many px the sizes differ, at most on an axis."""
        one, other = (Image.open(io.BytesIO(body)).size for body in (self.theirs, self.ours))
        return max(abs(one[0] - other[0]), abs(one[1] - other[1]))

    @property
    def distance(self) -> float:
        """Mean difference of the reduced images' levels."""
        one, other = (_reduced(body) for body in (self.theirs, self.ours))
        return float(np.abs(one - other).mean()) if one.shape == other.shape else 255.0


def _reduced(body: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(body)).convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return np.asarray(flat.resize(tuple(min(CELLS, side) for side in flat.size), Image.Resampling.BOX), np.float64)


def make(row: Row, files: dict[str, bytes]) -> bytes:
    """Darkroom's image of ``row``; PNG where no format is named."""
    document = json.dumps({"key": row.source, "edits": row.edits}).encode()
    plan = parse("/" + b64encode(document).decode(), SETTINGS).plan
    plan = replace(plan, format="png") if plan.format == "auto" else plan
    mark = files[sources.MARK] if plan.watermark else None
    return render(plan, Source.from_bytes(files[plan.key]), limits=Limits(), watermark=mark).body


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    try:
        packages = [Path(contender).parent / name for name in LOCKED]
        node, site = install("dit-peer", "dit", packages)
    except MissingCompetitor as error:
        pytest.skip(str(error))
    files, folder = sources.files(), tmp_path_factory.mktemp("dit")
    for name, body in files.items():
        (folder / name).write_bytes(body)
    requests = [{"id": at, "source": row.source, "edits": row.edits} for at, row in enumerate(rows())]
    (folder / "requests.json").write_text(json.dumps({"folder": str(folder), "requests": requests}), encoding="utf-8")
    handler = Path(shutil.copy(HERE / "handler.mjs", site))
    subprocess.run([node, handler, folder / "requests.json"], check=True)
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert [entry for entry in results.values() if "error" in entry] == []
    return [_outcome(row, (folder / f"{at}.out").read_bytes(), files) for at, row in enumerate(rows())]


def _outcome(row: Row, theirs: bytes, files: dict[str, bytes]) -> Outcome:
    try:
        return Outcome(row, theirs, make(row, files))
    except DarkroomError as error:
        return Outcome(row, theirs, refusal=error.message)


def test_almost_all_edits_agree(outcomes: list[Outcome]) -> None:
    agreeing = sum(one.agrees for one in outcomes)
    served = sum(not one.refusal for one in outcomes)
    print(f"\n{len(outcomes)} requests: Darkroom serves {served}, {agreeing} agree")
    assert len(outcomes) >= 300
    assert agreeing >= LEAST_AGREEING * len(outcomes)


def test_each_row_agrees_or_differs_for_a_documented_reason(outcomes: list[Outcome]) -> None:
    other = [one for one in outcomes if not one.agrees]
    assert [(*one.row, one.refusal) for one in other if difference(one.row.source, one.row.edits) is None] == []


def test_each_documented_difference_has_a_row(outcomes: list[Outcome]) -> None:
    found = {difference(one.row.source, one.row.edits) for one in outcomes if not one.agrees}
    assert [one for one in DIFFERENCES if one not in found] == []

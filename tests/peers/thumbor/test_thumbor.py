"""Each generated URL through thumbor 7.8 and through Darkroom: served by both, and of equal size.

A row that differs is in :mod:`.differences`, with the reason, or it is a defect. ``-s`` prints the counts.
"""

from __future__ import annotations

import io
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DarkroomError
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_dialects.common.settings import DialectSettings, ThumborSettings
from darkroom_dialects.thumbor import parse

from . import sources
from .differences import DIFFERENCES, difference
from .server import fetch, installed, thumbor
from .table import Row, rows

pytestmark = pytest.mark.slow

LEAST_EQUAL = 0.97
"""Of the URLs that thumbor serves, the share that is served here at the same size."""

MARKS = {name.partition(".")[0]: name for name in (sources.MARK, sources.SECOND_MARK, sources.FRAME)}
SETTINGS = DialectSettings(watermarks=MARKS)
LYING = replace(SETTINGS, thumbor=ThumborSettings(respect_orientation=False))
CELLS = 12
"""Both images are reduced to at most so many pixels on an axis before their colours are compared."""

NEAR = 6.0
"""Mean difference of levels, of 255, that encoders and resamplers account for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row: thumbor's response, and Darkroom's image or error."""

    row: Row
    status: int
    theirs: bytes = b""
    ours: bytes = b""
    refusal: str = ""

    @property
    def what(self) -> str:
        if self.refusal:
            return "refused"
        return "equal" if _size(self.theirs) == _size(self.ours) else "size"

    @property
    def distance(self) -> float:
        """Mean difference of the reduced images' levels."""
        one, other = (_reduced(body) for body in (self.theirs, self.ours))
        return float(np.abs(one - other).mean())


def _opened(body: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


def _size(body: bytes) -> tuple[int, int]:
    return _opened(body).size


def _reduced(body: bytes) -> np.ndarray:
    image = _opened(body).convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return np.asarray(flat.resize(tuple(min(CELLS, side) for side in flat.size), Image.Resampling.BOX), np.float64)


def make(path: str, files: dict[str, bytes], settings: DialectSettings = SETTINGS) -> bytes:
    """The image that Darkroom makes for ``path``; PNG where the URL leaves the format open."""
    plan = parse(f"/unsafe/{path}", settings).plan
    plan = replace(plan, format="png") if plan.format == "auto" else plan
    first, second = (files[MARKS[mark.name]] if mark else None for mark in (plan.watermark, plan.second_watermark))
    source = Source.from_bytes(files[plan.key])
    return render(plan, source, limits=Limits(), watermark=first, second_watermark=second).body


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return sources.files()


@pytest.fixture(scope="module")
def site() -> Path:
    try:
        return installed()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"thumbor cannot be installed: {error}")


@pytest.fixture(scope="module")
def address(site: Path, files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("thumbor")
    for name, body in files.items():
        (folder / name).write_bytes(body)
    with thumbor(site, folder) as running:
        yield running


@pytest.fixture(scope="module")
def outcomes(address: str, files: dict[str, bytes]) -> list[Outcome]:
    """Every row that thumbor serves, through both."""
    found = []
    for row in rows():
        status, body = fetch(f"{address}/unsafe/{row.path}")
        if status != 200:
            found.append(Outcome(row, status))
            continue
        try:
            found.append(Outcome(row, status, body, make(row.path, files)))
        except DarkroomError as error:
            found.append(Outcome(row, status, body, refusal=error.message))
    return found


def served(outcomes: list[Outcome]) -> list[Outcome]:
    return [one for one in outcomes if one.status == 200]


def test_almost_all_urls_are_served_at_the_same_size(outcomes: list[Outcome]) -> None:
    theirs = served(outcomes)
    counts = Counter(one.what for one in theirs)
    ours = counts["equal"] + counts["size"]
    print(f"\n{len(outcomes)} URLs: thumbor serves {len(theirs)}, Darkroom {ours} of these, {counts['equal']} equal")
    assert len(outcomes) >= 900
    assert counts["equal"] >= LEAST_EQUAL * len(theirs)


def test_each_row_agrees_or_differs_for_a_documented_reason(outcomes: list[Outcome]) -> None:
    other = [one for one in served(outcomes) if one.what != "equal"]
    assert [(one.row.path, one.refusal) for one in other if difference(one.what, one.row.path) is None] == []


def test_each_documented_difference_has_a_row(outcomes: list[Outcome]) -> None:
    found = {difference(one.what, one.row.path) for one in served(outcomes)}
    assert [one for one in DIFFERENCES if one.what != "look" and one not in found] == []


def test_images_of_equal_size_are_visually_equal(outcomes: list[Outcome]) -> None:
    equal = [(round(one.distance, 1), one.row.path) for one in served(outcomes) if one.what == "equal"]
    far = sorted((away, path) for away, path in equal if away > NEAR)
    print(f"\n{len(far)} rows of equal size look different:", *far, sep="\n")
    assert [entry for entry in far if difference("look", entry[1]) is None] == []
    found = {difference("look", path) for _, path in far}
    assert [one for one in DIFFERENCES if one.what == "look" and one not in found] == []


METADATA = (
    *("meta/300x200/wide.jpg", "meta/fit-in/300x200/wide.jpg", "meta/wide.jpg", "meta/0x100/wide.jpg"),
    *("meta/10x20:300x200/100x80/left/top/wide.jpg", "meta/-300x-0/wide.jpg", "meta/50x400/bottom/tall.jpg"),
    *("meta/300x100/filters:focal(10x10:60x50)/wide.jpg", "meta/full-fit-in/100x100/wide.jpg", "meta/origx50/tall.jpg"),
    *("meta/adaptive-fit-in/100x300/wide.jpg", "meta/10x10:5x5/wide.jpg", "meta/300x200/moving.gif"),
    *("meta/20x20:300x200/30x100/filters:focal(10x10:60x50):focal(100x100:150x130)/wide.jpg", "meta/1x1/wide.jpg"),
)


@pytest.mark.parametrize("path", METADATA)
def test_metadata_documents_are_equal(path: str, address: str, files: dict[str, bytes]) -> None:
    theirs = json.loads(fetch(f"{address}/unsafe/{path}")[1])
    parsed = parse(f"/unsafe/{path}", SETTINGS)
    body = render(parsed.plan, Source.from_bytes(files[parsed.plan.key]), limits=Limits()).body
    assert parsed.document is not None
    assert parsed.document(json.loads(body)) == theirs


@pytest.mark.parametrize(
    "path", ["turned.jpg", "100x0/turned.jpg", "fit-in/90x90/turned.jpg", "10x20:100x250/turned.jpg"]
)
def test_orientation_is_respected_as_it_is_configured(
    path: str, site: Path, files: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / sources.TURNED).write_bytes(files[sources.TURNED])
    for respected, settings in ((True, SETTINGS), (False, LYING)):
        with thumbor(site, tmp_path, RESPECT_ORIENTATION=respected) as running:
            assert _size(fetch(f"{running}/unsafe/{path}")[1]) == _size(make(path, files, settings))

"""Transparency in sharp, compared with the same edits as DIT URLs."""

from __future__ import annotations

import base64
import json
import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.competitors import npm
from bench.competitors.model import MissingCompetitor
from bench.competitors.node import FILES, HERE
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.dit import parse
from tests.images.rendering import Pixels, made, rgba
from tests.images.sources import cutout, saved

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("run.mjs")
IMAGE = saved(cutout(), "PNG")
GREEN = "#00ff00"
HALF = {"r": 0, "g": 255, "b": 0, "alpha": 0.5}

type Edits = list[tuple[str, Any]]

AGREES: list[tuple[Edits, float]] = [
    ([("resize", {"width": 400, "height": 240, "fit": "contain", "background": GREEN})], 1),
    ([("resize", {"width": 400, "height": 240, "fit": "contain", "background": HALF})], 1),
    ([("resize", {"width": 400, "height": 240, "fit": "contain"})], 1),
    ([("resize", {"width": 320, "height": 300, "fit": "contain", "position": "top", "background": GREEN})], 1),
    ([("extend", {"top": 5, "left": 9, "right": 2, "bottom": 3, "background": GREEN})], 0),
    ([("extend", {"top": 5, "left": 9, "right": 2, "bottom": 3, "background": HALF})], 1),
    ([("flatten", {"background": GREEN})], 1),
    ([("blur", 3)], 16),
    ([("blur", None)], 2),
    ([("negate", True)], 1),
    ([("negate", {"alpha": False})], 1),
    ([("convolve", {"width": 3, "height": 3, "kernel": [1, 2, 1, 2, 4, 2, 1, 2, 1]})], 2),
]
"""Edits, and by how much a visible value (colour times alpha, of 255) or an alpha may differ at most.

The Gaussian kernel of a blur ends later here (at 0.02 of its middle, there at 0.2)."""

DIFFERS: list[tuple[Edits, str]] = [
    ([("median", 3)], "colours that cannot be seen do not count here; at outlines they do in sharp"),
    ([("sharpen", {"sigma": 2})], "outlines of what is visible are no edges here; sharp lightens them"),
    ([("rotate", 30)], "one column more: the size is rounded up here"),
]


@pytest.fixture(scope="module")
def answers() -> dict[str, Pixels]:
    """Return sharp's results of each row's edits, by their JSON."""
    try:
        runtime, folder = npm.install("sharp", "sharp", [HERE / name for name in FILES])
    except MissingCompetitor as missing:
        pytest.skip(str(missing))
    rows = [edits for edits, _ in [*AGREES, *DIFFERS]]
    document = {"folder": str(folder), "image": base64.b64encode(IMAGE).decode(), "rows": rows}
    done = subprocess.run(
        [runtime, str(SCRIPT)], input=json.dumps(document), capture_output=True, text=True, check=True
    )
    return {json.dumps(edits): pixels_of(answer) for edits, answer in zip(rows, json.loads(done.stdout), strict=True)}


def pixels_of(answer: dict[str, Any]) -> Pixels:
    """Read the pixels of an answer as height × width × RGBA."""
    values = np.frombuffer(base64.b64decode(answer["pixels"]), np.uint8)
    return values.reshape(answer["height"], answer["width"], 4)


def ours(edits: Edits) -> Pixels:
    """Render ``edits`` by a DIT URL."""
    values = {name: True if value is None else value for name, value in edits}
    body = json.dumps({"key": "photo", "edits": values | {"png": True}})
    plan = parse(base64.b64encode(body.encode()).decode(), DialectSettings()).plan
    fields = {name: value for name in plan.__slots__ if name != "key" and (value := getattr(plan, name)) is not None}
    return rgba(made(IMAGE, **fields).body)


def distance(found: Pixels, wanted: Pixels) -> float:
    """Return the largest difference of an alpha or of a visible value; infinity for another size."""
    if found.shape != wanted.shape:
        return math.inf
    alphas = [one[..., 3:].astype(float) for one in (found, wanted)]
    shown = [one[..., :3] * alpha / 255 for one, alpha in zip((found, wanted), alphas, strict=True)]
    return float(max(np.abs(shown[0] - shown[1]).max(), np.abs(alphas[0] - alphas[1]).max()))


@pytest.mark.parametrize(("edits", "most"), AGREES, ids=json.dumps)
def test_an_edit_agrees(answers: dict[str, Pixels], edits: Edits, most: float) -> None:
    assert distance(ours(edits), answers[json.dumps(edits)]) <= most


@pytest.mark.parametrize(("edits", "reason"), DIFFERS, ids=json.dumps)
def test_an_edit_differs(answers: dict[str, Pixels], edits: Edits, reason: str) -> None:
    """Notice a reason that no longer holds."""
    assert reason
    assert distance(ours(edits), answers[json.dumps(edits)]) > 2

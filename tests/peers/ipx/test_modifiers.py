"""Modifiers of ipx, rendered by ipx and by the URLs that frontends/ipx.mjs makes of them."""

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
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.native_url import parse_url
from tests.images.photographs import photograph, turned
from tests.images.rendering import Pixels, rgba
from tests.images.sources import cutout, saved

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SCRIPT = HERE / "run.mjs"

AGREES: list[tuple[str, float]] = [
    ("w_200,f_png/photo.png", 1.5),
    ("width_200,format_png/photo.png", 1.5),
    ("h_100,f_png/photo.png", 1.5),
    ("w_200,h_50,f_png/photo.png", 1.5),
    ("w_900,f_png/photo.png", 0.5),
    ("w_600,enlarge,f_png/photo.png", 1.5),
    ("s_200x100,f_png/photo.png", 1.5),
    ("s_200,f_png/photo.png", 1.5),
    ("resize_100x200,f_png/photo.png", 1.5),
    ("s_200x100,pos_top,f_png/photo.png", 1.5),
    ("s_100x200,position_right,f_png/photo.png", 1.5),
    ("s_100x200,pos_left_top,f_png/photo.png", 1.5),
    ("s_200x100,fit_fill,f_png/photo.png", 1.5),
    ("s_200x100,fit_inside,f_png/photo.png", 1.5),
    ("s_200x100,fit_contain,f_png/photo.png", 1.5),
    ("s_200x100,fit_contain,b_ff8800,f_png/photo.png", 1.5),
    ("s_200x100,fit_contain,b_f80,f_png/photo.png", 1.5),
    ("flatten,b_00ff00,f_png/cutout.png", 1),
    ("flatten,f_png/cutout.png", 1),
    ("b_00ff00,f_png/cutout.png", 1),
    ("extract_100_50_200_100,f_png/photo.png", 0),
    ("crop_100_50_200_100,w_100,f_png/photo.png", 1.5),
    ("extend_10_20_30_40,f_png/photo.png", 0),
    ("extend_10_20_30_40,b_ff0000,f_png/photo.png", 0),
    ("flip,f_png/photo.png", 0),
    ("flop,f_png/photo.png", 0),
    ("flip,flop,w_200,f_png/photo.png", 1.5),
    ("rotate_90,f_png/photo.png", 0),
    ("rotate_180,w_200,f_png/photo.png", 1.5),
    ("rotate_270,w_200,f_png/wide.png", 1.5),
    ("rotate_90,s_100x150,f_png/wide.png", 1.5),
    ("rotate_270,flip,f_png/wide.png", 0),
    ("rotate_90,flip,flop,f_png/wide.png", 0),
    ("rotate_90,flip,f_png/wide.png", 0),
    ("rotate_90,flop,w_100,f_png/wide.png", 1.5),
    ("rotate_90,extend_10_20_30_40,f_png/wide.png", 0),
    ("blur_5,f_png/photo.png", 3),
    ("sharpen_2,f_png/photo.png", 1.5),
    ("s_600x300,f_png/photo.png", 0),
    ("grayscale,f_png/photo.png", 3),
    ("w_200&f_png/photo.png", 1.5),
    ("w:200,f=png/photo.png", 1.5),
    ("/_ipx/w_200,f_png/photo.png", 1.5),
    ("w_100,f_jpeg,q_90/photo.png", 4),
    ("w_100,f_webp,q_90/photo.png", 4),
]
"""Paths, and the mean difference of a value, of 255, up to which both images are one."""

DIFFERS: list[tuple[str, str]] = [
    ("w_200,f_png/turned.jpg", "ipx drops the EXIF orientation without applying it"),
    ("_/photo.png", "without a format Darkroom chooses one that suits the viewer, ipx keeps the source's"),
    ("s_200x100,fit_contain,b_f80,f_png/cutout.png", "Darkroom's bg fills the image's transparency too"),
    ("extend_10_20_30_40,b_ff0000,f_png/cutout.png", "Darkroom's bg fills the image's transparency too"),
]

REFUSED = [
    "gamma_2,f_png/photo.png",
    "negate,f_png/photo.png",
    "normalize,f_png/photo.png",
    "threshold_100,f_png/photo.png",
    "tint_ff0000,f_png/photo.png",
    "median_3,f_png/photo.png",
    "modulate_1.2,f_png/photo.png",
    "kernel_nearest,w_100,f_png/photo.png",
    "s_200x100,fit_outside,f_png/photo.png",
    "rotate_45,f_png/photo.png",
    "rotate_90,h_100,f_png/photo.png",
    "rotate_90,s_100x50,pos_top,f_png/photo.png",
    "w_200,f_tiff/photo.png",
    "w_200,f_heif/photo.png",
    "b_red,flatten,f_png/cutout.png",
    "w_auto,f_png/photo.png",
]
"""Modifiers without a counterpart."""


def path_of(row: str) -> str:
    return row if row.startswith("/") else f"/{row}"


def sources() -> dict[str, bytes]:
    photo = photograph()
    return {
        "photo.png": saved(photo, "PNG"),
        "wide.png": saved(photo.crop((0, 0, 512, 256)), "PNG"),
        "cutout.png": saved(cutout(), "PNG"),
        "turned.jpg": turned(photo.crop((0, 0, 512, 256)), 6),
    }


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    try:
        runtime, folder = npm.install("ipx", "ipx", [HERE / name for name in npm.LOCKED])
    except MissingCompetitor as missing:
        pytest.skip(str(missing))
    images = tmp_path_factory.mktemp("images")
    for name, body in sources().items():
        (images / name).write_bytes(body)
    rows = [*(row for row, _ in AGREES), *(row for row, _ in DIFFERS), *REFUSED]
    paths = [path_of(row).removeprefix("/_ipx") for row in rows]
    document = {"folder": str(folder), "images": str(images), "paths": paths}
    done = subprocess.run(
        [runtime, str(SCRIPT)], input=json.dumps(document), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(rows, json.loads(done.stdout), strict=True))


def theirs(answer: dict[str, Any]) -> Pixels:
    assert "data" in answer["theirs"], answer
    return rgba(base64.b64decode(answer["theirs"]["data"]))


def ours(answer: dict[str, Any]) -> Pixels:
    assert "url" in answer["ours"], answer
    plan = parse_url(answer["ours"]["url"]).plan
    return rgba(render(plan, Source.from_bytes(sources()[plan.key]), limits=Limits()).body)


def distance(one: Pixels, other: Pixels) -> float:
    """Return the mean difference of visible pixels; infinity for another size."""
    if one.shape != other.shape:
        return math.inf
    shown = [pixels.astype(float) for pixels in (one, other)]
    for pixels in shown:
        pixels[..., :3] *= pixels[..., 3:] / 255
    return float(np.abs(shown[0] - shown[1]).mean())


@pytest.mark.parametrize(("row", "most"), AGREES)
def test_a_modifier_agrees(answers: dict[str, dict[str, Any]], row: str, most: float) -> None:
    found = distance(ours(answers[row]), theirs(answers[row]))
    assert found <= most, (found, answers[row]["ours"])


@pytest.mark.parametrize(("row", "reason"), DIFFERS)
def test_a_modifier_differs(answers: dict[str, dict[str, Any]], row: str, reason: str) -> None:
    """Notice a reason that no longer holds."""
    assert reason
    assert distance(ours(answers[row]), theirs(answers[row])) > 2


@pytest.mark.parametrize("row", REFUSED)
def test_a_modifier_without_counterpart_is_refused(answers: dict[str, dict[str, Any]], row: str) -> None:
    assert "counterpart" in answers[row]["ours"].get("refused", "")

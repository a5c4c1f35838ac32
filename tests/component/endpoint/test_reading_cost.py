"""How often the networks of text run for an image."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from local import tool_venvs
from tests.images.detectors import ROOT, models_folder
from tests.images.documents import draw_columns

pytestmark = pytest.mark.slow

LINES_BOX = (0, 60, 1240, 500)
"""Eight lines of a page."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The shapes of the networks' inputs, and the lines."""

    det: list[list[int]]
    rec: list[list[int]]
    text: list[str]


@pytest.fixture
def lines_image() -> Image.Image:
    return draw_columns(1, heading=False).image.crop(LINES_BOX)


def read(image: Image.Image, folder: Path) -> Reading:
    file = folder / "image.png"
    image.save(file)
    command = [tool_venvs.python_path(tool_venvs.ENDPOINT), "-m", "tests.component.endpoint.counting"]
    layers = f"{ROOT}:{ROOT / 'layers' / 'darkroom'}:{ROOT / 'layers' / 'analysis'}"
    done = subprocess.run(
        [*command, models_folder(), file],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": layers, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return Reading(**json.loads(done.stdout.splitlines()[-1]))


def test_nothing_is_recognised_where_no_line_is_found(environment: None, tmp_path: Path) -> None:
    found = read(Image.fromarray(skimage.data.astronaut()), tmp_path)
    assert (len(found.det), found.rec, found.text) == (1, [], [])


def test_lines_are_recognised_one_by_one_without_padding(
    environment: None, lines_image: Image.Image, tmp_path: Path
) -> None:
    """On a CPU."""
    found = read(lines_image, tmp_path)
    assert len(found.det) == 1
    assert [shape[0] for shape in found.rec] == [1] * len(found.text) == [1] * 8
    assert len({shape[3] for shape in found.rec}) > 4, "each has its own width"


def test_a_page_that_is_upside_down_is_read_as_if_upright(
    environment: None, lines_image: Image.Image, tmp_path: Path
) -> None:
    """Its lines are probed before it is read once more."""
    upright = read(lines_image, tmp_path)
    turned = read(lines_image.rotate(180), tmp_path)
    assert (len(turned.det), len(turned.rec)) == (2, 3 * len(upright.rec))
    assert turned.text == upright.text


def test_an_object_is_not_looked_at_upside_down(environment: None, tmp_path: Path) -> None:
    """Its outline is taken for a letter."""
    found = read(Image.fromarray(skimage.data.horse()).convert("RGB"), tmp_path)
    assert len(found.det) == 1
    assert "".join(found.text) == ""

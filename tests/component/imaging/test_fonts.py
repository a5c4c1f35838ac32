"""Text is drawn with the fonts of the layer, and not at all without them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from darkroom.imaging.fonts import FOLDER_VARIABLE, VARIABLE, find_folders

DRAW = """
import sys
from darkroom.errors import NoFonts
from darkroom.imaging import fonts
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.overlays.language import Overlay
from darkroom.overlays.text import render_text
from darkroom.plan.geometry.layout import Size
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
fonts.PACKAGES = ()
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40"><{} y="30">Sale</{}></svg>'
def draw(source):
    render(Plan("a", format="png"), Source.from_bytes(source), limits=Limits())
def attempt(call):
    try:
        call()
    except NoFonts as error:
        return error.detail
    return "drawn"
for call in (
    lambda: render_text(Overlay("text", "Sale"), Size(200, 100)),
    lambda: draw(SVG.format("text", "text").encode()),
    lambda: draw(SVG.format("g", "g").encode()),
):
    print(attempt(call))
"""


def draw(folder: Path, home: Path) -> list[str]:
    """Draw text and SVGs in a process whose layer is ``folder``, without the packages of fonts."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment |= {
        FOLDER_VARIABLE: str(folder),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "TMPDIR": str(home),
    }
    done = subprocess.run([sys.executable, "-c", DRAW], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_text_without_fonts_is_an_error_that_names_the_layer(tmp_path: Path) -> None:
    text, svg, shapes = draw(tmp_path / "absent", tmp_path)
    assert text == svg
    assert f"no folder {tmp_path / 'absent'}" in text
    assert "add the layer of fonts" in text
    assert shapes == "drawn", "an SVG without text needs none"


def test_the_folder_of_the_layer_is_where_the_environment_says(tmp_path: Path) -> None:
    [folder, *_] = find_folders()
    assert draw(folder, tmp_path) == ["drawn"] * 3

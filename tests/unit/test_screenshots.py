"""The images of the documentation: each is linked, and each screenshot can be written again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import pyvips

from tools.screenshots import DAMAGED_EVERY, FOLDER, SCREENSHOTS, TEXT_EVERY, main, make_sample

ROOT = Path(__file__).parents[2]


def test_every_screenshot_of_the_documentation_is_one_of_the_tool() -> None:
    assert {path.stem for path in FOLDER.glob("*.png")} == set(SCREENSHOTS)


def test_every_image_is_linked() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    linked = {
        (page.parent / target).resolve()
        for page in pages
        for target in re.findall(r"\]\(([^)]*images/[^)]*)\)", page.read_text(encoding="utf-8"))
    }
    assert set(FOLDER.iterdir()) <= linked


def test_samples_are_photographs_some_of_them_damaged() -> None:
    key, body = make_sample(1)
    assert pyvips.Image.new_from_buffer(body, "").width == 496
    assert key == "trips/coffee-1.jpg"
    key, body = make_sample(DAMAGED_EVERY)
    assert "cut-off" in key
    with pytest.raises(pyvips.Error):
        pyvips.Image.new_from_buffer(body, "", fail_on="truncated").avg()
    assert make_sample(TEXT_EVERY)[0].endswith(".txt")


@pytest.mark.parametrize("words", [["--state-dir", "/nowhere"], ["nothing"]])
def test_an_unusable_argument_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert capsys.readouterr().err.splitlines()[-1].startswith("python -m tools.screenshots: error: ")

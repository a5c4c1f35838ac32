"""Screenshots of the documentation."""

from __future__ import annotations

from tools.screenshots import FOLDER, SCREENSHOTS, make_sample


def test_each_screenshot_is_one_of_the_documentation() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in FOLDER.parent.rglob("*.md"))
    for name in SCREENSHOTS:
        assert (FOLDER / f"{name}.png").is_file(), name
        assert f"images/{name}.png" in pages, name


def test_samples_are_images_of_their_own_some_damaged() -> None:
    bodies = dict(map(make_sample, (1, 7, 20)))
    assert list(bodies) == [
        "trips/coffee-1.jpg",
        "trips/rocket-cut-off-7.jpg",
        "trips/notes-20.txt",
    ]
    assert len(set(bodies.values())) == 3

"""Places in a sheet of turned, stretched and reduced copies are those of the image."""

from __future__ import annotations

import numpy as np
import pytest

from darkroom.findings import FACES as TASK
from darkroom.findings import Face, Region
from darkroom_analysis.models import face_sheet
from darkroom_analysis.models.face_sheet import COLUMNS, COPIES, MIN_SCORE, TILE_PX, locate_faces, make_sheet
from tests.images.detectors import overlap, pixels, small_models
from tests.images.people import FACES, image_of_faces

MARK = Region(0.55, 0.2, 0.25, 0.3)


def marked(width: int, height: int) -> np.ndarray:
    """Return a black image with a white rectangle at MARK."""
    image = np.zeros((height, width, 3), np.uint8)
    left, top = round(MARK.left * width), round(MARK.top * height)
    image[top : top + round(MARK.height * height), left : left + round(MARK.width * width)] = 255
    return image


def test_an_image_is_reduced_once_for_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    fit, sizes = face_sheet.fit, list[int]()
    monkeypatch.setattr(face_sheet, "fit", lambda image, side_px: (sizes.append(side_px), fit(image, side_px))[1])
    make_sheet(marked(400, 300))
    assert sorted(sizes) == sorted({copy.side_px for copy in COPIES})


@pytest.mark.parametrize("size", [(400, 400), (600, 300), (250, 640)])
def test_a_place_in_each_copy_is_that_in_the_image(size: tuple[int, int]) -> None:
    """A slanted box reaches beyond it, a pixel of the smallest copies is some 3 %."""
    image = marked(*size)
    sheet = make_sheet(image)
    for number, copy in enumerate(COPIES):
        row, column = divmod(number, COLUMNS)
        tile = sheet[row * TILE_PX : (row + 1) * TILE_PX, column * TILE_PX : (column + 1) * TILE_PX]
        down, across = np.where(tile[:, :, 0] > 200)
        sides = (float(np.ptp(across)) + 1, float(np.ptp(down)) + 1)
        places = (column * TILE_PX + float(across.min()), row * TILE_PX + float(down.min()), *sides)
        found = Region(*(place / len(sheet) for place in places))
        [face] = locate_faces([Face(found, 0.9)], image)
        assert overlap(face.region, MARK) > (0.15 if copy.degrees % 90 else 0.75), copy
        assert face.region.left <= MARK.left + 0.04, copy
        assert face.region.top <= MARK.top + 0.04, copy
        assert face.region.left + face.region.width >= MARK.left + MARK.width - 0.04, copy
        assert face.region.top + face.region.height >= MARK.top + MARK.height - 0.04, copy


def test_a_face_in_several_copies_is_one_and_a_doubtful_one_none() -> None:
    image = marked(400, 400)
    side = 1 / COLUMNS
    first, turned = Region(0.1, 0.08, 0.05, 0.05), Region(0.1 + 2 * side, 0.08, 0.05, 0.05)
    assert len(locate_faces([Face(first, 0.6), Face(first, 0.9)], image)) == 1
    assert len(locate_faces([Face(first, 0.9), Face(turned, 0.8)], image)) == 2
    assert locate_faces([Face(first, MIN_SCORE - 0.01)], image) == ()


@pytest.mark.never_skips
@pytest.mark.slow
@pytest.mark.parametrize(("zoom", "degrees"), [(1.6, 90), (1.6, 270), (1.1, 180), (0.8, 180)])
def test_a_face_that_fills_a_turned_image_is_found(zoom: float, degrees: int) -> None:
    """The model finds none of these at the size of the image."""
    astronaut, [face] = image_of_faces("astronaut"), FACES["astronaut"]
    x, y = ((face.left + face.width / 2) * astronaut.width, (face.top + face.height / 2) * astronaut.height)
    across, down = face.width * astronaut.width * zoom / 2, face.height * astronaut.height * zoom / 2
    box = (round(x - across), round(y - down), round(x + across), round(y + down))
    image = astronaut.crop(box).resize((480, 640)).rotate(degrees, expand=True)
    found = small_models().detect(pixels(image), [TASK])[TASK].faces
    share = min(1.0, 1 / zoom)
    assert max(overlap(one.region, Region(0.5 - share / 2, 0.5 - share / 2, share, share)) for one in found) > 0.25

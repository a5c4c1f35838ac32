"""Nine-patch frames and red eyes, in pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from darkroom.errors import DarkroomError
from darkroom.findings import Region
from darkroom.plan.model import Watermark
from tests.images.findings import known
from tests.images.rendering import frames, made, opened, rgba, seen
from tests.images.sources import cutout, photo, saved

from .test_animation import moving

RED, BLUE, CLEAR, BLACK = (255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0), (0, 0, 0, 255)
PHOTO = saved(photo(), "PNG")
FRAMED: dict[str, Any] = {"watermark": Watermark("frame"), "nine_patch": True}


def nine_patch(*, room: tuple[int, int] = (0, 0), corner: int = 4, side: int = 12) -> bytes:
    """Red corners, blue edges, nothing in the middle, which is stretched; ``room`` at the left and at the top."""
    image = Image.new("RGBA", (side + 2, side + 2), CLEAR)
    draw = ImageDraw.Draw(image)
    draw.rectangle((1, 1, side, side), fill=BLUE)
    for x in (1, side + 1 - corner):
        for y in (1, side + 1 - corner):
            draw.rectangle((x, y, x + corner - 1, y + corner - 1), fill=RED)
    draw.rectangle((1 + corner, 1 + corner, side - corner, side - corner), fill=CLEAR)
    draw.line((1 + corner, 0, side - corner, 0), fill=BLACK)
    draw.line((0, 1 + corner, 0, side - corner), fill=BLACK)
    draw.line((1 + room[0], side + 1, side, side + 1), fill=BLACK)
    draw.line((side + 1, 1 + room[1], side + 1, side), fill=BLACK)
    return saved(image, "PNG")


def test_corners_keep_their_size_and_edges_are_stretched() -> None:
    image = seen(made(PHOTO, mark=nine_patch(), **FRAMED).body)
    expected = np.asarray(photo()).copy()
    height, width = expected.shape[:2]
    for lines, columns in ((slice(0, 4), slice(None)), (slice(height - 4, None), slice(None))):
        expected[lines, columns] = BLUE[:3]
    expected[:, :4] = expected[:, width - 4 :] = BLUE[:3]
    for lines in (slice(0, 4), slice(height - 4, None)):
        expected[lines, :4] = expected[lines, width - 4 :] = RED[:3]
    inner = (slice(5, -5), slice(5, -5))
    assert np.abs(image[inner].astype(int) - expected[inner]).max() == 0
    assert (image[:4, :4] == RED[:3]).all()
    assert (image[-4:, -4:] == RED[:3]).all()
    assert (image[:3, 6:-6] == BLUE[:3]).all()
    assert (image[6:-6, -3:] == BLUE[:3]).all()


def test_a_frame_with_room_makes_the_image_grow_by_white_margins() -> None:
    image = made(PHOTO, mark=nine_patch(room=(5, 7)), **FRAMED)
    found, before = seen(image.body), np.asarray(photo())
    assert (image.width, image.height) == (before.shape[1] + 5, before.shape[0] + 7) == found.shape[1::-1]
    assert (found[7:-5, 5:-5] == before[:-5, :-5]).all()
    assert (found[5:7, 20:40] == 255).all()


def test_it_goes_around_what_the_rest_of_the_plan_makes() -> None:
    image = made(PHOTO, mark=nine_patch(), width=100, height=100, fit="letterbox", background="00ff00", **FRAMED)
    found = seen(image.body)
    assert found.shape[:2] == (100, 100)
    assert (found[0, 0] == RED[:3]).all()
    assert (found[6, 50] == (0, 255, 0)).all()


def test_an_image_smaller_than_its_corners_is_filled_by_them() -> None:
    found = seen(made(PHOTO, mark=nine_patch(corner=40, side=100), width=60, height=45, fit="fill", **FRAMED).body)
    assert found.shape[:2] == (45, 60)
    assert (found == RED[:3]).all()


def test_what_is_transparent_stays_so() -> None:
    image = rgba(made(saved(cutout(), "PNG"), mark=nine_patch(), **FRAMED).body)
    own = np.asarray(cutout().convert("RGBA"))
    assert (image[6:-6, 6:-6, 3] == own[6:-6, 6:-6, 3]).all()
    assert (image[0, 0] == RED).all()


def test_every_frame_of_an_animation_has_it() -> None:
    shown = frames(made(moving(), mark=nine_patch(), format="webp", **FRAMED).body)
    assert len(shown) > 1
    assert all(abs(frame[1, 1].astype(int) - RED).max() < 40 for frame in shown)


@pytest.mark.parametrize("mark", [b"no image", saved(Image.new("RGBA", (2100, 40), RED), "PNG")])
def test_what_is_no_frame_is_our_fault(mark: bytes) -> None:
    with pytest.raises(DarkroomError) as raised:
        made(PHOTO, mark=mark, **FRAMED)
    assert raised.value.status == 500


FACE = Region(0.25, 0.25, 0.25, 0.5)
SKIN, LIT, GREY = (200, 150, 130), (220, 40, 60), (50, 50, 50)


def portrait() -> Image.Image:
    """A face at ``FACE`` whose eyes are lit, with a red mouth, and red beside it."""
    image = Image.new("RGB", (400, 200), SKIN)
    draw = ImageDraw.Draw(image)
    for x in (130, 170):
        draw.ellipse((x - 4, 92 - 4, x + 4, 92 + 4), fill=LIT)
    draw.rectangle((140, 125, 160, 132), fill=LIT)
    draw.rectangle((300, 80, 320, 100), fill=LIT)
    return image


def test_lit_eyes_become_grey_and_nothing_else_does() -> None:
    source = saved(portrait(), "PNG")
    found = seen(made(source, known=known(FACE), red_eye=True).body)
    before = np.asarray(portrait())
    changed = (found != before).any(axis=2)
    assert (found[changed] == GREY).all()
    assert (changed == ((before == LIT).all(axis=2) & (np.arange(200)[:, None] < 110) & (np.arange(400) < 200))).all()


def test_they_are_found_in_a_smaller_turned_and_transparent_image() -> None:
    source = saved(portrait().convert("RGBA"), "PNG")
    found = rgba(made(source, known=known(FACE), red_eye=True, width=100, height=200, rotate=90).body)
    assert found.shape[:2] == (200, 100)
    assert abs(found[65, 100 - 46].astype(int) - (*GREY, 255)).max() < 12
    assert abs(found[155, 100 - 45].astype(int) - (*LIT, 255)).max() < 12, "that beside it"


def test_without_a_face_nothing_is_done() -> None:
    source = saved(portrait(), "PNG")
    assert (seen(made(source, red_eye=True).body) == np.asarray(portrait())).all()
    assert opened(made(source, known=known(), red_eye=True).body).size == (400, 200)

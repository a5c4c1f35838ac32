"""Covers that keep faces, pixel by pixel."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from darkroom.findings import OBJECTS, TEXT, DetectedObject, Finding, Findings, Region, TextLine
from darkroom.plan.model import Crop, Gravity
from tests.component.imaging.test_gainmap import gain_map, ultra_hdr
from tests.images.findings import known
from tests.images.photographs import turned
from tests.images.rendering import frames, made, opened, seen
from tests.images.sources import photo, saved


def marked(orientation: int = 1) -> bytes:
    """The photograph with a lime rectangle for a face, at the right of it."""
    image = photo()
    image.paste((0, 255, 0), (270, 100, 300, 140))
    return saved(image, "PNG") if orientation == 1 else turned(image, orientation)


MARK = Region(270 / 320, 100 / 240, 30 / 320, 40 / 240)


def lime(body: bytes) -> tuple[int, int]:
    """Columns and rows that have a lime pixel."""
    pixels = seen(body).astype(int)
    where = np.argwhere((pixels[..., 1] > 200) & (pixels[..., 0] < 60) & (pixels[..., 2] < 60))
    if not len(where):
        return 0, 0
    return int(np.ptp(where[:, 1])) + 1, int(np.ptp(where[:, 0])) + 1


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"width": 80, "height": 240}, (30, 40)),
        ({"width": 320, "height": 60}, (30, 40)),
        ({"width": 40, "height": 120}, (15, 20)),
        ({"width": 40, "height": 120, "rotate": 180}, (15, 20)),
        ({"width": 120, "height": 40, "rotate": 90}, (20, 15)),
        ({"width": 60, "height": 140, "crop": Crop("px", 100, 80, 220, 140)}, (30, 40)),
        ({"width": 160, "height": 480, "upscale": True}, (60, 80)),
    ],
)
def test_a_face_is_kept_whole(options: dict[str, Any], shown: tuple[int, int]) -> None:
    body = made(marked(), known=known(MARK), fit="cover", gravity=Gravity("face"), **options).body
    assert [abs(is_px - was_px) <= 2 for is_px, was_px in zip(lime(body), shown, strict=True)] == [True, True]


@pytest.mark.parametrize("orientation", [6, 8])
def test_a_face_is_kept_in_an_image_that_is_stored_turned(orientation: int) -> None:
    options: dict[str, Any] = {"width": 80, "height": 240, "fit": "cover", "gravity": Gravity("face")}
    body = made(marked(orientation), known=known(MARK), **options).body
    assert lime(body)[0] >= 28


def test_a_face_is_kept_where_trim_has_cut() -> None:
    image = Image.new("RGB", (520, 440), "white")
    image.paste(opened(marked()), (100, 100))
    face = Region(370 / 520, 200 / 440, 30 / 520, 40 / 440)
    options: dict[str, Any] = {"width": 80, "height": 240, "fit": "cover", "gravity": Gravity("face"), "trim": 10}
    assert lime(made(saved(image, "PNG"), known=known(face), **options).body)[0] >= 29


@pytest.mark.parametrize("found", [None, known(), known(faces="unreadable")])
def test_without_a_face_the_most_striking_part_is_kept(found: Findings | None) -> None:
    options: dict[str, Any] = {"width": 80, "height": 240, "fit": "cover"}
    face = made(marked(), known=found, gravity=Gravity("face"), **options).body
    assert face == made(marked(), gravity=Gravity("attention"), **options).body


def test_every_frame_is_cut_alike() -> None:
    gif = io.BytesIO()
    opened(marked()).save(gif, "GIF", save_all=True, append_images=[photo()], duration=100)
    options: dict[str, Any] = {"width": 80, "height": 240, "fit": "cover", "gravity": Gravity("face")}
    found = frames(made(gif.getvalue(), format="webp", known=known(MARK), **options).body)
    assert [frame.shape for frame in found] == [(240, 80, 4)] * 2


def test_a_gain_map_is_cut_with_the_faces() -> None:
    options: dict[str, Any] = {"width": 100, "height": 100, "fit": "cover", "gravity": Gravity("face"), "findings": "1"}
    assert gain_map(made(ultra_hdr(), format="jpeg", known=known(MARK), **options).body)


@pytest.mark.parametrize("gravity", [Gravity("text"), Gravity("obj", label="mark")])
def test_a_crop_keeps_text_and_objects_as_it_keeps_faces(gravity: Gravity) -> None:
    left, top, width, height = MARK
    corners = ((left, top), (left + width, top), (left + width, top + height), (left, top + height))
    found = {
        TEXT: Finding(TEXT, "m", "1", lines=(TextLine(corners, "mark", 0.9),)),
        OBJECTS: Finding(OBJECTS, "m", "1", objects=(DetectedObject("mark", MARK, 0.9),), classes=("mark",)),
    }
    options: dict[str, Any] = {"width": 80, "height": 240, "fit": "cover", "format": "png"}
    assert lime(made(marked(), known=Findings("1", "etag", found), gravity=gravity, **options).body) == (30, 40)
    nothing = made(marked(), known=Findings("1", "etag", {}), gravity=Gravity("center"), **options).body
    assert lime(nothing) == (0, 0)

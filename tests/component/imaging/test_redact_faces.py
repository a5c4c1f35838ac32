"""Redact real faces with known boxes; the detector that found them no longer finds them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from darkroom.findings import FACES as TASK
from darkroom.findings import Findings, Region
from darkroom.plan.model import Crop, Gravity
from tests.images.detectors import pixels, small_models
from tests.images.people import FACES, IMAGES, image_of_faces
from tests.images.rendering import Pixels, made, opened, seen
from tests.images.sources import saved

pytestmark = pytest.mark.never_skips

CROWDS_OF_CORPUS = [pytest.param(name, marks=pytest.mark.slow) for name in ("people/street.jpg",) if name in FACES]


@cache
def source(name: str) -> bytes:
    return saved(image_of_faces(name), "PNG", compress_level=1)


@cache
def known(name: str) -> Findings:
    """The detector's findings in the image, in the form of a sidecar."""
    return Findings("1", "etag", small_models().detect(pixels(image_of_faces(name)), [TASK]))


def redacted(name: str, **options: Any) -> bytes:
    return made(source(name), known=known(name), redact="faces", **options).body


@cache
def redacted_whole(name: str) -> Pixels:
    return seen(redacted(name))


@cache
def found_in(body: bytes) -> list[Region]:
    """Detect faces at the detector's own threshold."""
    found = small_models().detect(pixels(opened(body)), [TASK])[TASK].faces
    return [face.region for face in found]


def around(face: Region, factor: float) -> Crop:
    """The part of the image around the face that is ``factor`` times as wide and high, up to the edges."""
    edges = []
    for start, length in ((face.left, face.width), (face.top, face.height)):
        middle = start + length / 2
        first, last = max(0.0, middle - factor * length / 2), min(1.0, middle + factor * length / 2)
        edges.append((round(first * 100, 2), round(last * 100, 2)))
    (left, right), (top, bottom) = edges
    return Crop("pct", left, top, round(right - left, 2), round(bottom - top, 2))


def within(face: Region, crop: Crop) -> Region:
    """Convert ``face`` to fractions of the area of ``crop``."""
    wide, tall = crop.width / 100, crop.height / 100
    left, top = (face.left - crop.x / 100) / wide, (face.top - crop.y / 100) / tall
    return Region(left, top, face.width / wide, face.height / tall)


def about(found: Region, face: Region) -> bool:
    """Whether the middle of ``found`` is nearer to the middle of ``face`` than its sides are long."""
    across = found.left + found.width / 2 - face.left - face.width / 2
    down = found.top + found.height / 2 - face.top - face.height / 2
    return abs(across) < face.width and abs(down) < face.height


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", IMAGES)
def test_no_pixel_of_a_marked_face_is_left(name: str) -> None:
    """All of it is black, so that nothing can be recognised, enlarged or sharpened."""
    image = redacted_whole(name)
    height, width = image.shape[:2]
    for face in FACES[name]:
        rows = slice(int(face.top * height), int((face.top + face.height) * height))
        columns = slice(int(face.left * width), int((face.left + face.width) * width))
        assert not image[rows, columns].any(), face


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jpeg", "webp", "png"])
@pytest.mark.parametrize("name", IMAGES)
def test_the_detector_finds_no_face_at_any_size(name: str, form: str) -> None:
    for width in (100, 320, 800, 2560):
        assert found_in(redacted(name, width=width, format=form)) == [], width


@pytest.mark.sample(45)
@pytest.mark.parametrize("factor", [1.5, 5.0])
@pytest.mark.parametrize("name", IMAGES)
def test_nor_in_a_crop_onto_a_face(name: str, factor: float) -> None:
    largest = sorted(FACES[name], key=lambda face: face.width * face.height, reverse=True)[:4]
    for face in largest:
        crop = around(face, factor)
        found = found_in(redacted(name, crop=crop, width=480, upscale=True, format="jpeg"))
        left = [within(other, crop) for other in FACES[name]]
        assert [region for region in found if any(about(region, other) for other in left)] == [], face


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"format": "avif", "width": 640},
        {"format": "jpeg", "width": 400, "quality": 10},
        {"blur": 3.0, "width": 500},
        {"sharpen": 4.0, "width": 500},
        {"equalise": True, "width": 500},
        {"brightness": 80, "gamma": 3.0, "width": 500},
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("name", ["crowd", "astronaut", *CROWDS_OF_CORPUS])
def test_nor_by_the_worst_encoder_or_any_effect(name: str, options: dict[str, Any]) -> None:
    found = found_in(redacted(name, **options))
    assert [region for region in found if any(about(region, face) for face in FACES[name])] == []


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"rotate": 90}, {"rotate": 180}, {"flip": "h"}, {"rotate": 270, "flip": "h"}])
@pytest.mark.parametrize("name", IMAGES)
def test_a_turned_image_is_the_redacted_one_turned(name: str, options: dict[str, Any]) -> None:
    expected = np.rot90(redacted_whole(name), -options.get("rotate", 0) // 90)
    turned = seen(redacted(name, **options))
    assert (turned == (np.fliplr(expected) if "flip" in options else expected)).all()


def test_what_is_found_without_redaction() -> None:
    """So that the tests above could fail."""
    body = made(source("astronaut"), width=320, format="jpeg").body
    assert len(found_in(body)) == 1


COVERS: list[Any] = [
    ("group", (400, 400), 3),
    ("group", (300, 500), 2),
    ("group", (640, 200), 2),
    ("speaker", (300, 500), 1),
    ("speaker", (640, 200), 1),
    ("portrait", (400, 400), 1),
    ("astronaut", (640, 200), 1),
    ("astronaut", (200, 640), 1),
]
COVERS_OF_CORPUS = [
    ("people/two-men.jpg", (400, 400), 3),
    ("people/two-men.jpg", (300, 500), 2),
    ("people/two-men.jpg", (640, 200), 2),
    ("people/speaker.jpg", (300, 500), 1),
    ("people/speaker.jpg", (640, 200), 1),
    ("people/portrait.jpg", (400, 400), 1),
]
COVERS += [pytest.param(*case, marks=pytest.mark.slow) for case in COVERS_OF_CORPUS if case[0] in FACES]


@pytest.mark.sample(3)
@pytest.mark.parametrize(("name", "size", "kept"), COVERS)
def test_a_cover_by_faces_keeps_those_that_fit(name: str, size: tuple[int, int], kept: int) -> None:
    """They are found again in the cover, whole."""
    width, height = size
    options: dict[str, Any] = {"width": width, "height": height, "fit": "cover", "gravity": Gravity("face")}
    faces = found_in(made(source(name), known=known(name), **options).body)
    whole = [face for face in faces if min(face[:2]) > 0 and face.left + face.width < 1 and face.top + face.height < 1]
    assert len(whole) == len(faces) == kept

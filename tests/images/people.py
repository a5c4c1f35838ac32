"""Images of people with marked faces: composed from photographs of scikit-image and of the corpus."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from math import cos, hypot, radians, sin
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from darkroom.findings import Region
from local.golden import label_samples
from tests.corpus import CORPUS

from .photographs import photograph

EDGE_PX = 2
"""Blur of the edge between a pasted head and its background."""

CROWD = (1, 2, 3, 8, 12, 33, 15, 17, 18, 20, 21, 22, 23, 25, 27, 31, 32, 36, 37)
"""Frontal faces of ``lfw_subset`` without deep shadows."""

PACKAGED = ("astronaut", "camera")
"""Photographs of scikit-image with a face."""

MARKED = Path(__file__).parents[1] / "cases" / "faces.toml"
"""Faces of the corpus."""

type Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Head:
    """A head in a photograph: ``outline`` is an ellipse's box, ``face`` reaches from the hairline to the chin."""

    image: Image.Image
    outline: Box
    face: Box


class Placement(NamedTuple):
    """The placement of a face: its centre and height in pixels, then changes of the head."""

    x: float
    y: float
    height_px: float
    degrees: float = 0
    mirrored: bool = False
    brightness: float = 1.0


@cache
def composed() -> dict[str, tuple[Image.Image, list[Region]]]:
    """Return every composed image in RGB, with the boxes of its faces, by name."""
    return {
        "portrait": crop_portrait(),
        "speaker": compose_speaker(),
        "group": compose_group(),
        "crowd": compose_crowd(),
    }


def crop_portrait() -> tuple[Image.Image, list[Region]]:
    """Crop the astronaut so closely that the face takes a fifth of the image."""
    left, top, width, height = 77, 12, 322, 206
    image = photograph().crop((left, top, left + width, top + height)).resize((320, 205), Image.Resampling.LANCZOS)
    x, y, right, bottom = astronaut().face
    return image, [Region((x - left) / width, (y - top) / height, (right - x) / width, (bottom - y) / height)]


def compose_speaker() -> tuple[Image.Image, list[Region]]:
    """Paste one small head into a wide image."""
    image = open_packaged("coffee", (450, 300))
    return image, [paste(image, astronaut(), Placement(244, 66, 42, degrees=-6, mirrored=True))]


def compose_group() -> tuple[Image.Image, list[Region]]:
    """Paste two large heads side by side, and a smaller one in the corner."""
    image = open_packaged("coffee", (448, 320)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image, [
        paste(image, astronaut(), Placement(193, 116, 63, degrees=5)),
        paste(image, passer_by(7), Placement(277, 108, 58)),
        paste(image, astronaut(), Placement(386, 252, 45, degrees=-8, mirrored=True, brightness=0.75)),
    ]


def compose_crowd() -> tuple[Image.Image, list[Region]]:
    """Paste twenty heads of different people, 24 to 64 px high, some of them tilted, mirrored, dark or bright."""
    image, random = open_packaged("grass", (720, 480)), Random(5)
    heads = [astronaut(), *(passer_by(number) for number in CROWD)]
    faces = []
    for place, head in enumerate(heads):
        row, column = divmod(place, 5)
        placement = Placement(
            x=72 + 144 * column + random.uniform(-14, 14),
            y=54 + 122 * row + random.uniform(-12, 12),
            height_px=24 + 40 * ((7 * place) % 20) / 19,
            degrees=random.uniform(-15, 15),
            mirrored=place % 2 == 1,
            brightness=random.uniform(0.8, 1.25),
        )
        faces.append(paste(image, head, placement))
    return image, faces


@cache
def astronaut() -> Head:
    """The head in scikit-image's photograph of an astronaut, which NASA put into the public domain."""
    return Head(photograph(), outline=(142, 4, 312, 204), face=(179.2, 53.8, 273.9, 184.3))


@cache
def passer_by(number: int) -> Head:
    """One of the hundred faces of scikit-image's ``lfw_subset``, which are 25 px wide and grey."""
    from skimage import data

    grey = (data.lfw_subset()[number] * 255).astype(np.uint8)
    image = Image.fromarray(grey).resize((100, 100), Image.Resampling.BICUBIC).convert("RGB")
    return Head(image, outline=(-8, -20, 108, 120), face=(14, 2, 86, 98))


def open_packaged(name: str, size: tuple[int, int]) -> Image.Image:
    """Return one of scikit-image's photographs in RGB at ``size``."""
    from skimage import data

    return Image.fromarray(getattr(data, name)()).convert("RGB").resize(size, Image.Resampling.LANCZOS)


def paste(image: Image.Image, head: Head, placement: Placement) -> Region:
    """Paste ``head`` into ``image``, and return where its face lies then, in fractions of the image."""
    left, top, right, bottom = head.face
    scale = (bottom - top) / placement.height_px
    turn, mirror = radians(placement.degrees), -1 if placement.mirrored else 1
    a, b = cos(turn) * scale * mirror, sin(turn) * scale * mirror
    d, e = -sin(turn) * scale, cos(turn) * scale
    c = (left + right) / 2 - a * placement.x - b * placement.y
    f = (top + bottom) / 2 - d * placement.x - e * placement.y
    mask = Image.new("L", head.image.size, 0)
    ImageDraw.Draw(mask).ellipse(head.outline, fill=255)
    affine, matrix = Image.Transform.AFFINE, (a, b, c, d, e, f)
    # An affine transform takes four source pixels for each one, so a head that shrinks is blurred before.
    sharp = head.image.filter(ImageFilter.GaussianBlur(max(0.0, (scale - 1) / 2)))
    moved = sharp.transform(image.size, affine, matrix, Image.Resampling.BICUBIC)
    cover = mask.transform(image.size, affine, matrix, Image.Resampling.BILINEAR)
    cover = cover.filter(ImageFilter.GaussianBlur(EDGE_PX))
    image.paste(ImageEnhance.Brightness(moved).enhance(placement.brightness), (0, 0), cover)
    return surround((right - left) / scale, placement, image.size)


def surround(width_px: float, placement: Placement, size: tuple[int, int]) -> Region:
    """Return the upright box around an ellipse of a placed face."""
    turn, half_width, half_height = radians(placement.degrees), width_px / 2, placement.height_px / 2
    across = hypot(half_width * cos(turn), half_height * sin(turn))
    down = hypot(half_width * sin(turn), half_height * cos(turn))
    left, top = (placement.x - across) / size[0], (placement.y - down) / size[1]
    return Region(left, top, 2 * across / size[0], 2 * down / size[1])


def mark_faces() -> dict[str, list[Region]]:
    """Return where the faces are, by image, of every image that is present."""
    packaged = {golden.key.removesuffix(".png"): list(golden.faces or ()) for golden in label_samples()}
    corpus = tomllib.loads(MARKED.read_text(encoding="utf-8"))
    return (
        {name: packaged[name] for name in PACKAGED}
        | {name: faces for name, (_, faces) in composed().items()}
        | {name: [Region(*box) for box in boxes] for name, boxes in corpus.items() if (CORPUS / name).is_file()}
    )


FACES = mark_faces()
"""Tests that take their images from it never skip: an image of a corpus that is absent is not in it."""

IMAGES = [
    name if name in PACKAGED or name in composed() else pytest.param(name, marks=pytest.mark.slow) for name in FACES
]
"""The same for ``parametrize``; those of the corpus are slow, since composed ones check the same."""


def image_of_faces(name: str) -> Image.Image:
    """Return an image of :data:`FACES` in RGB, a new one each time."""
    if name in PACKAGED:
        return open_packaged(name, (512, 512))
    if name in composed():
        return composed()[name][0].copy()
    return Image.open(CORPUS / name).convert("RGB")

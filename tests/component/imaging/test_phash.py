"""The perceptual hash: equal for copies, different for other images."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageDraw, ImageFilter
from scipy.fft import dct
from skimage import data

from darkroom.imaging.hashes import compute_perceptual_hash
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.aws.vectors.packing import hamming_distance
from darkroom_pipeline.imaging.render_many import decode_once
from tests.images.photographs import turned
from tests.images.sources import cutout, saved

NAMES = ("astronaut", "coffee", "chelsea", "rocket", "camera", "moon", "coins", "grass", "gravel", "text")
COPY = 6
"""Bits in which copies differ at most."""
UNRELATED = 18
"""Bits in which other images differ at least."""


def load_photograph(name: str) -> Image.Image:
    return Image.fromarray(getattr(data, name)()).convert("RGB")


def hashed(body: bytes) -> str:
    return decode_once(Source.from_bytes(body), [], limits=Limits()).perceptual_hash


@cache
def whole(name: str) -> str:
    return hashed(saved(load_photograph(name), "PNG"))


@pytest.mark.sample(12)
@pytest.mark.parametrize("name", NAMES)
def test_copies_are_near(name: str) -> None:
    image = load_photograph(name)
    copies = {
        "worse": saved(image, "JPEG", quality=30),
        "worst": saved(image, "WEBP", quality=20),
        "smaller": saved(image.resize((image.width // 3, image.height // 3)), "PNG"),
        "larger": saved(image.resize((image.width * 2, image.height * 2)), "JPEG"),
        "flatter": saved(image.resize((image.width, image.height * 9 // 10)), "PNG"),
        "blurred": saved(image.filter(ImageFilter.GaussianBlur(2)), "PNG"),
        "brighter": saved(image.point([min(255, round(value * 1.15)) for value in range(256)] * 3), "PNG"),
        "grey": saved(image.convert("L"), "PNG"),
        "stored turned": turned(image, 6),
        "turned the other way": turned(image, 8),
    }
    assert {
        what: gap for what, body in copies.items() if (gap := hamming_distance(hashed(body), whole(name))) > COPY
    } == {}


@pytest.mark.slow
def test_others_are_far() -> None:
    near = {(a, b): hamming_distance(whole(a), whole(b)) for a, b in combinations(NAMES, 2)}
    assert min(near.values()) >= UNRELATED, min(near, key=lambda pair: near[pair])
    mirrored = hashed(saved(load_photograph("astronaut").transpose(Image.Transpose.FLIP_LEFT_RIGHT), "PNG"))
    assert hamming_distance(mirrored, whole("astronaut")) >= UNRELATED


def test_it_is_the_formula() -> None:
    """The same by SciPy's transform, on an image of 32 × 32, which nothing resizes."""
    pixels = np.asarray(load_photograph("rocket").resize((32, 32)))
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    lowest = dct(dct(luma, axis=0), axis=1)[:8, :8]
    bits = (lowest > np.median(lowest)).ravel()
    image = pyvips.Image.new_from_array(pixels).copy(interpretation="srgb")
    assert compute_perceptual_hash(image) == f"{int(''.join(str(int(bit)) for bit in bits), 2):016x}"


def test_what_is_transparent_shows_white() -> None:
    flat = Image.alpha_composite(Image.new("RGBA", cutout().size, "white"), cutout()).convert("RGB")
    assert hamming_distance(hashed(saved(cutout(), "PNG")), hashed(saved(flat, "PNG"))) <= COPY


@pytest.mark.parametrize("colour", ["white", "black", (12, 200, 90)])
def test_a_flat_image_has_the_flat_hash(colour: str | tuple[int, int, int]) -> None:
    wanted = "0" * 16 if colour == "black" else "8" + "0" * 15
    assert hashed(saved(Image.new("RGB", (70, 50), colour), "PNG")) == wanted


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 5)])
def test_every_size_has_one(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).point((0, 0), "red")
    assert int(hashed(saved(image, "PNG")), 16) >= 0


def test_distance_counts_bits() -> None:
    assert hamming_distance("0" * 16, "f" * 16) == 64
    assert hamming_distance("8000000000000001", "0000000000000003") == 2

"""The comparator of encoded images against the SSIMULACRA2 reference."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
import pyvips
from PIL import Image

from bench.quality import decode_pixels
from bench.ssimulacra2 import Original
from darkroom.imaging.quality.ssimulacra2 import MIN_SIDE_PX, Comparator
from tests.images.photographs import photograph
from tests.images.sources import cutout, saved

OFF_BY = 1.3
"""The largest difference from SSIMULACRA2 for these images. Over 66 others it is 0.3 for WebP, 0.5 for JPEG and 0.6 for
AVIF (root mean square) at scores from 55 to 92: the full size is compared by a third of its lines, and 16 of 108
features stand for all."""


def opened(image: Image.Image) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(saved(image, "PNG"), "")


@cache
def images() -> dict[str, Image.Image]:
    """Of different sizes, one of them with odd sides."""
    whole = photograph().convert("RGB")
    grey = Image.merge("RGB", [whole.convert("L")] * 3)
    gradient = Image.merge(
        "RGB", [Image.linear_gradient("L"), Image.radial_gradient("L"), Image.new("L", (256, 256), 90)]
    )
    return {
        "whole": whole,
        "odd": whole.crop((10, 20, 341, 277)),
        "grey": grey.crop((0, 0, 320, 240)),
        "gradient": gradient.resize((400, 300)),
    }


@pytest.mark.slow
@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
@pytest.mark.parametrize("quality", [30, 60, 80, 92])
@pytest.mark.parametrize("name", images())
def test_it_agrees_with_ssimulacra2(name: str, quality: int, form: str) -> None:
    image = images()[name]
    body = saved(image, form, quality=quality)
    wanted = Original(np.asarray(image)).score(decode_pixels(body))
    assert Comparator(opened(image)).score(body) == pytest.approx(wanted, abs=OFF_BY)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("name", ["whole", "odd", "grey"])
def test_more_quality_never_scores_lower(name: str, form: str) -> None:
    image = images()[name]
    comparator = Comparator(opened(image))
    scores = [comparator.score(saved(image, form, quality=quality)) for quality in (20, 40, 60, 75, 90)]
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] > 15


def test_an_image_is_similar_to_itself() -> None:
    image = images()["odd"]
    assert Comparator(opened(image)).score(saved(image, "PNG")) == pytest.approx(100, abs=0.05)


@pytest.mark.slow
def test_one_verdict_does_not_depend_on_another() -> None:
    image = images()["whole"]
    comparator, bodies = Comparator(opened(image)), [saved(image, "WEBP", quality=quality) for quality in (30, 90)]
    first = [comparator.score(body) for body in bodies]
    assert [comparator.score(body) for body in reversed(bodies)] == pytest.approx(first[::-1], abs=1e-9)


def test_what_is_transparent_is_compared_by_what_shows() -> None:
    image = cutout()
    comparator = Comparator(opened(image))
    assert comparator.score(saved(image, "WEBP", lossless=True)) == pytest.approx(100, abs=0.05)
    solid = image.copy()
    solid.putalpha(255)
    assert comparator.score(saved(solid, "WEBP", lossless=True)) < 30


def test_one_band_is_grey() -> None:
    grey = photograph().convert("L")
    as_colour = Comparator(opened(Image.merge("RGB", [grey] * 3)))
    body = saved(grey, "JPEG", quality=50)
    assert Comparator(opened(grey)).score(body) == pytest.approx(as_colour.score(body), abs=0.01)


def test_another_size_is_refused() -> None:
    image = images()["odd"]
    with pytest.raises(ValueError, match="not"):
        Comparator(opened(image)).score(saved(image.crop((0, 0, 300, 200)), "PNG"))


@pytest.mark.parametrize("size", [(MIN_SIDE_PX - 1, 100), (100, MIN_SIDE_PX - 1)])
def test_too_small_to_be_compared(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="too small"):
        Comparator(opened(Image.new("RGB", size)))


def test_the_smallest_comparable_size() -> None:
    image = images()["whole"].resize((MIN_SIDE_PX, MIN_SIDE_PX))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=60)
    assert 0 < Comparator(opened(image)).score(out.getvalue()) < 100

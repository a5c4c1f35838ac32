"""Real photographs with typical edits among others: their ranks, and which count as copies."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import pyvips
import skimage
from PIL import Image, ImageDraw, ImageOps

from darkroom.findings import SIMILARITY
from darkroom.imaging.hashes import compute_perceptual_hash
from darkroom_pipeline.aws.vectors.packing import QueryVector, hamming_distance, pack
from darkroom_pipeline.services.similarity import COPY_BITS, COPY_SCORE
from tests.images.detectors import small_models

from .api import Deployment

SEEN_THROUGH = ("JPEG of quality 30", "half the size", "middle, 80 % of each side", "mirrored")
"""Edits after which every photograph counts as a copy."""

NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "coins.png")

PHOTOGRAPHS = (
    *("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "rocket.jpg", "hubble_deep_field.jpg"),
    *("motorcycle_left.png", "moon.png", "retina.jpg", "ihc.png", "brick.png", "grass.png", "gravel.png", "page.png"),
)
"""Photographs in the folder ``data`` of the scikit-image wheel, all of different motifs."""


def encode(image: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def crop_middle(image: Image.Image, share: float) -> Image.Image:
    left, top = round(image.width * (1 - share) / 2), round(image.height * (1 - share) / 2)
    return image.crop((left, top, image.width - left, image.height - top))


def make_screenshot(image: Image.Image) -> Image.Image:
    """The image on a page twice as high, below a bar and with margins."""
    page = Image.new("RGB", (round(image.width * 1.2), image.height * 2), "white")
    ImageDraw.Draw(page).rectangle((0, 0, page.width, image.height // 10), fill="steelblue")
    page.paste(image, (image.width // 10, image.height // 3))
    return page


ALTERATIONS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG of quality 30": lambda image: Image.open(io.BytesIO(encode(image, "JPEG", quality=30))).convert("RGB"),
    "half the size": lambda image: image.resize((round(image.width / 2), round(image.height / 2))),
    "middle, 80 % of each side": lambda image: crop_middle(image, 0.8),
    "middle, 50 % of each side": lambda image: crop_middle(image, 0.5),
    "mirrored": ImageOps.mirror,
    "rotated by 90°": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "screenshot": make_screenshot,
}


def embedded(image: Image.Image) -> tuple[float, ...]:
    return small_models().detect(np.asarray(image), [SIMILARITY])[SIMILARITY].vector


@pytest.fixture(scope="module")
def images() -> dict[str, Image.Image]:
    folder = Path(skimage.__file__).parent / "data"
    return {name: Image.open(folder / name).convert("RGB") for name in PHOTOGRAPHS}


@pytest.mark.slow
def test_copies_come_first_and_others_are_none(deployment: Deployment, images: dict[str, Image.Image]) -> None:
    for name, image in images.items():
        deployment.image(f"trips/{name}", embedded(image))
    for name in NAMES:
        for number, alteration in enumerate(SEEN_THROUGH):
            deployment.image(f"trips/{name}/{number}.jpg", embedded(ALTERATIONS[alteration](images[name])))
    for name in NAMES:
        results = deployment.ask(f"trips/{name}").document["results"]
        assert {result["key"] for result in results if result["copy"]} == {
            f"trips/{name}/{number}.jpg" for number in range(len(SEEN_THROUGH))
        }
        [best, *_] = deployment.ask(f"trips/{name}/2.jpg", count="1").document["results"]
        assert best["key"].startswith(f"trips/{name}")


@pytest.mark.slow
@pytest.mark.parametrize("alteration", ["middle, 50 % of each side", "screenshot", "rotated by 90°"])
def test_what_is_no_copy_by_its_score_comes_first_all_the_same(
    deployment: Deployment, images: dict[str, Image.Image], alteration: str
) -> None:
    for name in NAMES:
        deployment.image(f"trips/{name}", embedded(images[name]))
    for name in NAMES:
        deployment.image("trips/altered.jpg", embedded(ALTERATIONS[alteration](images[name])))
        [best, *_] = deployment.ask("trips/altered.jpg").document["results"]
        assert best["key"] == f"trips/{name}"


@pytest.mark.slow
def test_photographs_of_different_things_are_far_apart(images: dict[str, Image.Image]) -> None:
    vectors = [embedded(image) for image in images.values()]
    scores = [QueryVector.from_floats(one).score(pack(other)) for one, other in combinations(vectors, 2)]
    hashes = [compute_perceptual_hash(pyvips.Image.new_from_buffer(encode(one, "PNG"), "")) for one in images.values()]
    assert max(scores) < COPY_SCORE - 0.25
    assert min(hamming_distance(one, other) for one, other in combinations(hashes, 2)) > COPY_BITS

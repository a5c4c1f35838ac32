"""Real photographs with typical edits among others: their ranks, and which count as copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image

from bench.similarity.alterations import ALTERATIONS, load_photographs
from bench.similarity.recall import compare_unrelated
from darkroom.findings import SIMILARITY
from darkroom_pipeline.services.similarity import COPY_BITS, COPY_SCORE
from tests.images.detectors import small_models

from .api import Deployment

SEEN_THROUGH = ("JPEG of quality 30", "half the size", "middle, 80 % of each side", "mirrored")
"""Edits after which every photograph counts as a copy."""

NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "coins.png")


def embedded(image: Image.Image) -> tuple[float, ...]:
    return small_models().detect(np.asarray(image), [SIMILARITY])[SIMILARITY].vector


@pytest.fixture(scope="module")
def images() -> dict[str, Image.Image]:
    return load_photographs(Path(skimage.__file__).parent / "data")


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
    found = compare_unrelated(images, lambda image: embedded(Image.fromarray(image)))
    assert max(one.score for one in found) < COPY_SCORE - 0.25
    assert min(one.bits for one in found) > COPY_BITS

"""CenterFace on real faces, marked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darkroom.findings import FACES as TASK
from darkroom.findings import Region
from darkroom_analysis.models import catalogue, faces
from tests.images.detectors import overlap, pixels, small_models
from tests.images.people import FACES, IMAGES, image_of_faces

pytestmark = pytest.mark.never_skips

LEAST_OVERLAP = 0.25
"""Boxes drawn by hand around hair and chin; the detector's boxes reach to the ears or less."""


def found_in(name: str) -> list[Region]:
    finding = small_models().detect(pixels(image_of_faces(name)), [TASK])[TASK]
    assert (finding.model, finding.error) == ("centerface", "")
    return [face.region for face in finding.faces]


def test_there_are_enough_faces_for_a_comparison() -> None:
    assert sum(map(len, FACES.values())) >= 15


@pytest.mark.slow
@pytest.mark.parametrize("name", IMAGES)
def test_every_face_is_found_and_nothing_else(name: str) -> None:
    left = found_in(name)
    for marked in FACES[name]:
        best = max(left, key=lambda region: overlap(region, marked))
        assert overlap(best, marked) >= LEAST_OVERLAP, marked
        left.remove(best)
    assert left == []


@pytest.mark.slow
def test_the_surest_come_first() -> None:
    found = small_models().detect(pixels(image_of_faces("crowd")), [TASK])[TASK].faces
    scores = [face.score for face in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0.4 <= score <= 1 for score in scores)


@pytest.mark.sample(6)
@pytest.mark.parametrize("width", [128, 300, 1000, 1999])
def test_places_are_fractions_whatever_the_size(width: int) -> None:
    astronaut = image_of_faces("astronaut")
    small = astronaut.resize((width, width))
    [face] = small_models().detect(pixels(small), [TASK])[TASK].faces
    assert overlap(face.region, FACES["astronaut"][0]) > 0.5


def test_a_face_at_the_edge_ends_with_the_image() -> None:
    astronaut = image_of_faces("astronaut").crop((230, 20, 512, 400))
    [face] = small_models().detect(pixels(astronaut), [TASK])[TASK].faces
    assert face.region.left == 0
    assert face.region.left + face.region.width <= 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (700, 2, 3), (33, 31, 3)])
def test_images_of_any_shape_go_in(shape: tuple[int, int, int]) -> None:
    assert small_models().detect(np.zeros(shape, np.uint8), [TASK])[TASK].faces == ()


def test_padding_is_not_of_the_image() -> None:
    model = catalogue.load_catalogue(catalogue.SMALL_MODELS).get(TASK)
    model = replace(model, input=replace(model.input, side_px=100))
    prepared = faces.prepare(np.full((50, 200, 3), 7, np.uint8), model)
    assert (prepared.tensor.shape, prepared.width, prepared.height) == ((3, 32, 128), 100, 25)
    assert (prepared.tensor[:, :25, :100] == 7).all()
    assert prepared.tensor[:, 25:].max() == prepared.tensor[:, :, 100:].max() == 0


def test_of_boxes_that_overlap_the_surest_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [5, 0, 15, 10]], np.float32)
    scores = np.array([0.6, 0.9, 0.5, 0.7], np.float32)
    assert faces.suppress_overlaps(boxes, scores, 0.3) == [1, 2]
    assert faces.suppress_overlaps(boxes, scores, 0.5) == [1, 3, 2]
    assert faces.suppress_overlaps(boxes[:0], scores[:0], 0.3) == []

"""Composites with known coverage, and the errors of cut-outs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bench.cutouts.accuracy import compare, find_edges
from bench.cutouts.foregrounds import DRAWN, Foreground, Values, draw_studio, place


def png(image: Image.Image) -> bytes:
    stored = io.BytesIO()
    image.save(stored, "PNG")
    return stored.getvalue()


def raster(coverage: Values) -> bytes:
    return png(Image.fromarray(np.rint(coverage * 255).astype(np.uint8)))


def cut(colours: Values, coverage: Values) -> bytes:
    pixels = np.dstack([colours, coverage])
    return png(Image.fromarray(np.rint(pixels * 255).astype(np.uint8), "RGBA"))


@pytest.fixture
def square() -> Foreground:
    return place("square", Image.new("RGBA", (40, 40), (200, 40, 40, 255)))


def test_a_foreground_has_a_margin_and_hides_the_background(square: Foreground) -> None:
    assert square.coverage.shape == (60, 60)
    assert square.coverage.sum() == 40 * 40
    pixels = np.asarray(square.compose(Image.new("RGB", (300, 100), (0, 0, 255))))
    assert tuple(pixels[30, 30]) == (200, 40, 40)
    assert tuple(pixels[5, 5]) == (0, 0, 255)
    assert find_edges(square.coverage).sum() == 48 * 48 - 32 * 32, "4 px on each side"


def test_a_perfect_cut_out_has_no_error(square: Foreground) -> None:
    found = compare(square, raster(square.coverage), cut(square.colours, square.coverage))
    assert (found.iou, found.error, found.raster_edge, found.edge, found.fringe) == (1, 0, 0, 0, 0)


def test_background_that_is_left_is_a_light_fringe(square: Foreground) -> None:
    wider = np.zeros_like(square.coverage)
    wider[8:52, 8:52] = 1
    colours = np.where(square.coverage[..., None] > 0, square.colours, np.float32(1))
    found = compare(square, raster(square.coverage), cut(colours, wider))
    assert found.iou == pytest.approx(1600 / 1936)
    assert found.error == pytest.approx(336 / 3600)
    assert (found.raster_edge, found.edge) == (0, pytest.approx(336 / 1280))
    assert found.fringe == pytest.approx(336 / 1280)


def test_foreground_that_is_missing_is_dark(square: Foreground) -> None:
    found = compare(square, raster(square.coverage), cut(square.colours, square.coverage * 0.4))
    assert found.iou == 0
    assert found.fringe < 0


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_foregrounds_have_thin_parts_of_their_colour(name: str) -> None:
    drawn = place(name, DRAWN[name]())
    partly = (drawn.coverage > 0.05) & (drawn.coverage < 0.95)
    assert partly.mean() > 0.005
    assert drawn.colours[partly].max() < 0.95, "no white of an empty canvas"


def test_paper_darkens_downwards() -> None:
    pixels = np.asarray(draw_studio())
    assert 200 < pixels[-1].mean() < pixels[0].mean() < 245

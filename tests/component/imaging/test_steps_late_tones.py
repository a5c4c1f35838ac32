"""The tones of sharp that come after watermarks."""

from __future__ import annotations

import numpy as np
import pytest

from darkroom.imaging.render.steps.tone import apply_colour_matrix, change_alpha, equalise_in_window, modulate_lch, tint
from darkroom.plan.model import Clahe, Lch
from tests.images.steps import apply_step, build_image, draw_noise, read_pixels

RAMP = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)


def test_a_tint_keeps_black_and_white_and_lightness() -> None:
    toned = apply_step(tint, RAMP, tint="704214")
    assert toned[0, 0].tolist() == [0, 0, 0]
    assert toned[0, 255].tolist() == [255, 255, 255]
    assert toned[0, 128, 0] > toned[0, 128, 1] > toned[0, 128, 2]
    light = read_pixels(build_image(toned).colourspace("lab"))[0, :, 0]
    wanted = read_pixels(build_image(RAMP).colourspace("lab"))[0, :, 0]
    assert np.abs(light - wanted)[40:216].max() < 1.5


def test_a_tint_leaves_greys_and_alpha_alone() -> None:
    grey = draw_noise(4, 5, 1)
    assert np.array_equal(apply_step(tint, grey, tint="ff0000"), grey)
    clear = draw_noise(4, 5, 4)
    assert np.array_equal(apply_step(tint, clear, tint="ff0000")[..., 3], clear[..., 3])


def test_lch_changes_nothing_by_its_defaults_and_turns_hues() -> None:
    pixels = draw_noise(6, 7, 3)
    assert np.abs(apply_step(modulate_lch, pixels, lch=Lch()).astype(int) - pixels).max() <= 1
    red = np.full((2, 2, 3), (200, 60, 60), np.uint8)
    turned = apply_step(modulate_lch, red, lch=Lch(hue=120))[0, 0]
    assert turned[1] > turned[0]
    assert len(set(apply_step(modulate_lch, red, lch=Lch(saturation=0))[0, 0].tolist())) == 1
    assert apply_step(modulate_lch, red, lch=Lch(lightness=100))[0, 0].min() > 200


@pytest.mark.parametrize("window", [(3, 3), (5, 7), (400, 400)])
def test_a_window_is_equalised_band_by_band(window: tuple[int, int]) -> None:
    pixels = draw_noise(12, 16, 4)
    wanted = build_image(pixels).hist_local(min(window[0], 16), min(window[1], 12), max_slope=3)
    assert np.array_equal(apply_step(equalise_in_window, pixels, clahe=Clahe(*window)), read_pixels(wanted))


@pytest.mark.parametrize(("height", "width"), [(12, 1), (1, 16)])
def test_a_window_fits_a_line_of_pixels(height: int, width: int) -> None:
    pixels = draw_noise(height, width, 3)
    wanted = build_image(pixels).hist_local(width, height, max_slope=3)
    assert np.array_equal(apply_step(equalise_in_window, pixels, clahe=Clahe(16, 16)), read_pixels(wanted))


def test_a_late_matrix_negates() -> None:
    pixels = draw_noise(4, 5, 4)
    found = apply_step(apply_colour_matrix, pixels, last=True, late_matrix=(-1, 0, 0, 1, 0, -1, 0, 1, 0, 0, -1, 1))
    assert np.array_equal(found[..., :3], 255 - pixels[..., :3])
    assert np.array_equal(found[..., 3], pixels[..., 3])


def test_alpha_is_inverted_dropped_or_cut_at_the_threshold() -> None:
    pixels = draw_noise(4, 5, 4)
    alpha = pixels[..., 3]
    assert np.array_equal(apply_step(change_alpha, pixels, alpha="invert")[..., 3], 255 - alpha)
    assert np.array_equal(apply_step(change_alpha, pixels, alpha="drop"), pixels[..., :3])
    cut = apply_step(change_alpha, pixels, alpha="threshold", threshold=100)[..., 3]
    assert np.array_equal(cut, np.where(alpha >= 100, 255, 0))
    opaque = pixels[..., :3]
    assert np.array_equal(apply_step(change_alpha, opaque, alpha="invert"), opaque)

"""Effects of the dialects: each follows the formula of the service that defined it, and keeps alpha."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageFilter
from scipy.interpolate import CubicSpline

from darkroom.imaging.render.steps.tone import build_curve_table
from darkroom.plan.model import Clahe, Convolution, Curve, Lch
from tests.component.imaging.test_animation import moving
from tests.images.rendering import Pixels, apart, frames, made, opened, rgba, seen
from tests.images.sources import cutout, photo, saved, sixteen_bit, sources

PHOTO, CUTOUT = saved(photo(), "PNG"), saved(cutout(), "PNG")
BEFORE = np.asarray(photo())
BENT: Curve = ((0, 20), (64, 100), (200, 180), (255, 240))
SHARPER = Convolution(3, True, (0, -1, 0, -1, 5, -1, 0, -1, 0))
MEAN = Convolution(3, True, (1.0,) * 9)
SWAPPED = (0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.1, 1.0, 0.0, 0.0, -0.1)
EFFECTS: list[dict[str, Any]] = [
    {"median": 5},
    {"normalise": "stretch"},
    {"normalise": "equal"},
    {"curves": (BENT, (), (), ())},
    {"curves": ((), BENT, (), ())},
    {"matrix": SWAPPED},
    {"threshold": 128},
    {"convolution": SHARPER},
    {"convolution": MEAN},
    {"pixelate": 12},
    {"noise": 40},
    {"lch": Lch(1.2, 1.5, 40, 5)},
    {"clahe": Clahe(20, 30)},
    {"tint": "704214"},
    {"late_matrix": SWAPPED},
]
SMOOTHING: list[dict[str, Any]] = [{"median": 5}, {"convolution": MEAN}, {"clahe": Clahe(20, 30)}]
"""Effects that change alpha too."""


@pytest.mark.sample(35)
@pytest.mark.parametrize("effect", EFFECTS, ids=str)
@pytest.mark.parametrize("kind", sources())
def test_every_kind_of_source_has_every_effect(kind: str, effect: dict[str, Any]) -> None:
    image = made(sources()[kind], **effect)
    plain = made(sources()[kind])
    assert (image.width, image.height) == (plain.width, plain.height)
    if "alpha" in kind and "pixelate" not in effect and effect not in SMOOTHING:
        assert np.array_equal(rgba(image.body)[..., 3], rgba(plain.body)[..., 3])
    idle = effect == {"normalise": "stretch"} or ("tint" in effect and "grey" in kind)
    if not idle:  # the photograph's lightness reaches from black to white already, and greys are not tinted
        assert apart(seen(image.body), seen(plain.body)) > (0 if kind == "svg" else 0.3), "it does something"


@pytest.mark.sample(5)
@pytest.mark.parametrize("effect", EFFECTS, ids=str)
def test_sixteen_bits_come_to_what_eight_do(effect: dict[str, Any]) -> None:
    deep, flat = seen(made(sixteen_bit(), **effect).body), seen(made(PHOTO, **effect).body)
    assert apart(deep, flat) < (3 if "threshold" in effect or effect.get("normalise") else 1.3)


@pytest.mark.sample(3)
@pytest.mark.parametrize("effect", EFFECTS, ids=str)
def test_every_frame_is_changed(effect: dict[str, Any]) -> None:
    image = made(moving("WEBP"), format="webp", **effect)
    assert image.frames == 4
    assert len(frames(image.body)) == 4


def test_a_median_is_that_of_the_neighbours() -> None:
    found = seen(made(PHOTO, median=5).body)
    wanted = np.asarray(photo().filter(ImageFilter.MedianFilter(5)))
    assert np.array_equal(found[4:-4, 4:-4], wanted[4:-4, 4:-4])
    tiny = saved(Image.new("RGB", (3, 1), "red"), "PNG")
    assert opened(made(tiny, median=21).body).size == (3, 1)


def test_stretched_lightness_is_sharps() -> None:
    """Pixels of ``normalise()`` in sharp 0.35.5 for the same image."""
    y, x = np.mgrid[0:200, 0:300]
    smooth = np.stack([60 + x * 0.4, 80 + y * 0.5, 150 - x * 0.2], axis=2).astype(np.uint8)
    found = seen(made(saved(Image.fromarray(smooth), "PNG"), normalise="stretch").body)
    wanted = {
        (0, 0): [0, 0, 53],
        (0, 299): [127, 32, 48],
        (100, 150): [103, 113, 103],
        (199, 0): [113, 227, 196],
        (150, 250): [192, 187, 130],
        (199, 299): [255, 254, 160],
    }
    assert {place: found[place].tolist() for place in wanted} == wanted
    flat = saved(Image.new("RGB", (40, 40), (90, 120, 150)), "PNG")
    assert seen(made(flat, normalise="stretch").body)[20, 20].tolist() == [90, 120, 150]


@pytest.mark.slow
def test_an_even_histogram_is_thumbors() -> None:
    """``_equalize.c``: (pixels up to a level − those of the least) ÷ (pixels − those of the least) × 255, cut off."""
    found = seen(made(PHOTO, normalise="equal").body)
    for band in range(3):
        counts = np.bincount(BEFORE[..., band].ravel(), minlength=256)
        least = int(counts[counts > 0][0])
        table = (np.cumsum(counts) - least) * 255 // (counts.sum() - least)
        assert np.array_equal(found[..., band], table[BEFORE[..., band]])
    flat = saved(Image.new("RGB", (8, 8), (90, 120, 150)), "PNG")
    assert seen(made(flat, normalise="equal").body)[4, 4].tolist() == [90, 120, 150]


@pytest.mark.parametrize("curve", [BENT, ((0, 0), (255, 128)), ((10, 200), (100, 0), (101, 255), (254, 3))])
def test_a_curve_is_a_natural_cubic_spline(curve: Curve) -> None:
    places, values = zip(*curve, strict=True)
    spline = CubicSpline(places, values, bc_type="natural") if len(curve) > 2 else None
    wanted = spline(np.arange(256)) if spline else np.interp(np.arange(256), places, values)
    wanted[: places[0]], wanted[places[-1] :] = values[0], values[-1]
    assert np.allclose(build_curve_table(curve), np.clip(wanted, 0, 255))


def test_channels_have_their_own_curves_before_that_of_all() -> None:
    down: Curve = ((0, 0), (255, 128))
    found = seen(made(PHOTO, curves=(BENT, (), down, ())).body)
    every, green = (np.round(build_curve_table(curve)).astype(int) for curve in (BENT, down))
    assert np.array_equal(found[..., 0], every[BEFORE[..., 0]])
    assert np.array_equal(found[..., 1], every[green[BEFORE[..., 1]]])
    assert opened(made(sources()["png grey"], curves=(BENT, (), (), ())).body).mode == "L"


def test_a_matrix_mixes_and_lifts() -> None:
    found = seen(made(PHOTO, matrix=SWAPPED).body)
    lift = np.array([0, 0.1, -0.1]) * 255
    wanted = np.clip(np.round(BEFORE[..., ::-1].astype(float) + lift), 0, 255)
    assert np.abs(found - wanted).max() <= 1
    grey = made(sources()["png grey"], matrix=(0.5, 0.2, 0.3, 0.1, 0.4, 0.6, 0, 0.1, 1, 0, 0, 0.1))
    assert opened(grey.body).mode == "L", "grey stays where it can"
    assert opened(made(sources()["png grey"], matrix=SWAPPED).body).mode == "RGB"


@pytest.mark.parametrize("level", [1, 100, 128, 255])
def test_a_threshold_leaves_black_and_white(level: int) -> None:
    image = made(sources()["png grey"], threshold=level)
    wanted = np.where(np.asarray(opened(sources()["png grey"])) >= level, 255, 0)
    assert opened(image.body).mode == "L"
    assert np.array_equal(np.asarray(opened(image.body)), wanted)
    colours = made(PHOTO, threshold=level)
    grey = np.asarray(opened(made(PHOTO, grayscale=True).body))
    assert np.array_equal(np.asarray(opened(colours.body)), np.where(grey >= level, 255, 0))


@pytest.mark.parametrize(
    "kernel",
    [SHARPER, MEAN, Convolution(1, False, (0.5, 0.5, -0.25)), Convolution(3, False, (-1.0, 0.0, 1.0))],
)
def test_a_convolution_is_thumbors(kernel: Convolution) -> None:
    """``_convolution.c``: not mirrored, edges continued; ours rounds where it cuts off."""
    rows = np.array(kernel.weights).reshape(-1, kernel.columns)
    total = rows.sum()
    down, across = (side // 2 for side in rows.shape)
    wide = np.pad(BEFORE.astype(float), ((down, down), (across, across), (0, 0)), "edge")
    height, width = BEFORE.shape[:2]
    wanted = sum(weight * wide[y : y + height, x : x + width] for (y, x), weight in np.ndenumerate(rows)) / (
        total if kernel.normal else 1
    )
    found = seen(made(PHOTO, convolution=kernel).body).astype(float)
    assert np.abs(found - np.clip(wanted, 0, 255)).max() <= 0.51


def test_a_smoothing_kernel_does_not_bleed_invisible_colour() -> None:
    before, after = rgba(CUTOUT), rgba(made(CUTOUT, convolution=Convolution(7, True, (1.0,) * 49)).body)
    soft = np.asarray(photo().filter(ImageFilter.BoxBlur(3)))
    edge = (before[..., 3] == 255) & (np.asarray(cutout().filter(ImageFilter.BoxBlur(3)))[..., 3] < 255)
    assert edge.sum() > 100
    assert np.abs(after[edge][:, :3].mean(axis=0) - soft[edge].mean(axis=0)).max() < 12


def test_squares_have_their_mean() -> None:
    found = seen(made(PHOTO, pixelate=50).body)
    for top in range(0, 240, 50):
        for left in range(0, 320, 50):
            square = found[top : top + 50, left : left + 50]
            assert (square == square[0, 0]).all()
    assert np.abs(found[10, 10] - BEFORE[:50, :50].mean(axis=(0, 1))).max() <= 0.5
    edge = np.pad(BEFORE, ((0, 10), (0, 30), (0, 0)), "edge")[200:250, 300:350]
    assert np.abs(found[239, 319] - edge.mean(axis=(0, 1))).max() <= 0.5, "as imgproxy's vips_pixelate"
    assert seen(made(PHOTO, pixelate=1024).body).std(axis=(0, 1)).max() == 0


def test_squares_weigh_colours_by_what_shows() -> None:
    half = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    half.paste((200, 100, 50, 255), (0, 0, 8, 16))
    assert rgba(made(saved(half, "PNG"), pixelate=16).body)[3, 12].tolist() == [200, 100, 50, 128]


def test_grain_is_thumbors_and_the_same_each_time() -> None:
    """``_noise.c``: for each pixel one of ``amount`` whole numbers, of which half are below zero."""
    flat = saved(Image.new("RGB", (600, 600), (100, 120, 140)), "PNG")
    image = made(flat, noise=41)
    added = seen(image.body).astype(int) - [100, 120, 140]
    assert (added == added[..., :1]).all()
    counts = np.bincount((added[..., 0] + 20).ravel())
    assert len(counts) == 41
    assert counts.min() > 0.8 * 600 * 600 / 41
    assert image.body == made(flat, noise=41).body


def test_nothing_of_it_is_the_photograph_itself() -> None:
    """Defaults change nothing: the same pixels come out as went in."""
    plain: Pixels = seen(made(PHOTO, median=0, pixelate=1, noise=0, threshold=0, normalise="").body)
    assert ImageChops.difference(Image.fromarray(plain), photo()).getbbox() is None

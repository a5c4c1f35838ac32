"""The steps that change values: exact pixels by numpy, for grey, colour, alpha and 16 bits."""

from __future__ import annotations

import numpy as np
import pytest
import pyvips

from darkroom.findings import Region
from darkroom.imaging.render.context import Step
from darkroom.imaging.render.steps import effects as grain_step
from darkroom.imaging.render.steps import levels as equalise_step
from darkroom.imaging.render.steps.common import convert_cmyk, convert_to_srgb
from darkroom.imaging.render.steps.effects import add_noise, apply_median, blur, convolve, denoise, pixelate, sharpen
from darkroom.imaging.render.steps.levels import equalise_histogram, equalise_locally, normalise_late
from darkroom.imaging.render.steps.redact import darken_red_eyes, redact
from darkroom.imaging.render.steps.tone import (
    adjust_tone,
    apply_colour_matrix,
    apply_curves,
    apply_threshold,
    build_curve_table,
)
from darkroom.plan.model import IDENTITY, Convolution
from tests.images.findings import known
from tests.images.steps import Array, apply_step, build_context, build_image, draw_noise, find_step, read_pixels

KINDS = [(1, 255), (2, 255), (3, 255), (4, 255), (3, 65_535), (1, 65_535)]


def split_alpha(pixels: Array) -> tuple[Array, Array | None]:
    """Split pixels into colour and alpha."""
    bands = pixels.shape[2]
    return (pixels, None) if bands % 2 else (pixels[..., :-1], pixels[..., -1])


def assert_near(found: Array, wanted: Array, alpha: Array | None, *, peak: int = 255) -> None:
    """Compare colour up to rounding, and alpha exactly."""
    colour, kept = split_alpha(found)
    assert colour.shape == wanted.shape
    assert colour.dtype == (np.uint8 if peak == 255 else np.uint16)
    assert np.abs(colour - np.clip(wanted, 0, peak)).max() <= 0.51
    assert (alpha is None) == (kept is None)
    if alpha is not None:
        assert np.array_equal(kept, alpha)


def sum_neighbours(values: Array, weights: Array) -> Array:
    """Sum neighbours by ``weights``; edges are continued."""
    down, across = weights.shape
    padded = np.pad(values, ((down // 2, down // 2), (across // 2, across // 2), (0, 0)), mode="edge")
    height, width = values.shape[:2]
    return sum(weights[y, x] * padded[y : y + height, x : x + width] for y in range(down) for x in range(across))  # type: ignore[return-value]


@pytest.mark.parametrize(("bands", "peak"), KINDS)
@pytest.mark.parametrize(
    ("columns", "weights"),
    [
        (3, (1, 2, 1, 2, 4, 2, 1, 2, 1)),
        (3, (0, 0.125, 0, 0.25, 0.25, 0, 0, 0.125, 0)),
        (3, (1, -1, 0, 2, 1, -2, 1, 0, -1)),
        (3, (0, -1, 0, -1, 4, -1, 0, -1, 0)),
        (5, (0.1, 0.2, 0.5, 0.2, 0.3)),
        (1, (0.5, 0, 0.25)),
        (3, (0, 0, 0, 0, 0, 0, 0, 0, 0)),
    ],
)
@pytest.mark.parametrize("normal", [True, False])
def test_a_convolution_sums_neighbours(
    bands: int, peak: int, columns: int, weights: tuple[float, ...], normal: bool
) -> None:
    pixels = draw_noise(9, 11, bands, peak=peak) // (3 if bands % 2 else 1)
    total = sum(weights)
    kernel = np.array(weights, float).reshape(-1, columns) / (total if normal and total else 1)
    colour, alpha = split_alpha(pixels)
    if alpha is not None:
        alpha[:] = np.maximum(alpha, 60)
    if alpha is None or total <= 0:
        wanted = sum_neighbours(colour.astype(float), kernel)
    else:
        share = alpha[..., None] / 255
        sums = sum_neighbours(share, np.array(weights, float).reshape(-1, columns) / total)
        shown = np.clip(sums, 0, 1)
        wanted = np.where(sums > 0, sum_neighbours(colour * share, kernel) / np.where(sums > 0, sums, 1), 0)
    found = apply_step(convolve, pixels, convolution=Convolution(columns, normal, tuple(map(float, weights))))
    if alpha is not None and total > 0:
        colour, kept = split_alpha(found)
        assert kept is not None
        assert np.abs(kept[..., None] - shown * 255).max() <= 0.51
        visible = shown[..., 0] > 0.05
        assert np.abs(colour - np.clip(wanted, 0, 255))[visible].max() <= 1.1
        assert not wanted.any() or colour.any()
        return
    assert_near(found, wanted, alpha, peak=peak)


@pytest.mark.parametrize("alpha", [51, 255])
@pytest.mark.parametrize(("normal", "wanted"), [(True, 20), (False, 60)])
def test_the_gain_of_a_kernel_stays_where_alpha_is_weighted(alpha: int, normal: bool, wanted: int) -> None:
    pixels = np.full((5, 6, 4), 20, np.uint8)
    pixels[..., 3] = alpha
    found = apply_step(convolve, pixels, convolution=Convolution(3, normal, (1.0, 1.0, 1.0)))
    assert np.abs(found[..., :3].astype(int) - wanted).max() <= 1
    assert (found[..., 3] == alpha).all()


CURVES = [(), ((0, 0), (255, 255)), ((0, 255), (255, 0)), ((20, 10), (90, 120), (200, 180)), ((50, 200), (60, 100))]


def interpolate(curve: tuple[tuple[int, int], ...]) -> Array:
    """Interpolate ``curve`` by a natural cubic spline, solved as one system."""
    if not curve:
        return np.arange(256.0)
    x, y = (np.array(axis, float) for axis in zip(*curve, strict=True))
    count = len(curve)
    system, right = np.eye(count), np.zeros(count)
    for at in range(1, count - 1):
        before, after = x[at] - x[at - 1], x[at + 1] - x[at]
        system[at, at - 1 : at + 2] = before / 6, (before + after) / 3, after / 6
        right[at] = (y[at + 1] - y[at]) / after - (y[at] - y[at - 1]) / before
    bends = np.linalg.solve(system, right)
    found = np.empty(256)
    for place in range(256):
        if place <= x[0] or place >= x[-1]:
            found[place] = y[0] if place <= x[0] else y[-1]
            continue
        at = int(np.searchsorted(x, place, "right")) - 1
        width = x[at + 1] - x[at]
        there = (place - x[at]) / width
        here = 1 - there
        bulge = ((here**3 - here) * bends[at] + (there**3 - there) * bends[at + 1]) * width * width / 6
        found[place] = here * y[at] + there * y[at + 1] + bulge
    return found.clip(0, 255)


@pytest.mark.parametrize(
    "curve",
    [
        *CURVES,
        ((0, 255), (100, 0), (110, 250), (180, 3), (255, 90)),
        ((5, 5), (15, 240), (16, 0), (250, 255)),
        ((0, 0), (1, 255), (2, 0), (255, 255)),
    ],
)
def test_a_curve_is_a_natural_spline(curve: tuple[tuple[int, int], ...]) -> None:
    assert np.abs(np.array(build_curve_table(curve)) - interpolate(curve)).max() < 1e-6


@pytest.mark.parametrize(("bands", "peak"), KINDS)
@pytest.mark.parametrize(
    ("every", "red", "green", "blue"),
    [
        (CURVES[3], CURVES[0], CURVES[0], CURVES[0]),
        (CURVES[3], CURVES[2], CURVES[2], CURVES[2]),
        (CURVES[0], CURVES[2], CURVES[0], CURVES[0]),
        (CURVES[0], CURVES[0], CURVES[2], CURVES[0]),
        (CURVES[3], CURVES[0], CURVES[0], CURVES[2]),
        (CURVES[2], CURVES[4], CURVES[3], CURVES[0]),
    ],
)
def test_curves_go_through_each_channel_and_then_all(
    bands: int, peak: int, every: tuple[()], red: tuple[()], green: tuple[()], blue: tuple[()]
) -> None:
    pixels = draw_noise(9, 11, bands, peak=peak)
    colour, alpha = split_alpha(pixels)
    tables = [np.rint(interpolate(one)).astype(int) for one in (every, red, green, blue)]
    joined = [tables[0][one] for one in tables[1:]]
    if bands < 3 and not all(np.array_equal(joined[0], one) for one in joined):
        colour = colour.repeat(3, axis=2)
    places = colour / (1 if peak == 255 else 257)
    wanted = np.stack(
        [np.interp(places[..., band], range(256), joined[band]) for band in range(colour.shape[2])], axis=2
    )
    found = apply_step(apply_curves, pixels, curves=(every, red, green, blue))
    assert_near(found, wanted * (1 if peak == 255 else 257), alpha, peak=peak)


def test_a_curve_without_points_leaves_sixteen_bits_alone() -> None:
    ramp = np.arange(65_536, dtype=np.uint16).reshape(256, 256, 1)
    assert np.array_equal(apply_step(apply_curves, ramp, curves=((), (), (), ())), ramp)


GREYS = [0.5, 0.25, 0.125, 0.1]
MATRICES = [
    IDENTITY,
    (*GREYS, *GREYS, *GREYS),
    (*GREYS, *GREYS, 0.5, 0.25, 0.125, 0.2),
    (*GREYS, 0.5, 0.25, 0.125, 0.2, *GREYS),
    (0.5, 0.25, 0.125, 0.2, *GREYS, *GREYS),
    (1, 0, 0, 0.1, 0, 1, 0, 0.1, 0, 0, 1, 0.1),
    (0.2, 0.3, 0.4, -0.1, 0.7, -0.5, 0.1, 0.6, 1.5, 0.25, -0.75, 0.05),
    (0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0.5),
]


@pytest.mark.parametrize(("bands", "peak"), KINDS)
@pytest.mark.parametrize("matrix", MATRICES)
def test_a_matrix_mixes_channels(bands: int, peak: int, matrix: tuple[float, ...]) -> None:
    pixels = draw_noise(9, 11, bands, peak=peak)
    colour, alpha = split_alpha(pixels)
    rows = np.array(matrix).reshape(3, 4)
    rich = colour.repeat(3, axis=2) if bands < 3 else colour
    wanted = rich @ rows[:, :3].T + rows[:, 3] * peak
    if bands < 3 and np.ptp(rows[:, :3].sum(axis=1)) == 0 == np.ptp(rows[:, 3]):
        wanted = wanted[..., :1]
    found = apply_step(apply_colour_matrix, pixels, matrix=matrix)
    assert_near(found, wanted, alpha, peak=peak)
    grey = "grey16" if peak > 255 else "b-w"
    mixed = apply_colour_matrix(build_image(pixels), matrix)
    assert str(mixed.interpretation) == (grey if wanted.shape[2] == 1 else "rgb16" if peak > 255 else "srgb")


@pytest.mark.parametrize("threshold", [1, 127, 128, 255])
@pytest.mark.parametrize("bands", [1, 2])
def test_a_threshold_is_white_from_its_level_on(threshold: int, bands: int) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    pixels = ramp if bands == 1 else np.concatenate([ramp, ramp[::-1]], axis=2)
    found = apply_step(apply_threshold, pixels, threshold=threshold)
    assert_near(found, np.where(ramp >= threshold, 255, 0), None if bands == 1 else ramp[::-1, :, 0])
    sixteen = apply_step(apply_threshold, ramp.astype(np.uint16) * 257, threshold=threshold)
    assert np.array_equal(sixteen[..., 0], found[..., 0])


@pytest.mark.parametrize("bands", [3, 4])
def test_a_threshold_of_colours_is_by_their_lightness(bands: int) -> None:
    pixels = draw_noise(9, 11, bands)
    grey = read_pixels(build_image(pixels[..., :3]).colourspace("b-w"))
    found = apply_threshold(build_image(pixels), 120)
    assert_near(read_pixels(found), np.where(grey >= 120, 255, 0), split_alpha(pixels)[1])
    assert str(found.interpretation) == "b-w"


TONES: list[dict[str, float]] = [
    *({"brightness": 25}, {"brightness": -100}, {"contrast": 50}, {"contrast": -100}, {"gamma": 2.0}, {"gamma": 0.5}),
    *({"saturation": 50}, {"saturation": -100}, {"saturation": 100, "brightness": -30, "contrast": -40, "gamma": 1.7}),
]


@pytest.mark.parametrize(("bands", "peak"), KINDS)
@pytest.mark.parametrize("tones", TONES, ids=str)
def test_tones_follow_their_formulas(bands: int, peak: int, tones: dict[str, float]) -> None:
    pixels = draw_noise(9, 11, bands, peak=peak)
    colour, alpha = split_alpha(pixels)
    value = (colour / peak) ** (1 / tones.get("gamma", 1))
    if bands >= 3:
        luma = value @ np.array([[0.2126], [0.7152], [0.0722]])
        value = luma + (value - luma) * (1 + tones.get("saturation", 0) / 100)
    value = value * (1 + tones.get("brightness", 0) / 100)
    value = (value - 0.5) * (1 + tones.get("contrast", 0) / 100) + 0.5
    found = apply_step(adjust_tone, pixels, **tones)
    colour, kept = split_alpha(found)
    assert np.abs(colour - np.clip(value * peak, 0, peak)).max() <= (0.51 if peak == 255 else 1)
    assert alpha is None or np.array_equal(kept, alpha)


def test_a_grey_image_has_one_band() -> None:
    for pixels, meaning in ((draw_noise(4, 5, 4), "b-w"), (draw_noise(4, 5, 3, peak=65_535), "grey16")):
        work = build_context(pixels, grayscale=True)
        adjust_tone(work)
        assert work.frames[0].bands == pixels.shape[2] - 2
        assert str(work.frames[0].interpretation) == meaning
        assert str(work.frames[0].format) == ("uchar" if meaning == "b-w" else "ushort")


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_an_even_histogram_is_by_share_of_pixels(bands: int) -> None:
    pixels = (draw_noise(9, 11, bands).astype(int) ** 2 // 400 // 8 * 8).astype(np.uint8)
    colour, alpha = split_alpha(pixels)
    wanted = np.empty_like(colour)
    for band in range(colour.shape[2]):
        counts = np.bincount(colour[..., band].ravel(), minlength=256)
        least = counts[counts > 0][0]
        table = np.maximum(0, counts.cumsum() - least) * 255 // (counts.sum() - least)
        wanted[..., band] = table[colour[..., band]]
    assert_near(apply_step(equalise_histogram, pixels, normalise="equal"), wanted.astype(float), alpha)


def test_an_even_histogram_is_that_of_all_frames() -> None:
    first, second = np.full((4, 5, 1), 10, np.uint8), np.full((4, 5, 1), 90, np.uint8)
    second[0] = 200
    work = build_context(first, second, normalise="equal")
    equalise_histogram(work)
    assert (read_pixels(work.frames[0]) == 0).all()
    shown = read_pixels(work.frames[1])
    assert (shown[1:] == 15 * 255 // 20).all()
    assert (shown[0] == 255).all()
    work = build_context(first, first, normalise="equal")
    equalise_histogram(work)
    assert (read_pixels(work.frames[1]) == 10).all()


def draw_greys(*shares: tuple[int, int], bands: int = 3, peak: int = 255) -> Array:
    """Draw so many pixels of each grey, in one line."""
    line = np.concatenate([np.full(count, grey) for grey, count in shares]) * (peak // 255)
    return line.astype(np.uint8 if peak == 255 else np.uint16)[None, :, None].repeat(bands, axis=2)


def measure_lightness(pixels: Array) -> Array:
    """Measure the L* of ``pixels``."""
    image = build_image(pixels)
    image = image if image.bands >= 3 else image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    return read_pixels(image.colourspace("lab"))[..., 0]


@pytest.mark.parametrize(("bands", "peak"), [(1, 255), (3, 255), (1, 65_535), (3, 65_535)])
def test_a_stretch_uses_the_percentiles_of_lightness(bands: int, peak: int) -> None:
    pixels = draw_greys(*((grey, 5 if 50 < grey < 200 else 1) for grey in range(256)), bands=bands, peak=peak)
    light = measure_lightness(pixels)[0]
    percentiles = [int(pyvips.Image.new_from_array(light[None]).percent(share)) for share in (0, 1, 2, 98, 99, 100)]
    assert len(set(percentiles)) == 6
    low, high = percentiles[1], percentiles[4]
    work = build_context(pixels, normalise="stretch")
    normalise_late(work)
    found = read_pixels(work.frames[0])
    assert found.shape == pixels.shape
    assert found.dtype == pixels.dtype
    wanted = np.clip((light - low) * 100 / (high - low), 0, 100)
    assert np.abs(measure_lightness(found)[0] - wanted).max() < 0.5
    grey = "grey16" if peak > 255 else "b-w"
    assert str(work.frames[0].interpretation) == (grey if bands == 1 else "rgb16" if peak > 255 else "srgb")


@pytest.mark.parametrize(("high", "span"), [(121, 1), (122, 2)])
def test_a_stretch_needs_a_span_of_two_steps(high: int, span: int) -> None:
    pixels = draw_greys((120, 60), (high, 60))
    light = pyvips.Image.new_from_array(measure_lightness(pixels))
    assert light.percent(99) - light.percent(1) == span
    work = build_context(pixels, normalise="stretch")
    normalise_late(work)
    assert work.touched == (span == 2)


def test_a_stretch_keeps_alpha_and_colour() -> None:
    pixels = np.concatenate([draw_noise(9, 11, 3) // 3 + 60, draw_noise(9, 11, 1, seed=6)], axis=2)
    found = apply_step(normalise_late, pixels, normalise="stretch")
    assert np.array_equal(found[..., 3], pixels[..., 3])
    assert measure_lightness(found[..., :3]).max() > 95
    grey = apply_step(normalise_late, pixels[..., [0, 3]], normalise="stretch")
    assert np.array_equal(grey[..., 1], pixels[..., 3])


def test_a_stretch_is_that_of_all_frames() -> None:
    dark, light = draw_greys((50, 50)), draw_greys((170, 50))
    work = build_context(dark, light, normalise="stretch")
    normalise_late(work)
    assert read_pixels(work.frames[0]).max() <= 6
    assert read_pixels(work.frames[1]).min() >= 252


@pytest.mark.parametrize("side", [2, 3, 4, 5, 7, 30])
@pytest.mark.parametrize("size", [(9, 9), (8, 12), (12, 9), (12, 10)])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_squares_have_their_mean_colour(side: int, size: tuple[int, int], bands: int) -> None:
    pixels = draw_noise(*size, bands)
    height, width = size
    down, across = -(-height // side) * side, -(-width // side) * side
    padded = np.pad(pixels, ((0, down - height), (0, across - width), (0, 0)), mode="edge").astype(float)
    if bands % 2 == 0:
        padded[..., :-1] *= padded[..., -1:] / 255
    means = padded.reshape(down // side, side, across // side, side, bands).mean(axis=(1, 3))
    if bands % 2 == 0:
        means[..., :-1] /= means[..., -1:] / 255
    wanted = means.repeat(side, axis=0).repeat(side, axis=1)[:height, :width]
    found = apply_step(pixelate, pixels, pixelate=side)
    assert found.dtype == np.uint8
    assert np.abs(found - wanted).max() <= 0.51


@pytest.mark.parametrize(
    ("step", "options"),
    [
        (pixelate, {"pixelate": 1}),
        (pixelate, {"pixelate": 0}),
        (blur, {"blur": 0.19}),
        (blur, {"blur": 0.0}),
        (apply_median, {"median": 1}),
        (apply_median, {"median": 0}),
        (denoise, {"denoise": 0}),
        (equalise_locally, {"equalise": False}),
        (sharpen, {"sharpen": 0.0}),
        (adjust_tone, {}),
        (redact, {}),
        (convert_cmyk, {}),
        (convert_to_srgb, {}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_defaults_touch_nothing(step: Step, options: dict[str, float]) -> None:
    work = build_context(draw_noise(9, 11, 3), **options)
    find_step(step)(work)
    assert not work.touched


@pytest.mark.parametrize("median", [2, 3, 5, 99])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_a_median_is_at_most_as_large_as_the_image(median: int, bands: int) -> None:
    pixels = draw_noise(7, 9, bands)
    if bands % 2 == 0:
        pixels[..., -1] = np.maximum(pixels[..., -1], 60)
    side = min(median, 7)
    rank = build_image(pixels).rank(side, side, side * side // 2)
    assert np.array_equal(apply_step(apply_median, pixels, median=median), read_pixels(rank))


def test_a_median_of_a_narrow_image() -> None:
    pixels = draw_noise(9, 1, 3)
    work = build_context(pixels, median=3)
    find_step(apply_median)(work)
    assert not work.touched
    sixteen = draw_noise(5, 5, 1).astype(np.uint16) * 257
    found = apply_step(apply_median, sixteen, median=3)
    assert found.dtype == np.uint8
    assert found[2, 2, 0] == np.median(sixteen[1:4, 1:4] // 257)


@pytest.mark.parametrize("amount", [1, 2, 9, 100, 255])
@pytest.mark.parametrize(("bands", "peak"), KINDS)
def test_grain_has_the_amount_of_levels_around_zero(amount: int, bands: int, peak: int) -> None:
    factor = peak // 255
    pixels = np.full((40, 50, bands), 128 * factor, np.uint8 if peak == 255 else np.uint16)
    colour, alpha = split_alpha(apply_step(add_noise, pixels, noise=amount))
    assert alpha is None or (alpha == 128).all()
    added = colour.astype(int) // factor - 128
    assert np.array_equal(added, added[..., :1].repeat(added.shape[2], axis=2))
    assert added.min() == max(-(amount // 2), -128)
    assert added.max() == min(amount - 1 - amount // 2, 127)
    assert len(np.unique(added)) == amount


def test_grain_is_the_same_each_time_and_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    assert grain_step.NOISE_TILE_PX == 512
    whole = apply_step(add_noise, np.full((512, 513, 1), 128, np.uint8), noise=90)
    assert np.array_equal(whole[:, 512], whole[:, 0])
    assert not np.array_equal(whole[:, 511], whole[:, 0])
    monkeypatch.setattr(grain_step, "NOISE_TILE_PX", 4)
    found = apply_step(add_noise, np.full((9, 13, 1), 128, np.uint8), noise=90)
    assert np.array_equal(found, np.tile(found[:4, :4], (3, 4, 1))[:9, :13])
    assert len(np.unique(found[:4, :4])) > 8
    pixels = np.zeros((9, 13, 3), np.uint8)
    assert apply_step(add_noise, pixels, noise=90).min() == 0


@pytest.mark.parametrize("sigma", [0.2, 1.0, 4.0])
@pytest.mark.parametrize(("bands", "peak"), KINDS)
def test_a_blur_weights_colours_by_alpha_and_blurs_it(sigma: float, bands: int, peak: int) -> None:
    """Where alpha is a tenth, colours count a tenth."""
    pixels = draw_noise(12, 15, bands, peak=peak)
    colour, alpha = split_alpha(pixels)
    if alpha is None:
        wanted = read_pixels(build_image(pixels).gaussblur(sigma, min_ampl=0.02)).astype(float)
    else:
        alpha[:] = np.where(alpha > 128, 250, 25)
        kernel = pyvips.Image.gaussmat(sigma, 0.02, separable=True, precision="integer")
        weights = kernel.numpy().reshape(-1) / kernel.get("scale")
        square, share = np.outer(weights, weights), alpha[..., None] / 255
        soft = sum_neighbours(share, square)
        wanted = sum_neighbours(colour * share, square) / soft
    work = build_context(pixels, blur=sigma)
    find_step(blur)(work)
    assert work.touched
    found = read_pixels(work.frames[0])
    if alpha is not None:
        assert np.abs(found[..., -1:] - soft * 255).max() <= 0.51
    assert_near(found, wanted, split_alpha(found)[1], peak=peak)


def test_a_blur_is_that_of_sharp() -> None:
    """One line of sharp 0.35.5's ``blur(2)``, whose kernel ends earlier."""
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[:, :8, 2] = 255
    pixels[:, 8:] = (200, 40, 40, 255)
    found = apply_step(blur, pixels, blur=2.0)[8].astype(int)
    assert (found[:2, 3] == 0).all()
    assert np.abs(found[5:12, 3] - [17, 50, 100, 155, 205, 238, 255]).max() <= 10
    assert np.abs(found[6:, :3] - (200, 40, 40)).max() <= 2


EFFECTS = [
    *[(sharpen, {"sharpen": 1.5}), (denoise, {"denoise": 5}), (blur, {"blur": 2.0}), (apply_median, {"median": 5})],
    (convolve, {"convolution": Convolution(3, True, (1.0,) * 9)}),
    (convolve, {"convolution": Convolution(3, True, (-1.0, -1.0, -1.0, -1.0, 32.0, -1.0, -1.0, -1.0, -1.0))}),
    (convolve, {"convolution": Convolution(3, False, (0.0, -1.0, 0.0, -1.0, 4.0, -1.0, 0.0, -1.0, 0.0))}),
    (pixelate, {"pixelate": 5}),
]


@pytest.mark.parametrize(("step", "options"), EFFECTS, ids=lambda value: getattr(value, "__name__", None))
@pytest.mark.parametrize("peak", [255, 65_535])
def test_what_is_invisible_shows_nowhere(step: Step, options: dict[str, object], peak: int) -> None:
    """Colours of transparent pixels do not affect visible pixels."""
    shapes = np.zeros((24, 24), bool)
    shapes[4:14, 5:20] = shapes[18:20, 2:22] = True
    shown = draw_noise(24, 24, 4, peak=peak)
    shown[..., 3] = np.where(shapes, peak, 0)
    seen = []
    for hidden in (0, peak, None):
        pixels = shown.copy()
        colours = draw_noise(24, 24, 3, seed=9, peak=peak) if hidden is None else np.full((24, 24, 3), hidden)
        pixels[~shapes, :3] = colours[~shapes]
        found = apply_step(step, pixels, **options).astype(float) / peak
        seen.append(found[..., :3] * found[..., 3:])
    assert np.abs(seen[0] - seen[1]).max() <= 1.01 / 255
    assert np.abs(seen[0] - seen[2]).max() <= 1.01 / 255


@pytest.mark.parametrize(("bands", "peak"), KINDS)
@pytest.mark.parametrize("strength", [1, 4, 10])
def test_denoise_is_a_guided_filter(bands: int, peak: int, strength: int) -> None:
    pixels = draw_noise(12, 15, bands, peak=peak)
    colour, alpha = split_alpha(pixels)
    if alpha is not None:
        alpha[:] = np.maximum(alpha, 60)
    guide, box = colour.astype(float), np.full((5, 5), 1 / 25)
    mean = sum_neighbours(guide, box)
    variance = sum_neighbours(guide * guide, box) - mean * mean
    slope = variance / (variance + (3 * strength * peak / 255) ** 2)
    wanted = sum_neighbours(slope, box) * guide + sum_neighbours(mean - slope * mean, box)
    found, kept = split_alpha(apply_step(denoise, pixels, denoise=strength))
    assert found.dtype == pixels.dtype
    assert np.abs(found - np.clip(wanted, 0, peak)).max() <= (0.52 if peak == 255 else 4)
    assert alpha is None or np.array_equal(kept, alpha)


@pytest.mark.parametrize("bands", [3, 4])
def test_sharpening_leaves_alpha_alone(bands: int) -> None:
    pixels = draw_noise(12, 15, bands)
    pixels[..., 3:] = np.maximum(pixels[..., 3:], 60)
    found = apply_step(sharpen, pixels, sharpen=1.5)
    wanted = read_pixels(build_image(np.ascontiguousarray(pixels[..., :3])).sharpen(sigma=1.5))
    assert np.array_equal(found[..., :3], wanted)
    assert np.array_equal(found[..., 3:], pixels[..., 3:])


@pytest.mark.parametrize(("height", "width", "side"), [(48, 64, 6), (20, 64, 3), (40, 30, 3), (2, 40, 3), (40, 2, 3)])
@pytest.mark.parametrize(("bands", "peak"), [(1, 255), (3, 255), (4, 255), (3, 65_535)])
def test_equalising_is_clahe_of_lightness(height: int, width: int, side: int, bands: int, peak: int) -> None:
    pixels = draw_noise(height, width, bands, peak=peak)
    pixels[..., : 3 if bands > 2 else 1] = pixels[..., : 3 if bands > 2 else 1] // 4 + peak // 3
    colour = build_image(np.ascontiguousarray(pixels[..., : 3 if bands > 2 else 1]))
    lab = (colour if bands > 2 else colour.colourspace("srgb")).colourspace("lab")
    light = lab[0] * 2.55
    levels = light.rint().cast("uchar")
    even = levels.hist_local(min(side, width), min(side, height), max_slope=3).cast("float") + (light - levels)
    joined = (even / 2.55).bandjoin(lab.extract_band(1, n=2)).copy(interpretation="lab")
    wanted = read_pixels(joined.colourspace("rgb16" if peak > 255 else "srgb"))
    found = apply_step(equalise_locally, pixels, equalise=True)
    assert found.dtype == pixels.dtype
    assert np.array_equal(found[..., :3], wanted)
    assert found.shape[2] == (4 if bands == 4 else 3)
    assert bands < 4 or np.array_equal(found[..., 3], pixels[..., 3])


def learn(light: pyvips.Image, width: int, height: int) -> pyvips.Image:
    """Apply the local transfer of CLAHE on a copy of this size to ``light``."""
    small = light.resize(width / light.width, vscale=height / light.height)
    levels = small.rint().cast("uchar")
    side = max(3, min(width, height) // 8)
    even = levels.hist_local(min(side, width), min(side, height), max_slope=3).cast("float") + (small - levels)
    box = pyvips.Image.new_from_array([[1] * (2 * (max(width, height) // 100) + 3)])
    box = box / box.width
    mean, target = small.convsep(box), even.convsep(box)
    slope = ((small * even).convsep(box) - mean * target) / ((small * small).convsep(box) - mean * mean + 4)
    offset = (target - slope * mean).convsep(box).resize(light.width / width, vscale=light.height / height)
    return slope.convsep(box).resize(light.width / width, vscale=light.height / height) * light + offset


@pytest.mark.parametrize(
    ("size", "most", "small"),
    [((60, 80), 1200, (40, 30)), ((9, 800), 1800, (400, 4)), ((800, 9), 1800, (4, 400)), ((1, 900), 100, (300, 1))],
)
def test_the_transfer_of_a_smaller_copy_is_applied(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], most: int, small: tuple[int, int]
) -> None:
    monkeypatch.setattr(equalise_step, "DIRECT_PIXELS", most)
    pixels = draw_noise(*size, 3) // 3 + 60
    lab = build_image(pixels).colourspace("lab")
    even = learn(lab[0] * 2.55, *small)
    wanted = (even / 2.55).bandjoin(lab.extract_band(1, n=2)).copy(interpretation="lab").colourspace("srgb")
    found = apply_step(equalise_locally, pixels, equalise=True)
    assert np.abs(found.astype(int) - read_pixels(wanted)).max() <= 1


def test_a_smaller_copy_is_equalised_above_half_a_megapixel(monkeypatch: pytest.MonkeyPatch) -> None:
    assert equalise_step.DIRECT_PIXELS == 500_000
    y, x = np.mgrid[:96, :128]
    pixels = (90 + 20 * np.sin(x / 9) + 20 * np.cos(y / 11)).astype(np.uint8)[..., None]
    direct = apply_step(equalise_locally, pixels, equalise=True).astype(int)
    monkeypatch.setattr(equalise_step, "DIRECT_PIXELS", 96 * 128 - 1)
    learnt = apply_step(equalise_locally, pixels, equalise=True).astype(int)
    assert not np.array_equal(direct, learnt)
    assert np.abs(direct - learnt).mean() < 4
    monkeypatch.setattr(equalise_step, "DIRECT_PIXELS", 96 * 128)
    assert np.array_equal(apply_step(equalise_locally, pixels, equalise=True), direct)


FACE = Region(0.25, 0.25, 0.5, 0.5)


@pytest.mark.parametrize(("red", "changes"), [(60, False), (61, True), (200, True), (255, True)])
def test_an_eye_is_lit_above_a_level(red: int, changes: bool) -> None:
    pixels = np.full((100, 100, 3), (red, 20, 39), np.uint8)
    found = apply_step(darken_red_eyes, pixels, red_eye=True, known=known(FACE))
    changed = (found != pixels).any(axis=2)
    assert changed.any() == changes
    assert not changed[:35].any()
    assert (found[changed] == 30).all()


@pytest.mark.parametrize(("red", "changes"), [(100, False), (101, True)])
def test_an_eye_is_lit_above_twice_its_other_channels(red: int, changes: bool) -> None:
    pixels = np.full((100, 100, 4), (red, 40, 60, 77), np.uint8)
    found = apply_step(darken_red_eyes, pixels, red_eye=True, known=known(FACE))
    changed = (found != pixels).any(axis=2)
    assert changed.any() == changes
    assert (found[changed] == (50, 50, 50, 77)).all()
    work = build_context(pixels, pixels, red_eye=True, known=known(FACE))
    darken_red_eyes(work)
    assert not work.touched


@pytest.mark.parametrize(("bands", "peak"), KINDS)
def test_redacted_areas_are_black_and_opaque(bands: int, peak: int) -> None:
    pixels = np.full((40, 60, bands), peak // 2, np.uint8 if peak == 255 else np.uint16)
    found = apply_step(redact, pixels, redact="faces", known=known(Region(0.4, 0.4, 0.2, 0.2)))
    assert not found[20, 30, : bands - (bands % 2 == 0)].any()
    assert bands % 2 or found[20, 30, -1] == 255
    assert (found[0] == peak // 2).all()
    work = build_context(pixels, redact="faces", known=known())
    redact(work)
    assert not work.touched

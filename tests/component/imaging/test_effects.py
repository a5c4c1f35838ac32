"""Effects: each follows its formula, all but blur keep alpha, and defaults change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.images.rendering import Pixels, alike, apart, made, opened, rgba, seen
from tests.images.sources import cutout, photo, saved, sixteen_bit

PHOTO = saved(photo(), "PNG")
EFFECTS: list[dict[str, Any]] = [
    {"blur": 3.0},
    {"sharpen": 2.0},
    {"denoise": 6},
    {"equalise": True},
    {"brightness": 25},
    {"contrast": 40},
    {"saturation": 60},
    {"gamma": 1.8},
    {"grayscale": True},
]


def patches(*colours: tuple[int, int, int]) -> bytes:
    """A row of 8×8 patches."""
    image = Image.new("RGB", (8 * len(colours), 8))
    for index, colour in enumerate(colours):
        image.paste(colour, (8 * index, 0, 8 * index + 8, 8))
    return saved(image, "PNG")


def colours(body: bytes) -> list[list[int]]:
    return seen(body)[4, 4::8].tolist()


COLOURS = ((0, 0, 0), (64, 64, 64), (128, 128, 128), (255, 255, 255), (200, 100, 50))


def test_brightness_multiplies() -> None:
    assert near(made(patches(*COLOURS), brightness=25).body, lambda v: v * 1.25)
    assert colours(made(patches(*COLOURS), brightness=-100).body) == [[0, 0, 0]] * 5


def test_contrast_spreads_around_the_middle() -> None:
    assert near(made(patches(*COLOURS), contrast=50).body, lambda v: (v / 255 - 0.5) * 1.5 * 255 + 127.5)
    assert np.abs(np.array(colours(made(patches(*COLOURS), contrast=-100).body)) - 127.5).max() <= 0.5


def test_gamma_above_one_brightens_shadows() -> None:
    assert near(made(patches(*COLOURS), gamma=2.0).body, lambda v: 255 * (v / 255) ** 0.5)


def test_saturation_scales_the_distance_from_luma() -> None:
    luma = 0.2126 * 200 + 0.7152 * 100 + 0.0722 * 50
    for amount in (50, -50, -100):
        found = colours(made(patches(*COLOURS), saturation=amount).body)
        assert found[:4] == [list(colour) for colour in COLOURS[:4]]
        wanted = [luma + (value - luma) * (1 + amount / 100) for value in COLOURS[4]]
        assert np.abs(np.array(found[4]) - np.clip(wanted, 0, 255)).max() <= 1


def near(body: bytes, formula: Callable[[float], float]) -> bool:
    """Whether every patch equals the rounded result of ``formula``."""
    wanted = np.clip([[formula(value) for value in colour] for colour in COLOURS], 0, 255)
    return bool(np.abs(np.array(colours(body)) - wanted).max() <= 0.5)


def test_tones_are_applied_in_one_order() -> None:
    """Gamma, then brightness, then contrast, clipped once at the end."""
    found = colours(made(patches((128, 128, 128)), gamma=2.0, brightness=100, contrast=-50).body)
    value = (128 / 255) ** 0.5 * 2
    assert found[0][0] == pytest.approx(((value - 0.5) * 0.5 + 0.5) * 255, abs=1)


def test_gray_keeps_lightness_and_takes_one_channel() -> None:
    image = made(PHOTO, grayscale=True)
    assert opened(image.body).mode == "L"
    assert opened(made(PHOTO, grayscale=True, format="jpeg").body).mode == "L"
    assert alike(seen(image.body), np.asarray(photo().convert("L").convert("RGB"))) > 0.95


@pytest.mark.parametrize("sigma", [1.0, 5.0, 40.0])
def test_blur_is_gaussian(sigma: float) -> None:
    edge = Image.new("RGB", (400, 20), (0, 0, 0))
    edge.paste((255, 255, 255), (200, 0, 400, 20))
    row = seen(made(saved(edge, "PNG"), blur=sigma).body)[10, :, 0].astype(float) / 255
    slope_at_the_middle = row[200] - row[199]
    assert slope_at_the_middle == pytest.approx(1 / (sigma * np.sqrt(2 * np.pi)), rel=0.12, abs=0.004)
    assert np.all(np.diff(row) >= -0.005)


def test_blur_does_not_bleed_invisible_colour() -> None:
    before, after = cutout(), rgba(made(saved(cutout(), "PNG"), blur=6.0).body)
    soft_alpha = np.asarray(before.getchannel("A").filter(ImageFilter.GaussianBlur(6))).astype(int)
    assert np.abs(after[..., 3] - soft_alpha)[20:-20, 20:-20].max() <= 12
    edge = (np.asarray(before)[..., 3] == 255) & (soft_alpha < 250)
    assert edge.sum() > 100
    soft = np.asarray(photo().filter(ImageFilter.GaussianBlur(6)))
    assert np.abs(after[edge][:, :3].mean(axis=0) - soft[edge].mean(axis=0)).max() < 12


def test_sharpening_steepens_edges_and_leaves_flat_areas() -> None:
    soft = photo().filter(ImageFilter.GaussianBlur(1.5))
    sharp = seen(made(saved(soft, "PNG"), sharpen=1.5).body)
    assert steepness(sharp) > 1.1 * steepness(np.asarray(soft))
    assert alike(sharp, np.asarray(photo())) > alike(np.asarray(soft), np.asarray(photo()))
    flat = saved(Image.new("RGB", (40, 40), (90, 120, 150)), "PNG")
    assert apart(seen(made(flat, sharpen=5.0).body), seen(flat)) <= 1


def steepness(pixels: Pixels) -> float:
    return float(np.abs(np.diff(pixels.astype(float), axis=1)).mean())


def test_denoise_removes_noise_and_keeps_edges() -> None:
    steps = np.zeros((120, 160, 3))
    steps[:, 80:] = 180
    steps += 40
    clean = steps.clip(0, 255)
    noisy = (clean + np.random.default_rng(3).normal(0, 10, clean.shape)).clip(0, 255).astype(np.uint8)
    body = saved(Image.fromarray(noisy), "PNG")
    errors = [rms(seen(made(body, denoise=strength).body), clean) for strength in (0, 2, 5, 10)]
    assert errors == sorted(errors, reverse=True), "more is more"
    assert errors[3] < errors[0] / 3
    smooth = seen(made(body, denoise=10).body).astype(float)
    step = smooth[:, 80:82].mean() - smooth[:, 78:80].mean()
    assert step > 0.9 * 180


def rms(pixels: Pixels, wanted: Any) -> float:
    return float(np.sqrt(((pixels - wanted) ** 2).mean()))


def test_denoise_keeps_a_photograph() -> None:
    assert alike(seen(made(PHOTO, denoise=2).body), np.asarray(photo())) > 0.93


def test_equalise_evens_out_contrast_but_not_colour() -> None:
    dull = Image.fromarray((np.asarray(photo()) * 0.25 + 80).astype(np.uint8))
    even = seen(made(saved(dull, "PNG"), equalise=True).body)
    assert contrast(even) > 1.4 * contrast(np.asarray(dull))
    grey = saved(photo().convert("L"), "PNG")
    neutral = seen(made(grey, equalise=True).body).astype(int)
    assert np.ptp(neutral, axis=2).max() <= 1


@pytest.mark.slow
def test_equalising_a_large_image_equals_equalising_a_small_one() -> None:
    large = saved(photo().resize((1600, 1200), Image.Resampling.BICUBIC), "PNG", compress_level=1)
    from_large = opened(made(large, equalise=True).body).resize((320, 240), Image.Resampling.LANCZOS)
    assert alike(np.asarray(from_large.convert("RGB")), seen(made(PHOTO, equalise=True).body)) > 0.85
    assert contrast(np.asarray(from_large)) == pytest.approx(contrast(seen(made(PHOTO, equalise=True).body)), rel=0.2)


def contrast(pixels: Pixels) -> float:
    """The mean spread of lightness in blocks of 40×40."""
    light = pixels[..., :3].mean(axis=2)
    blocks = light[: light.shape[0] // 40 * 40, : light.shape[1] // 40 * 40].reshape(light.shape[0] // 40, 40, -1, 40)
    return float(blocks.std(axis=(1, 3)).mean())


@pytest.mark.sample(4)
@pytest.mark.parametrize("effect", EFFECTS[1:], ids=lambda effect: next(iter(effect)))
def test_alpha_is_untouched(effect: dict[str, Any]) -> None:
    for image in (cutout(), cutout().convert("LA")):
        after = rgba(made(saved(image, "PNG"), **effect).body)
        assert np.array_equal(after[..., 3], np.asarray(image)[..., -1])
        assert not np.array_equal(after[..., :3], np.asarray(image.convert("RGBA"))[..., :3]) or image.mode == "LA"


@pytest.mark.sample(5)
@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: next(iter(effect)))
def test_sixteen_bits_go_the_same_way_as_eight(effect: dict[str, Any]) -> None:
    assert apart(seen(made(sixteen_bit(), **effect).body), seen(made(PHOTO, **effect).body)) < 2.5
    fine = seen(made(sixteen_bit(1), **effect).body)
    assert apart(fine, seen(made(saved(photo().convert("L"), "PNG"), **effect).body)) < 2.5


def test_defaults_change_nothing() -> None:
    assert apart(seen(made(PHOTO).body), np.asarray(photo())) == 0
    assert apart(seen(made(PHOTO, blur=0.05).body), np.asarray(photo())) == 0

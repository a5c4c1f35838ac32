"""``enh=auto`` and ``wb=1``: corrections by statistics of the master."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from darkroom.imaging.render.steps.enhance import (
    MAX_BLACK,
    MAX_EXPOSURE,
    MAX_GAIN,
    Colour,
    Correction,
    correct,
    estimate_gains,
    estimate_tones,
    measure,
)
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop, Plan
from darkroom_pipeline.imaging.render_many import decode_once
from tests.images.rendering import Pixels, made, rgba, seen
from tests.images.sources import saved
from tests.images.steps import build_image

type Values = NDArray[np.float64]


def street() -> Pixels:
    """A photograph with grey surfaces: scikit-image's motorcycle."""
    return np.asarray(data.stereo_motorcycle()[0])


def muted() -> Pixels:
    """The same with a third of its colour, so that most of its surfaces are nearly grey."""
    grey = street().mean(axis=2, keepdims=True)
    return np.rint(grey + (street() - grey) * 0.3).astype(np.uint8)


def light(value: Values) -> Values:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def multiplied(pixels: Pixels, *gains: float) -> Pixels:
    """The photograph with the light of its channels multiplied."""
    linear = np.clip(light(pixels / 255) * gains, 0, 1)
    value = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055)
    return np.rint(value * 255).astype(np.uint8)


def png(pixels: Pixels) -> bytes:
    return saved(Image.fromarray(pixels), "PNG")


def difference(one: Pixels, other: Pixels) -> float:
    """Mean difference of the levels."""
    return float(np.abs(one.astype(float) - other).mean())


DEGRADED: dict[str, tuple[Callable[[Pixels], Pixels], str]] = {
    "dark": (lambda pixels: multiplied(pixels, 0.3), "enhance"),
    "washed out": (lambda pixels: np.rint(pixels * 0.6 + 70).astype(np.uint8), "enhance"),
    "warm": (lambda pixels: multiplied(pixels, 1.12, 1, 0.85), "white_balance"),
    "green": (lambda pixels: multiplied(pixels, 0.9, 1.08, 0.9), "white_balance"),
}
AUTO = {"enhance": {"enhance": "auto"}, "white_balance": {"white_balance": True}}


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", DEGRADED)
def test_a_degraded_photograph_comes_closer_to_the_original(name: str) -> None:
    degrade, option = DEGRADED[name]
    original = street() if option == "enhance" else muted()
    degraded = degrade(original)
    corrected = seen(made(png(degraded), **AUTO[option]).body)
    assert difference(corrected, original) < 0.8 * difference(degraded, original)


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", ["dark", "washed out"])
def test_white_balance_alone_leaves_tones(name: str) -> None:
    degraded = DEGRADED[name][0](street())
    assert difference(seen(made(png(degraded), white_balance=True).body), degraded) < 1


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "load", [street, data.astronaut, data.chelsea, data.coffee, data.camera], ids=lambda one: one.__name__
)
def test_a_good_photograph_stays(load: Callable[[], Pixels]) -> None:
    source = png(load())
    assert np.array_equal(seen(made(source, enhance="auto").body), seen(made(source).body))


def test_a_night_and_a_high_key_image_stay() -> None:
    night = np.full((90, 120, 3), 8, np.uint8)
    night[:4] = 120
    bright = np.full((90, 120, 3), 215, np.uint8)
    bright[20:60, 30:80] = 250
    for pixels in (night, bright, np.zeros((9, 9, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8)):
        assert np.array_equal(seen(made(png(pixels), enhance="auto").body), pixels)


def test_pixels_with_16_bits() -> None:
    """The same correction as with 8 bits, in finer steps."""
    dark = multiplied(street(), 0.3)
    correction = measure(build_image(dark[::8, ::8].copy()), tones=True)
    fine = correct(build_image(dark.astype(np.uint16) * 257), correction).numpy()
    assert np.abs(fine / 257 - correct(build_image(dark), correction).numpy()).max() <= 0.51


def test_a_white_background_indicates_white_light() -> None:
    """A beige product on white, the image of a shop."""
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[20:80, 20:80] = (190, 180, 165)
    assert np.array_equal(seen(made(png(pixels), white_balance=True).body), pixels)
    pixels[...] = (190, 180, 165)
    assert not np.array_equal(seen(made(png(pixels), white_balance=True).body), pixels)


def test_every_size_and_crop_has_the_correction_of_the_whole_image() -> None:
    """A half that is lit, and one that would be corrected if it were alone."""
    pixels = street()[:, :740]
    half = pixels.shape[1] // 2
    mixed = np.concatenate([pixels[:, :half], multiplied(pixels, 0.2)[:, half:]], axis=1)
    part = {"crop": Crop("px", half, 0, half, pixels.shape[0])}
    assert np.array_equal(seen(made(png(mixed), enhance="auto", **part).body), mixed[:, half:])
    dark = multiplied(pixels, 0.3)
    whole = seen(made(png(dark), enhance="auto").body)
    assert np.array_equal(seen(made(png(dark), enhance="auto", **part).body), whole[:, half:])
    small = seen(made(png(dark), enhance="auto", width=200).body)
    assert (
        difference(small, np.asarray(Image.fromarray(whole).resize((200, small.shape[0]), Image.Resampling.LANCZOS)))
        < 2
    )


def test_presets_of_an_upload_equal_single_requests() -> None:
    source, plan = png(multiplied(street(), 0.3)), Plan("photo", width=200, enhance="auto", format="png")
    [(_, preset)] = decode_once(Source.from_bytes(source), [plan], limits=Limits()).render_all()
    assert np.array_equal(seen(preset.body), seen(made(source, width=200, enhance="auto").body))


def test_grey_and_transparency() -> None:
    grey = np.asarray(Image.fromarray(multiplied(street(), 0.3)).convert("L"))
    corrected = rgba(made(png(grey), enhance="auto").body)
    assert np.array_equal(corrected[..., 0], corrected[..., 2])
    assert corrected.mean() > grey.mean() * 1.3
    clear = np.dstack([multiplied(street(), 0.3), np.full(street().shape[:2], 255, np.uint8)])
    clear[:100] = (255, 255, 255, 0)
    found = rgba(made(png(clear), enhance="auto").body)
    assert np.array_equal(found[..., 3], clear[..., 3])
    assert found[100:, :, 1].mean() > clear[100:, :, 1].mean() * 1.3


def test_an_image_that_shows_nothing_stays() -> None:
    clear = np.zeros((20, 20, 4), np.uint8)
    assert rgba(made(png(clear), enhance="auto", white_balance=True).body)[..., 3].max() == 0


def test_corrections_are_limited() -> None:
    assert estimate_tones([0.9] * 100, [0.0] * 100, 0.5) == Correction()
    assert estimate_tones([0.2] * 100, [0.02] * 100, 0.15).exposure == MAX_EXPOSURE
    assert estimate_tones([0.8] * 100, [0.4] * 100, 0.6).black == MAX_BLACK
    strong = [Colour((180, 160, 140), 67, 3.0, 12.0)] * 100
    assert max(*estimate_gains(strong), *(1 / gain for gain in estimate_gains(strong))) <= MAX_GAIN
    assert estimate_gains([Colour((160, 160, 160), 65, 0.5, 0.5)] * 100) == (1, 1, 1)
    assert estimate_gains([Colour((200, 160, 90), 67, 3.0, 18.0)] * 100) == (1, 1, 1)
    assert estimate_gains([*strong[:10], *[Colour((200, 30, 30), 50, 60.0, 40.0)] * 90]) == (1, 1, 1)
    mixed = [Colour((1, 1, 1), 50, 10.0 * (at % 2), 10.0 * (at % 3 - 1)) for at in range(100)]
    assert estimate_gains(mixed) == (1, 1, 1)


@pytest.mark.parametrize("axis", ["a", "b"])
def test_a_cast_is_measured_in_the_pixels_that_are_near_it(axis: str) -> None:
    """Within the spread, in CIE Lab: those 5 away count, those 9.5 away do not."""

    def colour(rgb: tuple[int, int, int], light: float, at: float) -> Colour:
        return Colour(rgb, light, *((at, 3.0) if axis == "a" else (3.0, at)))

    cast = [colour((170, 160, 150), 65, 6.0)] * 60
    near, far = [colour((150, 160, 170), 60, 1.0)] * 40, [colour((150, 160, 170), 60, -3.5)] * 40
    alone = estimate_gains(cast)
    assert estimate_gains([*far, *cast]) == pytest.approx(alone)
    assert alone[0] < estimate_gains([*near, *cast])[0] < 1 < estimate_gains([*near, *cast])[2] < alone[2]


def test_the_brightest_of_two_pixels_is_the_white_point() -> None:
    assert estimate_tones([0.2, 0.9], [0.1, 0.1], 0.4) == Correction()
    assert estimate_tones([0.2, 0.2], [0.1, 0.1], 0.4).exposure == MAX_EXPOSURE


def test_white_stays_white_under_a_white_balance() -> None:
    image = build_image(np.array([[[255, 255, 255], [128, 128, 128]]], np.uint8))
    white, grey = correct(image, Correction(gains=(0.85, 1.0, 1.2))).numpy()[0]
    assert tuple(white) == (255, 255, 255)
    assert grey[0] < grey[1] < grey[2]

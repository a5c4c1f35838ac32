"""The step of upscaling and its measures, with enlargements that are not those of a model."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import numpy as np
import pytest
import pyvips
from skimage import data
from skimage.measure import blur_effect

from darkroom.errors import ModelUnavailable
from darkroom.imaging.source import Source
from darkroom.plan.geometry.layout import Size
from darkroom.plan.limits import Limits
from darkroom.plan.model import MODEL_UPSCALE, Crop, Plan
from darkroom_pipeline.reencode.search import ReencodeResult, reencode
from darkroom_pipeline.reencode.upscale import (
    MAX_UPSCALE_PIXELS,
    Enlarge,
    Upscaler,
    UpscaleResult,
    correct,
    find_obstacle,
    measure_blur,
    measure_consistency,
)

LIMITS = Limits()
ORIGINAL = pyvips.Image.new_from_array(np.ascontiguousarray(data.astronaut()[:256, 100:356])).copy(
    interpretation="srgb"
)
SOURCE = ORIGINAL.resize(0.25).copy_memory()
"""64 × 64 px."""


def png(image: pyvips.Image) -> bytes:
    body: bytes = image.pngsave_buffer(compression=1)
    return body


def opened(body: bytes) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(body, "")


def restore(_: bytes) -> bytes:
    """What an ideal model returns."""
    return png(ORIGINAL)


def resample(body: bytes) -> bytes:
    return png(opened(body).resize(4))


def sharpen(body: bytes) -> bytes:
    """Far sharper than any photograph: each pixel is black or white, with the mean of the source."""
    enlarged = opened(body).resize(4).numpy()
    noise = np.random.default_rng(1).integers(0, 256, enlarged.shape)
    return png(pyvips.Image.new_from_array(np.where(noise < enlarged, 255, 0).astype(np.uint8)))


def upscale(enlarge: Enlarge, plan: Plan, source: pyvips.Image = SOURCE) -> tuple[ReencodeResult | None, Upscaler]:
    """Re-encode a derivative of 10 MB, which anything replaces."""
    upscaler = Upscaler(enlarge)
    stored = png(source.resize(2)) + bytes(10_000_000)
    return reencode(plan, Source.from_bytes(png(source)), stored, limits=LIMITS, upscaler=upscaler), upscaler


PLAN = Plan("a.png", width=256, upscale=MODEL_UPSCALE, format="png")


def test_an_enlargement_with_the_detail_of_the_original_is_taken() -> None:
    made, upscaler = upscale(restore, PLAN)
    assert upscaler.result is UpscaleResult.MODEL
    assert made is not None
    assert made.is_upscaled
    assert measure_consistency(opened(made.image.body), ORIGINAL) > 35


@pytest.mark.parametrize(
    ("enlarge", "expected"),
    [
        (resample, UpscaleResult.BLUR),
        (sharpen, UpscaleResult.INCONSISTENT),
        (lambda body: png(opened(body).resize(4).fliphor()), UpscaleResult.INCONSISTENT),
        (lambda _: None, UpscaleResult.REFUSED),
    ],
)
def test_other_enlargements_are_not_taken(enlarge: Enlarge, expected: UpscaleResult) -> None:
    made, upscaler = upscale(enlarge, PLAN)
    assert upscaler.result is expected
    assert made is None or not made.is_upscaled


def test_an_answer_that_is_no_image_is_a_fault_of_the_endpoint() -> None:
    with pytest.raises(ModelUnavailable):
        upscale(lambda _: b"no image", PLAN)


def test_the_model_gets_the_crop() -> None:
    sizes = []

    def enlarge(body: bytes) -> None:
        sizes.append((opened(body).width, opened(body).height))

    upscale(enlarge, Plan("a.png", width=200, upscale=MODEL_UPSCALE, crop=Crop("px", 8, 4, 40, 30), format="png"))
    assert sizes == [(40, 30)]


def with_alpha(image: pyvips.Image, alpha: int) -> pyvips.Image:
    return image.bandjoin(alpha)


@pytest.mark.parametrize(
    ("source", "plan", "expected"),
    [
        (SOURCE, Plan("a", width=70, upscale=MODEL_UPSCALE, format="png"), UpscaleResult.SMALLER),
        (with_alpha(SOURCE, 200), PLAN, UpscaleResult.TRANSPARENT),
        (with_alpha(SOURCE, 255), PLAN, UpscaleResult.MODEL),
        (SOURCE.crop(0, 0, 15, 15), PLAN, UpscaleResult.SIZE),
    ],
)
def test_images_that_the_model_does_not_enlarge(source: pyvips.Image, plan: Plan, expected: UpscaleResult) -> None:
    assert upscale(restore, plan, source)[1].result is expected


def test_a_grey_image_stays_grey() -> None:
    source, original = (image.colourspace("b-w") for image in (SOURCE, ORIGINAL))
    made, upscaler = upscale(lambda _: png(original.colourspace("srgb")), PLAN, source)
    assert upscaler.result is UpscaleResult.MODEL
    assert made is not None
    assert opened(made.image.body).bands == 1


@pytest.mark.parametrize(
    ("frames", "size", "expected"),
    [
        ([(640, 640)], (900, 900), None),
        ([(640, 641)], (900, 900), UpscaleResult.SIZE),
        ([(100, 100)], (124, 124), UpscaleResult.SMALLER),
        ([(100, 100)], (100, 125), None),
        ([(100, 100)] * 2, (400, 400), UpscaleResult.ANIMATED),
    ],
)
def test_what_is_known_before(
    frames: list[tuple[int, int]], size: tuple[int, int], expected: UpscaleResult | None
) -> None:
    assert find_obstacle([pyvips.Image.black(*one) for one in frames], Size(*size)) is expected


def test_the_endpoint_has_the_same_limit() -> None:
    from endpoint import upscale

    assert upscale.MAX_UPSCALE_PIXELS == MAX_UPSCALE_PIXELS


@pytest.mark.parametrize("damage", [lambda image: image, lambda image: image.gaussblur(2), lambda image: image + 20])
def test_the_correction_brings_the_source_back(damage: Callable[[pyvips.Image], pyvips.Image]) -> None:
    other = damage(ORIGINAL).cast("uchar").copy(interpretation="srgb")
    assert measure_consistency(correct(other, SOURCE), SOURCE) > 35


def test_a_resampled_image_is_consistent() -> None:
    assert measure_consistency(SOURCE, SOURCE) == inf
    assert measure_consistency(SOURCE.resize(4), SOURCE) > 25


def test_blur_grows_with_a_blur() -> None:
    blurs = [measure_blur(ORIGINAL.gaussblur(sigma) if sigma else ORIGINAL) for sigma in (0, 0.5, 1, 2, 4)]
    assert blurs == sorted(blurs)
    assert blurs[0] < 0.5 < blurs[-1]
    assert measure_blur(pyvips.Image.black(64, 64)) == 1.0


def test_blur_agrees_with_another_implementation() -> None:
    """scikit-image measures gradients by Sobel's filter: its numbers are larger, in the same order."""
    images = [ORIGINAL, ORIGINAL.gaussblur(1), ORIGINAL.gaussblur(3)]
    ours = [measure_blur(image) for image in images]
    theirs = [float(blur_effect(image.numpy(), channel_axis=2)) for image in images]
    assert np.allclose(ours, theirs, atol=0.15)


def test_16_bits_are_converted_first() -> None:
    source = SOURCE.colourspace("rgb16")
    made, upscaler = upscale(restore, PLAN, source)
    assert upscaler.result is UpscaleResult.MODEL
    assert made is not None

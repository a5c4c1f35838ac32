"""Single steps of a render on small arrays of pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from darkroom.findings import Findings
from darkroom.imaging.formats.registry import TARGET_FORMATS
from darkroom.imaging.render.context import RenderContext, Step
from darkroom.imaging.render.steps import DECODE_STEPS, EDIT_STEPS
from darkroom.plan.geometry.layout import Size, compute_geometry
from darkroom.plan.model import Plan

type Array = NDArray[Any]


def build_image(pixels: Array) -> pyvips.Image:
    """Build the image of height × width × bands in ``pixels``; one or two bands are grey."""
    grey = pixels.ndim == 2 or pixels.shape[2] < 3
    sixteen = pixels.dtype == np.uint16
    meaning = ("grey16" if sixteen else "b-w") if grey else ("rgb16" if sixteen else "srgb")
    return pyvips.Image.new_from_array(np.ascontiguousarray(pixels)).copy(interpretation=meaning)


def build_context(
    *frames: Array | pyvips.Image,
    target: str = "png",
    orientation: int = 1,
    geometry: dict[str, Any] | None = None,
    mark: bytes | None = None,
    known: Findings | None = None,
    **options: Any,
) -> RenderContext:
    """Build the context of a plan of ``options`` on ``frames``, with fields of ``geometry`` in place of the plan's."""
    images = [one if isinstance(one, pyvips.Image) else build_image(one) for one in frames]
    plan = Plan("photo", **options)
    computed = compute_geometry(plan, Size(images[0].width, images[0].height), orientation)
    whole = replace(computed, **(geometry or {}))
    return RenderContext(plan, TARGET_FORMATS[target], whole, images, watermark=mark, findings=known)


def find_step(function: Callable[..., object], *, last: bool = False) -> Step:
    """Return the step of the pipeline that ``function`` makes, the last one where it makes several."""
    found = [step for step in (*DECODE_STEPS, *EDIT_STEPS) if step.__name__ == function.__name__]
    return found[-1 if last else 0]


def apply_step(
    function: Callable[..., object], *frames: Array | pyvips.Image, last: bool = False, **options: Any
) -> Array:
    """Return the pixels of the first frame after the step of ``function``, as height × width × bands."""
    context = build_context(*frames, **options)
    find_step(function, last=last)(context)
    return read_pixels(context.frames[0])


def read_pixels(image: pyvips.Image) -> Array:
    """Read ``image`` as height × width × bands."""
    pixels: Array = image.numpy()
    return pixels[..., None] if pixels.ndim == 2 else pixels


def draw_noise(height: int, width: int, bands: int, *, seed: int = 5, peak: int = 255) -> Array:
    """Draw random pixels, 16-bit where ``peak`` needs it."""
    values = np.random.default_rng(seed).integers(0, peak + 1, (height, width, bands))
    return values.astype(np.uint8 if peak <= 255 else np.uint16)

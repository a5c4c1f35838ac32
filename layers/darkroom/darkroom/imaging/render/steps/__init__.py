"""The steps of a render, in their order.

A step whose option is not set is neither called nor imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ....plan.model import Plan
from ....plan.option_plugins import get_plugin_texts, list_plugin_steps
from ..context import RenderContext, Step
from .common import (
    add_margins,
    auto_orient,
    convert_cmyk,
    convert_to_srgb,
    crop,
    crop_to_cover,
    finalise,
    materialise,
    resize,
    rotate_and_flip,
    rotate_free,
)

if TYPE_CHECKING:
    import pyvips

    from ....plan.model import Clahe, Convolution, Lch, Matrix

_DEFAULTS = Plan("")


def _where(condition: Callable[[RenderContext], bool], run: Step) -> Step:
    """Return the step that does ``run`` where ``condition`` holds."""

    def step(context: RenderContext) -> None:
        if condition(context):
            run(context)

    step.__name__ = run.__name__.removeprefix("_")
    return step


def _when(option: Callable[[Plan], object], run: Step) -> Step:
    """Return the step that does ``run`` where the plan sets ``option``."""
    default = option(_DEFAULTS)
    return _where(lambda context: option(context.plan) != default, run)


def _map[Value](option: Callable[[Plan], Value | None], change: Callable[[pyvips.Image, Value], pyvips.Image]) -> Step:
    """Return the step that changes each frame by ``change``, given the plan's value of ``option``, where it is set."""
    default = option(_DEFAULTS)

    def step(context: RenderContext) -> None:
        value = option(context.plan)
        if value is not None and value != default:
            context.map_frames(lambda frame: change(frame, value))

    step.__name__ = change.__name__.removeprefix("_")
    return step


def _redact(context: RenderContext) -> None:
    from .redact import redact

    redact(context)


def _crop_to_attention(context: RenderContext) -> None:
    from .trim import crop_to_attention

    crop_to_attention(context)


def _trim(context: RenderContext) -> None:
    from .trim import trim

    trim(context)


def _cut_out(context: RenderContext) -> None:
    from .cutout import cut_out

    cut_out(context)


def _enhance(context: RenderContext) -> None:
    from .enhance import enhance

    enhance(context)


def _darken_red_eyes(context: RenderContext) -> None:
    from .redact import darken_red_eyes

    darken_red_eyes(context)


def _apply_median(frame: pyvips.Image, side_px: int) -> pyvips.Image:
    from .effects import apply_median

    return apply_median(frame, side_px)


def _denoise(frame: pyvips.Image, strength: int) -> pyvips.Image:
    from .effects import denoise

    return denoise(frame, strength)


def _equalise_locally(context: RenderContext) -> None:
    from .levels import equalise_locally

    equalise_locally(context)


def _equalise_histogram(context: RenderContext) -> None:
    from .levels import equalise_histogram

    equalise_histogram(context)


def _apply_threshold(frame: pyvips.Image, threshold: int) -> pyvips.Image:
    from .tone import apply_threshold

    return apply_threshold(frame, threshold)


def _apply_curves(context: RenderContext) -> None:
    from .tone import apply_curves

    apply_curves(context)


def _apply_colour_matrix(frame: pyvips.Image, matrices: Matrix) -> pyvips.Image:
    from .tone import apply_colour_matrix

    return apply_colour_matrix(frame, matrices)


def _adjust_tone(context: RenderContext) -> None:
    from .tone import adjust_tone

    adjust_tone(context)


def _modulate_lch(frame: pyvips.Image, change: Lch) -> pyvips.Image:
    from .tone import modulate_lch

    return modulate_lch(frame, change)


def _convolve(frame: pyvips.Image, kernel: Convolution) -> pyvips.Image:
    from .effects import convolve

    return convolve(frame, kernel)


def _blur(frame: pyvips.Image, sigma_px: float) -> pyvips.Image:
    from .effects import blur

    return blur(frame, sigma_px)


def _sharpen(frame: pyvips.Image, sigma_px: float) -> pyvips.Image:
    from .effects import sharpen

    return sharpen(frame, sigma_px)


def _pixelate(frame: pyvips.Image, side: int) -> pyvips.Image:
    from .effects import pixelate

    return pixelate(frame, side)


def _add_noise(context: RenderContext) -> None:
    from .effects import add_noise

    add_noise(context)


def _add_watermark(context: RenderContext) -> None:
    from .overlay import add_watermark

    add_watermark(context)


def _add_second_watermark(context: RenderContext) -> None:
    from .overlay import add_second_watermark

    add_second_watermark(context)


def _normalise_late(context: RenderContext) -> None:
    from .levels import normalise_late

    normalise_late(context)


def _equalise_in_window(frame: pyvips.Image, clahe: Clahe) -> pyvips.Image:
    from .tone import equalise_in_window

    return equalise_in_window(frame, clahe)


def _tint(context: RenderContext) -> None:
    from .tone import tint

    tint(context)


def _change_alpha(context: RenderContext) -> None:
    from .tone import change_alpha

    change_alpha(context)


def _round_corners(context: RenderContext) -> None:
    from .shape import round_corners

    round_corners(context)


def _crop_to_ellipse(context: RenderContext) -> None:
    from .shape import crop_to_ellipse

    crop_to_ellipse(context)


def _fill_from_image(context: RenderContext) -> None:
    from .fill import fill_from_image

    fill_from_image(context)


def _fill_background(context: RenderContext) -> None:
    from .fill import fill_background

    fill_background(context)


def _add_watermark_last(context: RenderContext) -> None:
    from .overlay import add_watermark_last

    add_watermark_last(context)


def _overlay_nine_patch(context: RenderContext) -> None:
    from .overlay import overlay_nine_patch

    overlay_nine_patch(context)


def run_plugins(context: RenderContext) -> None:
    """Run the steps of plug-ins on the finished image."""
    for step in list_plugin_steps(context.plan):
        step(context)


DECODE_STEPS: tuple[Step, ...] = (
    crop,
    convert_cmyk,
    _when(lambda plan: plan.redact, _redact),
    _when(lambda plan: plan.crop_to, _crop_to_attention),
    _when(lambda plan: plan.trim, _trim),
    resize,
    crop_to_cover,
    materialise,
)
"""Steps up to the point where the remaining pixels are in memory. The source is decoded while they run."""

EDIT_STEPS: tuple[Step, ...] = (
    auto_orient,
    convert_to_srgb,
    _when(lambda plan: plan.cutout, _cut_out),
    _when(lambda plan: (plan.enhance, plan.white_balance), _enhance),
    _when(lambda plan: plan.red_eye, _darken_red_eyes),
    rotate_and_flip,
    _when(lambda plan: plan.angle, rotate_free),
    _map(lambda plan: plan.median, _apply_median),
    _map(lambda plan: plan.denoise, _denoise),
    _when(lambda plan: plan.equalise, _equalise_locally),
    _when(lambda plan: plan.normalise, _equalise_histogram),
    _map(lambda plan: plan.threshold, _apply_threshold),
    _when(lambda plan: plan.curves, _apply_curves),
    _map(lambda plan: plan.matrix, _apply_colour_matrix),
    _when(lambda plan: (plan.gamma, plan.brightness, plan.contrast, plan.saturation, plan.grayscale), _adjust_tone),
    _map(lambda plan: plan.lch, _modulate_lch),
    _map(lambda plan: plan.convolution, _convolve),
    _map(lambda plan: plan.blur, _blur),
    _map(lambda plan: plan.sharpen, _sharpen),
    _map(lambda plan: plan.pixelate, _pixelate),
    _when(lambda plan: plan.noise, _add_noise),
    _when(lambda plan: plan.watermark, _add_watermark),
    _when(lambda plan: plan.second_watermark, _add_second_watermark),
    _when(lambda plan: plan.normalise, _normalise_late),
    _map(lambda plan: plan.clahe, _equalise_in_window),
    _when(lambda plan: plan.tint, _tint),
    _map(lambda plan: plan.late_matrix, _apply_colour_matrix),
    _when(lambda plan: plan.alpha, _change_alpha),
    _when(lambda plan: plan.radius, _round_corners),
    _when(lambda plan: plan.ellipse, _crop_to_ellipse),
    add_margins,
    _when(lambda plan: plan.background_fill, _fill_from_image),
    _where(lambda context: context.frames[0].hasalpha(), _fill_background),
    _when(lambda plan: plan.watermark_last, _add_watermark_last),
    _when(lambda plan: plan.nine_patch, _overlay_nine_patch),
    _when(get_plugin_texts, run_plugins),
    finalise,
)
"""Steps on the pixels in memory."""


def run_steps(steps: Iterable[Step], context: RenderContext) -> None:
    """Run ``steps`` in order on ``context``."""
    for step in steps:
        step(context)

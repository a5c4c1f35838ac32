"""The order of the processing steps, whatever order a URL has.

The order is: orient, crop, redact, trim, resize, to sRGB, rotate and flip, effects, watermark, radius, pad and
background. The steps of options that exist for other services' URLs have the place that they have there. One step runs
elsewhere because that is cheaper and gives the same image: ``auto_orient`` comes after the resize, since the geometry
has converted crop and size to the stored image's coordinates. CMYK is converted to sRGB before the resize.

``redact`` comes before every step that mixes or analyses pixels. After the effects, a cover would look the same, but
what it hides would already have leaked into its surroundings: through a blur, the kernel of the resize, an equalised
histogram, or the place of a trim or an attention crop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

from ...plan.model import Plan
from .context import RenderContext, Step
from .steps.canvas import add_margins, fill_background
from .steps.geometry import auto_orient, crop, crop_to_cover, resize, rotate_and_flip
from .steps.pixels import convert_cmyk, convert_to_srgb, finalise, materialise

_DEFAULTS = Plan("")


def _when(option: Callable[[Plan], object], path: str) -> Step:
    """Return the step ``path`` (``module.function`` of :mod:`.steps`), loaded and run where ``option`` is set."""
    module, _, name = path.partition(".")
    default = option(_DEFAULTS)

    def step(context: RenderContext) -> None:
        if option(context.plan) != default:
            function: Step = getattr(import_module(f".steps.{module}", __package__), name)
            function(context)

    step.__name__ = name
    return step


DECODE_STEPS: tuple[Step, ...] = (
    crop,
    convert_cmyk,
    _when(lambda plan: plan.redact, "redact.redact"),
    _when(lambda plan: plan.crop_to, "trim.crop_to_attention"),
    _when(lambda plan: plan.trim, "trim.trim"),
    resize,
    crop_to_cover,
    materialise,
)
"""Steps up to the point where the remaining pixels are in memory. The source is decoded while they run."""

EDIT_STEPS: tuple[Step, ...] = (
    auto_orient,
    convert_to_srgb,
    _when(lambda plan: plan.red_eye, "redact.darken_red_eyes"),
    rotate_and_flip,
    _when(lambda plan: plan.angle, "geometry.rotate_free"),
    _when(lambda plan: plan.median, "effects.apply_median"),
    _when(lambda plan: plan.denoise, "effects.denoise"),
    _when(lambda plan: plan.equalise, "levels.equalise_locally"),
    _when(lambda plan: plan.normalise, "levels.equalise_histogram"),
    _when(lambda plan: plan.threshold, "tone.apply_threshold"),
    _when(lambda plan: plan.curves, "tone.apply_curves"),
    _when(lambda plan: plan.matrix, "tone.apply_colour_matrix"),
    _when(
        lambda plan: (plan.gamma, plan.brightness, plan.contrast, plan.saturation, plan.grayscale), "tone.adjust_tone"
    ),
    _when(lambda plan: plan.lch, "tone.modulate_lch"),
    _when(lambda plan: plan.convolution, "effects.convolve"),
    _when(lambda plan: plan.blur, "effects.blur"),
    _when(lambda plan: plan.sharpen, "effects.sharpen"),
    _when(lambda plan: plan.pixelate, "effects.pixelate"),
    _when(lambda plan: plan.noise, "effects.add_noise"),
    _when(lambda plan: plan.watermark, "overlay.add_watermark"),
    _when(lambda plan: plan.second_watermark, "overlay.add_second_watermark"),
    _when(lambda plan: plan.normalise, "levels.normalise_late"),
    _when(lambda plan: plan.clahe, "tone.equalise_in_window"),
    _when(lambda plan: plan.tint, "tone.tint"),
    _when(lambda plan: plan.late_matrix, "tone.apply_late_matrix"),
    _when(lambda plan: plan.alpha, "tone.change_alpha"),
    _when(lambda plan: plan.radius, "shape.round_corners"),
    _when(lambda plan: plan.ellipse, "shape.crop_to_ellipse"),
    add_margins,
    _when(lambda plan: plan.background_fill, "canvas.fill_from_image"),
    fill_background,
    _when(lambda plan: plan.watermark_last, "overlay.add_watermark_last"),
    _when(lambda plan: plan.nine_patch, "overlay.overlay_nine_patch"),
    finalise,
)
"""Steps on the pixels in memory."""


def run_steps(steps: Iterable[Step], context: RenderContext) -> None:
    """Run ``steps`` in order on ``context``."""
    for step in steps:
        step(context)

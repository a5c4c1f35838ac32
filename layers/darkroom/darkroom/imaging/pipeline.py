"""The fixed order of work, whatever order a URL has.

The order is: orient, crop, redact, trim, resize, to sRGB, rotate and flip, effects, watermark, radius, pad and
background. What other services' URL languages have beside, stands where those have it. One step stands elsewhere
because that is cheaper and gives the same picture: ``orient`` comes after the resize, as the geometry has put crop and
size into the stored picture's coordinates. CMYK becomes sRGB before the resize.

``redact`` comes before everything that mixes pixels or looks at them. After the effects, where a cover would look the
same, what it hides had already run into what surrounds it: by a blur, by the kernel of the resize, by an equalised
histogram, by where trim and attention cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from ..plan.model import Plan
from .steps.background import fill_background
from .steps.blur import blur
from .steps.corners import round_corners
from .steps.cover import cover
from .steps.crop import crop
from .steps.denoise import denoise
from .steps.develop import develop
from .steps.equalise import equalise
from .steps.finish import finish
from .steps.ink import mix_ink
from .steps.margins import add_margins
from .steps.orient import orient
from .steps.redact import redact
from .steps.resize import resize
from .steps.sharpen import sharpen
from .steps.srgb import convert
from .steps.tone import tone
from .steps.trim import trim
from .steps.turn import turn
from .steps.watermark import stamp
from .work import Step, Work

_PLAIN = Plan("")


def _rarely(field: str, place: str) -> Step:
    """The step at ``place`` (``module.function`` of :mod:`.steps`), loaded where a plan says anything in ``field``."""
    module, _, name = place.partition(".")
    nothing = getattr(_PLAIN, field)

    def step(work: Work) -> None:
        if getattr(work.plan, field) != nothing:
            verb: Step = getattr(import_module(f".steps.{module}", __package__), name)
            verb(work)

    step.__name__ = name
    return step


EXPOSE: tuple[Step, ...] = (crop, mix_ink, redact, _rarely("cut", "cut.cut"), trim, resize, cover, develop)
"""Until the pixels that are kept are in memory: decoding happens here."""

RETOUCH: tuple[Step, ...] = (
    orient,
    convert,
    _rarely("red_eye", "redeye.darken_red_eyes"),
    turn,
    _rarely("angle", "tilt.tilt"),
    _rarely("median", "median.smooth"),
    denoise,
    equalise,
    _rarely("levels", "levels.equalise_histogram"),
    _rarely("threshold", "threshold.separate"),
    _rarely("curves", "curves.bend"),
    _rarely("matrix", "matrix.mix"),
    tone,
    _rarely("lch", "late_tones.change_lch"),
    _rarely("convolution", "convolve.convolve"),
    blur,
    sharpen,
    _rarely("pixelate", "pixelate.pixelate"),
    _rarely("noise", "grain.add_grain"),
    stamp,
    _rarely("second_watermark", "stamping.stamp_second"),
    _rarely("levels", "levels.adjust_levels_late"),
    _rarely("clahe", "late_tones.equalise_window"),
    _rarely("tint", "late_tones.tint"),
    _rarely("late_matrix", "late_tones.mix_late"),
    _rarely("alpha", "late_tones.change_alpha"),
    round_corners,
    _rarely("ellipse", "ellipse.cut_ellipse"),
    add_margins,
    _rarely("backdrop", "backdrop.lay_backdrop"),
    fill_background,
    _rarely("mark_last", "stamping.stamp_last"),
    _rarely("framed", "frame.put_frame"),
    finish,
)
"""Everything that is done to them."""


def run(steps: Iterable[Step], work: Work) -> None:
    """Put ``work`` through ``steps``."""
    for step in steps:
        step(work)

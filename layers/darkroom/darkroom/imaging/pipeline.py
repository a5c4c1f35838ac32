"""The fixed order of work, whatever order a URL has.

The order is: orient, crop, redact, trim, resize, to sRGB, rotate and flip, effects, watermark, radius, pad and
background. One step stands elsewhere because that is cheaper and gives the same picture: ``orient`` comes after the
resize, as the geometry has put crop and size into the stored picture's coordinates. CMYK becomes sRGB before the
resize.

``redact`` comes before everything that mixes pixels or looks at them. After the effects, where a cover would look the
same, what it hides had already run into what surrounds it: by a blur, by the kernel of the resize, by an equalised
histogram, by where trim and attention cut.
"""

from __future__ import annotations

from collections.abc import Iterable

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

EXPOSE: tuple[Step, ...] = (crop, mix_ink, redact, trim, resize, cover, develop)
"""Until the pixels that are kept are in memory: decoding happens here."""

RETOUCH: tuple[Step, ...] = (
    orient,
    convert,
    turn,
    denoise,
    equalise,
    tone,
    blur,
    sharpen,
    stamp,
    round_corners,
    add_margins,
    fill_background,
    finish,
)
"""Everything that is done to them."""


def run(steps: Iterable[Step], work: Work) -> None:
    """Put ``work`` through ``steps``."""
    for step in steps:
        step(work)

"""Rows that differ from thumbor 7.8, each with its reason. docs/reference/dialects/thumbor.md lists the same."""

from __future__ import annotations

import re
from typing import NamedTuple


class Difference(NamedTuple):
    """``pattern`` is searched in a row's path; ``what`` is ``refused``, ``size`` or ``look``."""

    what: str
    pattern: str
    reason: str


DIFFERENCES = (
    Difference("refused", "^500x400:600x500/.*tall", "a crop outside of the image is refused; thumbor ignores it"),
    Difference("size", "^trim:bottom-right.*/40x30:", "with a crop, the cropped image is trimmed"),
    Difference("size", r"frame\(", "thumbor 7.8 reads the nine-patch with a wrong pixel size (_nine_patch.c)"),
    Difference("size", "^fit-in/80x0/", "one side of fit-in may differ by 1 px: thumbor rounds it twice"),
    Difference("size", r"^fit-in/(500x100|100x500)/.*upscale\(\)/small", "upscale() may differ by 1 px"),
    Difference("refused", r"(?=.*fill\()(?=.*round_corner\()", "fill() and round_corner() have one colour"),
    Difference("size", r"rotate\(90\):fill\(", "fill() fills the box as it lies after rotate()"),
    Difference("size", r"proportion\(0.5\):upscale\(\)", "upscale() after proportion() does not enlarge again"),
    Difference("look", r"^[0-9]x[0-9]+/", "results of a few px on a side: thumbor cuts before it resizes"),
    Difference("look", r"/small", "an enlarged source: thumbor cuts it to whole px first"),
    Difference(
        "look", r"(/0x40|^fit-in/(80x0|57x991))/", "a small result of a JPEG: thumbor decodes it at a reduced size"
    ),
    Difference("look", r"saturation\(-1\)", "a weighted sum; thumbor takes the root of weighted squares"),
    Difference("look", r"quality\(0\)", "the image is compared without loss here"),
    Difference(
        "look",
        r"convolution\(-1.*alpha.png",
        "a kernel that finds edges leaves alpha alone; thumbor's result is transparent",
    ),
    Difference("look", r"fill\(transparent\)/wide", "thumbor keeps the source's type: JPEG makes the margins black"),
    Difference("look", r"fill\(blur\)/alpha", "the image is blurred without what is transparent"),
    Difference("look", r"format\((gif|jpeg)\)/alpha", "white stands behind transparency; thumbor drops alpha"),
    Difference("look", r"fill\(0000ff\):(grayscale|brightness|equalize)", "margins keep their colour"),
    Difference("look", r"watermark\(.*:(proportion|rotate)", "watermarks are not made smaller or turned"),
    Difference("look", r"round_corner\(.*:proportion", "corners are rounded after the image is made smaller"),
    Difference("look", r"grayscale\(\)/moving.gif", "thumbor does not change frames of an animation"),
    Difference("size", r"(rotate|fill)\(\w+\)/moving.gif", "thumbor does not turn or fill frames of an animation"),
)


def difference(what: str, path: str) -> Difference | None:
    """The documented difference that ``path`` is an example of."""
    return next((one for one in DIFFERENCES if one.what == what and re.search(one.pattern, path)), None)

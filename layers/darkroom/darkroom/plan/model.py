"""The Plan: what to make of a picture, as one frozen value.

A Plan is always in normal form: :func:`darkroom.plan.normal.plan_of` is the only way to build one from options, so that
two requests which mean the same are equal, hash alike and have one canonical path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

AUTO_CLASSES = ("auto-avif", "auto-webp", "auto-legacy")
"""What ``f=auto`` becomes at the edge, best first. The renderer picks the type within the class."""

PICTURE_FORMATS = ("jpeg", "png", "webp", "avif", "gif")
DATA_FORMATS = ("json", "thumbhash")
"""Formats that describe the whole source: no other option but ``page`` has a meaning for them."""

ANIMATED_FORMATS = frozenset({"auto", *AUTO_CLASSES, "webp", "gif"})
LOSSLESS_FORMATS = frozenset({"png", "gif"})

type Quality = int | Literal["auto"]
"""1–100 on JPEG's scale, or whatever makes the picture look as good as any other."""

AUTO: Literal["auto"] = "auto"
"""The quality that is chosen picture by picture."""

REDACTIONS = ("faces", "text", "all")
"""What can be hidden in a picture."""


class Gravity(NamedTuple):
    """Where a cover crop keeps. ``x`` and ``y`` are fractions of the upright picture, used by ``fp`` only.

    ``face`` keeps the faces that were found.
    """

    name: str = "center"
    x: float = 0.5
    y: float = 0.5


class Crop(NamedTuple):
    """A region of the upright source. ``unit`` is ``px`` (whole numbers) or ``pct`` (0–100, two decimals)."""

    unit: str
    x: float
    y: float
    width: float
    height: float


class Padding(NamedTuple):
    """Pixels added to each side of the finished picture."""

    top: int = 0
    right: int = 0
    bottom: int = 0
    left: int = 0


class Watermark(NamedTuple):
    """A configured watermark: ``opacity`` and ``scale`` in percent, scale of the output's width."""

    name: str
    position: str = "southeast"
    opacity: int = 100
    scale: int = 25


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make of the source ``key``. Sizes in pixels; field meanings are in the option table.

    ``findings`` is the generation of findings that a picture is made with which needs any. The edge chooses it, so
    requests have none.
    """

    key: str
    width: int | None = None
    height: int | None = None
    upscale: bool = False
    fit: str = "contain"
    gravity: Gravity = Gravity()
    crop: Crop | None = None
    rotate: int = 0
    flip: str = "none"
    trim: int = 0
    padding: Padding = Padding()
    background: str = ""
    radius: int = 0
    blur: float = 0.0
    sharpen: float = 0.0
    denoise: int = 0
    equalise: bool = False
    brightness: int = 0
    contrast: int = 0
    saturation: int = 0
    gamma: float = 1.0
    grayscale: bool = False
    watermark: Watermark | None = None
    redact: str = ""
    findings: str = ""
    format: str = "auto"
    quality: Quality | None = None
    animate: bool = True
    page: int = 0
    download: str = ""

"""The Plan: what to make of a picture, as one frozen value.

A Plan is always in normal form: :func:`darkroom.plan.normalize.build_plan` is the only way to build one from options.
Two requests which mean the same are therefore equal, hash alike and have one canonical path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

AUTO_CLASSES = ("auto-avif", "auto-webp", "auto-legacy")
"""What ``f=auto`` becomes at the edge, best first. The renderer picks the type within the class."""

IMAGE_FORMATS = ("jpeg", "png", "webp", "avif", "gif")
EXTENDED_FORMATS = ("tiff",)
"""Formats that other URL languages can ask for, and ours cannot."""

SOURCE_FORMATS = ("jpeg", "png", "webp", "gif", "avif", "heic", "tiff", "svg")
"""Formats of masters."""

DATA_FORMATS = ("json", "thumbhash")
"""Formats that describe the whole source: no other option but ``page`` has a meaning for them."""

ANIMATED_FORMATS = frozenset({"auto", *AUTO_CLASSES, "webp", "gif"})
LOSSLESS_FORMATS = frozenset({"png", "gif", "tiff"})

type Quality = int | Literal["auto"]
"""1–100 on JPEG's scale, or whatever makes the picture look as good as any other."""

AUTO_QUALITY: Literal["auto"] = "auto"
"""The quality that is chosen picture by picture."""

COMPASS_POINTS = ("center", "north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
"""Places in a picture."""

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


type Length = float
"""Pixels, or a part of the side that it is about where it is above −1, below 1 and not 0: imgproxy's rule."""


class CropTo(NamedTuple):
    """A region of the upright source by its size and by what it keeps. A side of 0 is the whole one.

    ``gravity`` is a compass word, ``attention`` or ``fp`` (a focal point at ``x`` and ``y``); ``dx`` and ``dy`` move
    the region inwards from where gravity puts it.
    """

    width: Length
    height: Length
    gravity: str = "center"
    x: float = 0.5
    y: float = 0.5
    dx: Length = 0.0
    dy: Length = 0.0


class Extension(NamedTuple):
    """Room around a result that is smaller than its box: up to the ``box``, or to the box's ``ratio`` of sides.

    ``place`` is a compass word: where the result stands. ``dx`` and ``dy`` move it inwards from there. With the place
    ``fp`` they are the point, as fractions of the room, that its middle is as near to as it can be.
    """

    to: str = "box"
    position: str = "center"
    dx: Length = 0.0
    dy: Length = 0.0


class Offset(NamedTuple):
    """How far what a cover keeps is moved inwards from where gravity puts it, in lengths of the scaled picture."""

    dx: Length = 0.0
    dy: Length = 0.0


class Focus(NamedTuple):
    """A point of the upright source, in px, that a cover keeps as near to its middle as it can."""

    x: int
    y: int


class Scale(NamedTuple):
    """Factors of the size that the box comes to, or of the source's own size where there is no box."""

    x: float = 1.0
    y: float = 1.0


class TrimOptions(NamedTuple):
    """What a trim takes for border: ``colour`` (hex, "" is that of a pixel) or the pixel in ``corner``.

    What is transparent is of a colour whose alpha is 0.

    ``equal`` names the axes (``h``, ``v``, ``hv``) on which both sides lose as much as the one that loses less.
    ``level`` is the threshold where it is not a whole number up to 100; 0: the plan's.
    """

    colour: str = ""
    corner: str = "northwest"
    equal: str = ""
    level: float = 0.0


class WatermarkLayout(NamedTuple):
    """Where a watermark stands, without the margin it has else, and how large it is.

    It is moved inwards by ``dx`` and ``dy``, perhaps partly out of the picture, or ``tiled`` from the middle on with
    that much room between. It fits into the parts ``width`` and ``height`` of the picture's sides (0: whatever its
    shape makes it), enlarged for it too; both 0: its own size.
    """

    dx: Length = 0.0
    dy: Length = 0.0
    tiled: bool = False
    width: float = 0.0
    height: float = 0.0


class Clahe(NamedTuple):
    """Histogram equalisation within a window of px around each pixel; ``slope`` bounds the contrast, 0 does not."""

    width: int
    height: int
    slope: int = 3


class Lch(NamedTuple):
    """A change in CIE LCh: factors of lightness and chroma, degrees of hue, and lightness that is added (0–100)."""

    brightness: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    lightness: float = 0.0


class Proportion(NamedTuple):
    """A factor of the finished size, whose sides are cut to whole px; one that would leave less than 1 px is ignored.

    ``canvas``: margins around the picture shrink with it. Without, they fill up the box as if there was no factor.
    """

    factor: float
    canvas: bool = True


class Ellipse(NamedTuple):
    """What is left of a picture, cut to it, the rest being transparent: radii and centre in px.

    A radius of 0 is half of the shorter side, a centre of 0 half of its own.
    """

    rx: int = 0
    ry: int = 0
    x: int = 0
    y: int = 0


class Convolution(NamedTuple):
    """Weights of a pixel's neighbours, row by row, ``columns`` each; ``normal``: their sum is divided by its sum."""

    columns: int
    normal: bool
    weights: tuple[float, ...]


class FaceCrop(NamedTuple):
    """The source cut to one face, by its ``rank`` (0 is the largest), with ``padding`` px on each side."""

    rank: int = 0
    padding: int = 0


type Matrix = tuple[float, ...]
"""Twelve numbers: for red, green and blue the weights of red, green and blue, and what is added; values are 0 to 1.

In a Plan also several matrices, one after the other: values are clipped after each.
"""

MAX_MATRICES = 4

type Curve = tuple[tuple[int, int], ...]
"""Points (from, to) of a tone curve, each 0–255, in rising order of the first; smooth between them."""

IDENTITY: Matrix = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make of the source ``key``. Sizes in pixels; field meanings are in the option tables.

    ``findings`` is the generation of findings that a picture is made with which needs any. The edge chooses it, so
    requests have none. The fields after ``download`` are what other services' URL languages ask for beyond our own
    (:mod:`.extended`).
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
    orient: bool = True
    inset: Padding = Padding()
    crop_to: CropTo | None = None
    face_crop: FaceCrop | None = None
    face_zoom: float = 0.0
    trim_options: TrimOptions = TrimOptions()
    trim_first: bool = False
    source_side: str = ""
    min_width: int | None = None
    min_height: int | None = None
    scale: Scale = Scale()
    pixel_ratio: float = 1.0
    max_side: int = 0
    even_centre: bool = False
    enlarge_only: bool = False
    one_side: bool = False
    proportion: Proportion | None = None
    cover_mode: str = ""
    adaptive: bool = False
    offset: Offset = Offset()
    focus: Focus | None = None
    extension: Extension | None = None
    angle: float = 0.0
    median: int = 0
    red_eye: bool = False
    normalise: str = ""
    curves: tuple[Curve, Curve, Curve, Curve] | None = None
    matrix: Matrix = IDENTITY
    lch: Lch | None = None
    clahe: Clahe | None = None
    tint: str = ""
    late_matrix: Matrix = IDENTITY
    alpha: str = ""
    threshold: int = 0
    convolution: Convolution | None = None
    pixelate: int = 0
    noise: int = 0
    watermark_layout: WatermarkLayout | None = None
    watermark_repeat: str = ""
    watermark_last: bool = False
    second_watermark: Watermark | None = None
    second_watermark_layout: WatermarkLayout | None = None
    second_watermark_repeat: str = ""
    nine_patch: bool = False
    radius_y: int = 0
    ellipse: Ellipse | None = None
    background_fill: str = ""
    margin_colour: str = ""
    passthrough_formats: tuple[str, ...] = ()
    max_bytes: int = 0
    baseline: bool = False
    append_extension: bool = False
    inline: bool = False

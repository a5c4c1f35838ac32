"""The Plan: how to render an image, as one immutable value.

A Plan is always in normal form: :func:`darkroom.plan.canonical.build_plan` is the only way to build one from options.
Requests with the same meaning have equal plans and one canonical path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Union

MAIN_FORMATS = {"auto-avif": "avif", "auto-webp": "webp", "auto-legacy": "jpeg"}
"""The format of most images of each class of ``f=auto``."""

AUTO_CLASSES = tuple(MAIN_FORMATS)
"""What ``f=auto`` becomes at the edge, best first. The renderer chooses the type within the class."""

IMAGE_FORMATS = ("jpeg", "png", "webp", "avif", "gif")
EXTENDED_FORMATS = ("tiff",)
"""Formats that only dialects can request."""

SOURCE_TYPES: dict[str, dict[str, tuple[str, ...]]] = {
    "jpeg": {"image/jpeg": ("jpg", "jpeg")},
    "png": {"image/png": ("png",)},
    "webp": {"image/webp": ("webp",)},
    "gif": {"image/gif": ("gif",)},
    "avif": {"image/avif": ("avif",)},
    "heic": {"image/heic": ("heic",), "image/heif": ("heif",)},
    "tiff": {"image/tiff": ("tif", "tiff")},
    "svg": {"image/svg+xml": ("svg",)},
}
"""Formats of masters: their media types, of which responses have the first one, each with its file extensions."""

SOURCE_FORMATS = tuple(SOURCE_TYPES)
SOURCE_MEDIA_TYPES = {media_type: name for name, types in SOURCE_TYPES.items() for media_type in types}
"""Media types of uploads, and the format of each."""

SOURCE_CONTENT_TYPES = {name: next(iter(types)) for name, types in SOURCE_TYPES.items()}
"""Media types of responses with the bytes of a master, by format."""

CONVERTED_TYPES: dict[str, dict[str, tuple[str, ...]]] = {
    "bmp": {"image/bmp": ("bmp",)},
    "ico": {"image/vnd.microsoft.icon": ("ico",)},
    "jp2": {"image/jp2": ("jp2",), "image/j2c": ("j2k",)},
    "jxl": {"image/jxl": ("jxl",)},
    "psd": {"image/vnd.adobe.photoshop": ("psd",)},
}
"""Formats of uploads that ingest can convert, in the form of :data:`SOURCE_TYPES`."""

DATA_FORMATS = ("json", "thumbhash")
"""Formats that describe the whole source. Only ``page``, and to JSON ``boxes``, apply to them."""

ANIMATED_FORMATS = frozenset({"auto", *AUTO_CLASSES, "webp", "gif"})
LOSSLESS_FORMATS = frozenset({"png", "gif", "tiff"})

Quality = Union[int, Literal["auto"]]
"""1–100 on JPEG's scale, or the quality at which every image looks equally good."""


class DefaultQuality(NamedTuple):
    """Qualities of images whose request has none, by lossy format, on JPEG's scale."""

    jpeg: int = 80
    webp: int = 80
    avif: int = 80

    def of(self, form: str) -> int:
        """Return the quality of ``form``, JPEG's for a lossless one, which has no use for it."""
        return {"webp": self.webp, "avif": self.avif}.get(form, self.jpeg)


DEFAULT_QUALITY = DefaultQuality()

Upscale = Union[bool, Literal["ai"]]

MODEL_UPSCALE: Literal["ai"] = "ai"
"""The image is enlarged by a model, in the background."""

AUTO_QUALITY: Literal["auto"] = "auto"
"""Quality chosen for each image."""

COMPASS_POINTS = ("center", "north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
"""Positions in an image."""

REDACTIONS = ("faces", "text", "pii", "all")
"""What can be redacted: ``pii`` is lines with personal data, ``all`` faces and text. Any other word is a class of the
deployment's detector of objects."""

GRAVITY_TASKS = {"face": "faces", "text": "text", "obj": "objects"}
"""Gravities that follow findings, and the task of each."""

SEARCHED = ("attention", "entropy", *GRAVITY_TASKS)
"""Gravities whose place is found in the pixels, or by models."""

RIGHTS: Literal["rights"] = "rights"
METADATA = ("none", RIGHTS)
"""What a served file has besides the image: nothing, or creator, copyright and licence."""


class Gravity(NamedTuple):
    """What a cover keeps. ``x`` and ``y`` are fractions of the upright image, for ``fp`` only.

    ``face`` keeps the detected faces, ``text`` the lines of text, ``obj`` the objects of the class ``label``.
    """

    name: str = "center"
    x: float = 0.5
    y: float = 0.5
    label: str = ""


class Crop(NamedTuple):
    """A region of the upright source. ``unit`` is ``px`` (whole numbers) or ``pct`` (0–100, two decimals)."""

    unit: str
    x: float
    y: float
    width: float
    height: float


class Padding(NamedTuple):
    """Pixels added to each side of the result."""

    top: int = 0
    right: int = 0
    bottom: int = 0
    left: int = 0


NO_WATERMARK = "none"
"""The name with which a request asks for an image without the watermark that is forced for others."""


class Watermark(NamedTuple):
    """A configured watermark: ``opacity`` in percent, and ``scale`` in percent of the output's width."""

    name: str
    position: str = "southeast"
    opacity: int = 100
    scale: int = 25


Length = float
"""Pixels, or a fraction of a side if it is between −1 and 1 and not 0: imgproxy's rule."""


class CropTo(NamedTuple):
    """A region of the upright source, by size and gravity. A side of 0 is the source's.

    ``gravity`` is a compass point, ``attention`` or ``fp`` (a focal point at ``x`` and ``y``). ``dx`` and ``dy`` move
    the region inwards from its position.
    """

    width: Length
    height: Length
    gravity: str = "center"
    x: float = 0.5
    y: float = 0.5
    dx: Length = 0.0
    dy: Length = 0.0


class Extension(NamedTuple):
    """A canvas around a result smaller than its box: ``to`` the size of the ``box``, or to its aspect ``ratio``.

    ``position`` is a compass point. ``dx`` and ``dy`` move the result inwards from it. With the position ``fp`` they
    are the point, in fractions of the canvas, on which it is centred.
    """

    to: str = "box"
    position: str = "center"
    dx: Length = 0.0
    dy: Length = 0.0


class Offset(NamedTuple):
    """Moves the window of a cover inwards from its position, in lengths of the scaled image."""

    dx: Length = 0.0
    dy: Length = 0.0


class Focus(NamedTuple):
    """A point of the upright source, in px, on which a cover is centred as far as possible."""

    x: int
    y: int


class Scale(NamedTuple):
    """Factors of the size that the box gives, or of the source's size without a box."""

    x: float = 1.0
    y: float = 1.0


class TrimOptions(NamedTuple):
    """The border that a trim removes: ``colour`` (hex), or the colour of the pixel in ``corner`` if it is empty.

    A colour with alpha 0 is transparency.

    ``equal``: the axes (``h``, ``v``, ``hv``) on which both sides lose as much as the side that loses less. ``level``:
    a threshold that is not a whole number up to 100; 0 is the plan's.
    """

    colour: str = ""
    corner: str = "northwest"
    equal: str = ""
    level: float = 0.0


class WatermarkLayout(NamedTuple):
    """The position of a watermark, without its usual margin, and its size.

    ``dx`` and ``dy`` move it inwards; it may be partly outside of the image. If it is ``tiled`` from the centre, they
    are the gaps. It is scaled, also up, to fit into the fractions ``width`` and ``height`` of the image's sides (0:
    follows from its shape); if both are 0, it has its own size.
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
    """A factor of the final size, rounded down to whole px; ignored if a side would have less than 1 px.

    ``canvas``: margins shrink too. Otherwise they fill the box as without a factor.
    """

    factor: float
    canvas: bool = True


class Ellipse(NamedTuple):
    """Crops to an ellipse, with transparency around it: radii and centre in px.

    A radius of 0 is half of the shorter side, a coordinate of 0 half of its side.
    """

    rx: int = 0
    ry: int = 0
    x: int = 0
    y: int = 0


class Convolution(NamedTuple):
    """Weights of a pixel's neighbours, in rows of ``columns``. ``normal``: the result is divided by their sum."""

    columns: int
    normal: bool
    weights: tuple[float, ...]


class FaceCrop(NamedTuple):
    """Crops the source to the face of this ``rank`` (0 is the largest), with ``padding`` px on each side."""

    rank: int = 0
    padding: int = 0


Matrix = tuple[float, ...]
"""Twelve numbers: for red, green and blue the weights of red, green and blue and an offset. Values are from 0 to 1.

A Plan may have several matrices in sequence. Values are clipped after each.
"""

MAX_MATRICES = 4

Curve = tuple[tuple[int, int], ...]
"""Points (from, to) of a tone curve, each 0–255, in ascending order of the first, with a smooth curve between."""

IDENTITY: Matrix = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to render the source ``key``. Sizes are in pixels; :data:`.options.OPTIONS` describes the fields.

    ``redact`` has the words of :data:`REDACTIONS`, and classes of objects, joined by dashes in normal form.
    ``findings`` is the generation of findings for a render that needs them, and ``rights`` writes creator, copyright
    and licence into the file. The edge function and dialects set them; requests have neither. Only dialects set the
    fields after ``download``.
    """

    key: str
    width: int | None = None
    height: int | None = None
    upscale: Upscale = False
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
    cutout: bool = False
    enhance: str = "none"
    white_balance: bool = False
    brightness: int = 0
    contrast: int = 0
    saturation: int = 0
    gamma: float = 1.0
    grayscale: bool = False
    watermark: Watermark | None = None
    overlays: str = ""
    redact: str = ""
    boxes: bool = False
    findings: str = ""
    rights: bool = False
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

"""The option table: every option once, as data.

Parsers, error messages, canonical paths, the page ``docs/reference/urls.md``, the form of the console and the edge
function's allow-list come from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import BadOption
from .compound_types import (
    CROP_TO,
    MAX_LENGTH_PX,
    PROPORTION,
    WATERMARK_LAYOUT,
    ConvolutionType,
    CropType,
    CurvesType,
    ExtensionType,
    GravityType,
    NumberTuple,
    PaddingType,
    RedactionType,
    TrimOptionsType,
    WatermarkType,
)
from .model import (
    AUTO_QUALITY,
    COMPASS_POINTS,
    DATA_FORMATS,
    IMAGE_FORMATS,
    MAX_MATRICES,
    METADATA,
    MODEL_UPSCALE,
    SOURCE_FORMATS,
    Clahe,
    Ellipse,
    FaceCrop,
    Focus,
    Lch,
    Offset,
    Padding,
    Plan,
    Scale,
)
from .option_types import (
    Choice,
    ChoiceList,
    Colour,
    Decimal,
    FileName,
    FixedPoint,
    Flag,
    FlagOrWord,
    Integer,
    IntegerChoice,
    OptionType,
    Pattern,
    PluginText,
    Value,
)

MAX_SIDE_PX = 8192


Effect = Literal["none", "orient", "crop", "resize", "colour", "filter", "edit"]
"""What an option changes in the image. ``none``: how another one is done, or how the file is encoded and served."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``plan_field`` is its field of :class:`Plan`; empty if it is folded into others or not in the plan.

    ``native``: clients can set it in URLs of our own. The other options are in canonical paths only: dialects set them,
    and the edge function does not implement them.
    """

    short: str
    long: str
    type: OptionType
    effect: Effect
    doc: str
    plan_field: str = ""
    native: bool = True

    @property
    def default(self) -> Value | None:
        """The field's value if the option is not given."""
        return getattr(_DEFAULTS, self.plan_field, None) if self.plan_field else None


_DEFAULTS = Plan(key="")
_AXES = Choice(("h", "v", "hv"))


def _native(short: str, long: str, option_type: OptionType, effect: Effect, doc: str) -> Option:
    """Return an option whose field of the plan has its long name."""
    return Option(short, long, option_type, effect, doc, long)


def _extended(short: str, option_type: OptionType, effect: Effect, doc: str, plan_field: str) -> Option:
    return Option(short, short, option_type, effect, doc, plan_field, native=False)


def _numbers(*values: float) -> tuple[float, ...]:
    return values


OPTIONS: tuple[Option, ...] = (
    _native("w", "width", Integer(1, MAX_SIDE_PX), "resize", "Width of the box in px."),
    _native("h", "height", Integer(1, MAX_SIDE_PX), "resize", "Height of the box in px."),
    Option("dpr", "pixel-ratio", FixedPoint(1, 4, 0.5), "none", "Multiplies w and h, which stay within their range."),
    _native(
        "up",
        "upscale",
        FlagOrWord(MODEL_UPSCALE),
        "none",
        "1 allows the image to be enlarged; ai does so by a model, in the background (signed URLs and presets only).",
    ),
    _native(
        "fit",
        "fit",
        Choice(("contain", "cover", "fill", "letterbox")),
        "none",
        "How the image fills the box of w and h: inside it, covering it (cropped), stretched, or inside with bg.",
    ),
    _native(
        "g",
        "gravity",
        GravityType((*COMPASS_POINTS, "attention", "entropy", "face", "text")),
        "none",
        "What fit=cover keeps: a side, the most salient or detailed part, faces, text, objects or a focal point.",
    ),
    _native("crop", "crop", CropType(65535), "crop", "Region of the upright source to keep, before all other steps."),
    _native("rot", "rotate", IntegerChoice((0, 90, 180, 270)), "orient", "Degrees clockwise, after the resize."),
    _native("flip", "flip", Choice(("none", "h", "v", "hv")), "orient", "Mirrors left-right, top-bottom or both."),
    _native(
        "trim", "trim", Integer(0, 100), "crop", "Removes a border whose colour differs by less than this; 0 is off."
    ),
    _native("pad", "padding", PaddingType(2048), "resize", "Adds a margin in px, coloured by bg."),
    _native("bg", "background", Colour(), "edit", "Colour of transparency and margins; default white or transparent."),
    _native("radius", "radius", Integer(0, MAX_SIDE_PX // 2), "crop", "Rounds the corners by px."),
    _native("blur", "blur", FixedPoint(0, 100), "filter", "Gaussian blur, sigma in px."),
    _native("sharp", "sharpen", FixedPoint(0, 10), "filter", "Sharpening of edges, sigma in px."),
    _native("denoise", "denoise", Integer(0, 10), "filter", "Strength of noise removal."),
    _native("equalise", "equalise", Flag(), "colour", "Local histogram equalisation (CLAHE)."),
    _native("bri", "brightness", Integer(-100, 100), "colour", "Brightness in percent."),
    _native("con", "contrast", Integer(-100, 100), "colour", "Contrast in percent."),
    _native("sat", "saturation", Integer(-100, 100), "colour", "Saturation in percent."),
    _native("gam", "gamma", FixedPoint(0.1, 5), "colour", "Gamma: above 1 brightens the shadows."),
    _native("gray", "grayscale", Flag(), "colour", "Converts to greyscale."),
    _native(
        "wm",
        "watermark",
        WatermarkType(COMPASS_POINTS),
        "edit",
        "Adds a configured watermark; `none` omits the one that the deployment forces, and needs a signature.",
    ),
    _native(
        "cutout", "cutout", Flag(), "edit", "Cuts out the foreground of page or frame 0: the rest becomes transparent."
    ),
    Option(
        "enh",
        "enh",
        Choice(("none", "auto")),
        "colour",
        "auto corrects exposure, black point and white balance.",
        "enhance",
    ),
    Option("wb", "wb", Flag(), "colour", "Corrects the white balance alone.", "white_balance"),
    _native(
        "ov",
        "overlays",
        PluginText(500, "text:..., image:... or several separated by ;"),
        "edit",
        "Adds text and images over the result; signed URLs and presets only.",
    ),
    _native(
        "redact",
        "redact",
        RedactionType(),
        "edit",
        "Redacts faces, text, personal data or objects that were found in page or frame 0.",
    ),
    _native(
        "f",
        "format",
        Choice(("auto", *IMAGE_FORMATS, *DATA_FORMATS), (("jpg", "jpeg"),)),
        "none",
        "Output: the best format that the client accepts, one format, or data about the image.",
    ),
    _native(
        "q",
        "quality",
        Integer(1, 100, AUTO_QUALITY),
        "none",
        "Quality; default by format. auto chooses the number for each image, for equal visual quality.",
    ),
    _native("anim", "animate", Flag(), "none", "0 renders the first frame of an animation only."),
    _native("page", "page", Integer(0, 9999), "none", "Page of a document or frame of an animation, from 0."),
    _native("boxes", "boxes", Flag(), "none", "Adds boxes of faces, text and objects of page or frame 0 to f=json."),
    Option(
        "meta",
        "meta",
        Choice(METADATA),
        "none",
        "Metadata in the file: none, or creator, copyright and licence; default by the setting metadata.",
    ),
    Option(
        "preset",
        "preset",
        Pattern("[a-z0-9][a-z0-9-]{0,31}", "the name of a preset (a-z, 0-9 and -)"),
        "none",
        "A preset of the settings; other options override it.",
    ),
    _native("dl", "download", FileName(64), "none", "File name under which browsers save the image."),
    Option("exp", "expires", Integer(1, 9_999_999_999), "none", "Unix time in seconds at which a signed link expires."),
    Option(
        "s",
        "signature",
        Pattern("[A-Za-z0-9_-]{43}", "43 characters of base64url"),
        "none",
        "Signature of the request.",
    ),
    _extended("orient", Flag(), "none", "0 ignores the EXIF orientation; HEIF is always upright.", "orient"),
    _extended(
        "inset",
        NumberTuple(Padding, 4, 0, MAX_LENGTH_PX, True),
        "crop",
        "Pixels to remove from each side first.",
        "inset",
    ),
    _extended("cut", CROP_TO, "crop", "Region to keep, by size and gravity; after crop and inset.", "crop_to"),
    _extended("face", NumberTuple(FaceCrop, 2, 0, 4096, True), "crop", "Crops the source to one face.", "face_crop"),
    _extended("fz", FixedPoint(0, 1), "crop", "Zoom of g=face: 0 the whole cover, 1 the faces only.", "face_zoom"),
    _extended("trimx", TrimOptionsType(), "crop", "The border that trim removes.", "trim_options"),
    _extended("tfirst", Flag(), "none", "Trims before cut.", "trim_first"),
    _extended(
        "own",
        Choice(("w", "h")),
        "none",
        "Sets the missing side of the box to the width or height of the source.",
        "source_side",
    ),
    _extended("minw", Integer(1, 8192), "resize", "Minimum width in px; the box crops what exceeds it.", "min_width"),
    _extended("minh", Integer(1, 8192), "resize", "Minimum height in px; the box crops what exceeds it.", "min_height"),
    _extended(
        "zoom",
        NumberTuple(Scale, 2, 0.0001, 100),
        "resize",
        "Factors of the width and height that the box gives.",
        "scale",
    ),
    _extended(
        "prop", PROPORTION, "resize", "Factor of the final size; sides are rounded down to whole px.", "proportion"
    ),
    _extended(
        "cov",
        Choice(("clip", "flex", "uncut")),
        "none",
        "With fit=cover: clip crops a smaller source to the box without the aspect ratio of the box, flex covers only "
        "if source and box are both portrait or both landscape and contains otherwise, uncut covers without a crop.",
        "cover_mode",
    ),
    _extended("adapt", Flag(), "filter", "Swaps w and h if only one of source and box is landscape.", "adaptive"),
    _extended(
        "off",
        NumberTuple(Offset, 2, -MAX_LENGTH_PX, MAX_LENGTH_PX),
        "crop",
        "Moves the window of a cover inwards.",
        "offset",
    ),
    _extended(
        "focus",
        NumberTuple(Focus, 2, 0, MAX_LENGTH_PX, True),
        "crop",
        "Point of the source, in px, on which a cover is centred.",
        "focus",
    ),
    _extended(
        "ratio",
        Decimal(0.0001, 1000),
        "resize",
        "Multiplies sides, padding and offsets in px; without up=1 at most to the size of the source.",
        "pixel_ratio",
    ),
    _extended(
        "most",
        Integer(0, MAX_LENGTH_PX),
        "resize",
        "Longest side of the result, with padding and extension.",
        "max_side",
    ),
    _extended("even", Flag(), "none", "Centres as imgproxy does, with halves rounded to even numbers.", "even_centre"),
    _extended("one", Flag(), "none", "Stretches the side that is given; the other one stays.", "one_side"),
    _extended("grow", Flag(), "none", "Only enlarges: fit=contain does not make anything smaller.", "enlarge_only"),
    _extended(
        "ext",
        ExtensionType(COMPASS_POINTS),
        "resize",
        "Canvas around a result that is smaller than the box.",
        "extension",
    ),
    _extended(
        "angle",
        FixedPoint(0, 359.99),
        "orient",
        "Degrees clockwise, after rot and flip; the corners show bgm or bg.",
        "angle",
    ),
    _extended("med", Integer(0, 21), "filter", "Side of a median filter in px.", "median"),
    _extended("reye", Flag(), "colour", "Corrects red eyes in detected faces.", "red_eye"),
    _extended(
        "lev",
        Choice(("stretch", "equal", "after")),
        "colour",
        "Stretches lightness to the full range or equalises its histogram, before other tones or after watermarks.",
        "normalise",
    ),
    _extended("curve", CurvesType(), "colour", "Tone curves of all channels together and of each.", "curves"),
    _extended(
        "mat",
        NumberTuple(_numbers, 12, -100, 100, max_repeats=MAX_MATRICES),
        "colour",
        "Colour matrices with offsets, in sequence; values are clipped after each.",
        "matrix",
    ),
    _extended(
        "lch",
        NumberTuple(Lch, 4, -1000, 1000),
        "colour",
        "In CIE LCh: factors of lightness and chroma, degrees of hue, and lightness to add.",
        "lch",
    ),
    _extended(
        "clahe",
        NumberTuple(Clahe, 3, 0, MAX_LENGTH_PX, True),
        "colour",
        "Histogram equalisation in a window of this width and height; the third number limits contrast.",
        "clahe",
    ),
    _extended("tint", Colour(), "colour", "Tints with a colour; black and white stay.", "tint"),
    _extended(
        "late",
        NumberTuple(_numbers, 12, -100, 100, max_repeats=MAX_MATRICES),
        "colour",
        "As mat, after other tones.",
        "late_matrix",
    ),
    _extended(
        "alpha",
        Choice(("invert", "drop", "threshold")),
        "colour",
        "Inverts or drops alpha, or applies thr to it.",
        "alpha",
    ),
    _extended(
        "thr",
        Integer(0, 255),
        "colour",
        "Makes this lightness and above white and the rest black; 0 is off.",
        "threshold",
    ),
    _extended("conv", ConvolutionType(), "filter", "A convolution.", "convolution"),
    _extended("pix", Integer(0, 1024), "filter", "Side of the squares of a mosaic, in px.", "pixelate"),
    _extended("noise", Integer(0, 100), "filter", "Noise of this amplitude, in levels of 255.", "noise"),
    _extended(
        "wmx", WATERMARK_LAYOUT, "none", "Position and size of the watermark, without a margin.", "watermark_layout"
    ),
    _extended("rep", _AXES, "none", "Repeats the watermark along these axes, with equal gaps.", "watermark_repeat"),
    _extended("wml", Flag(), "none", "Adds the watermark last, over margins too.", "watermark_last"),
    _extended(
        "wm2", WatermarkType(COMPASS_POINTS), "edit", "A second watermark, over the first one.", "second_watermark"
    ),
    _extended(
        "wmx2", WATERMARK_LAYOUT, "none", "Position and size of the second watermark.", "second_watermark_layout"
    ),
    _extended("rep2", _AXES, "none", "Repeats the second watermark.", "second_watermark_repeat"),
    _extended("frm", Flag(), "resize", "Stretches the watermark around the image as a nine-patch.", "nine_patch"),
    _extended(
        "ry",
        Integer(0, 4096),
        "crop",
        "Vertical radius of rounded corners; each radius is at most half of its side.",
        "radius_y",
    ),
    _extended("ell", NumberTuple(Ellipse, 4, 0, MAX_LENGTH_PX, True), "crop", "Crops to an ellipse.", "ellipse"),
    _extended(
        "bgx",
        Choice(("blur", "auto", "blurall", "autoall")),
        "edit",
        "Fills margins with the blurred image or its mean colour; with all, transparency too.",
        "background_fill",
    ),
    _extended(
        "bgm",
        Colour(),
        "edit",
        "Colour of margins and corners only; unlike with bg, transparency of the image stays.",
        "margin_colour",
    ),
    _extended(
        "skip",
        ChoiceList((*SOURCE_FORMATS, "all")),
        "none",
        "Source formats that are returned unmodified.",
        "passthrough_formats",
    ),
    _extended(
        "mb", Integer(0, 2_000_000_000), "none", "Maximum bytes: quality is lowered until the result fits.", "max_bytes"
    ),
    _extended("base", Flag(), "none", "Makes JPEGs baseline instead of progressive.", "baseline"),
    _extended("dlx", Flag(), "none", "Appends the extension of the format to the name.", "append_extension"),
    _extended("inl", Flag(), "none", "Makes browsers show the image instead of saving it.", "inline"),
)

NATIVE_OPTIONS = tuple(option for option in OPTIONS if option.native)
EXTENDED_OPTIONS = tuple(option for option in OPTIONS if not option.native)

GENERATION_TYPE = Pattern("[a-z0-9]{1,8}", "1 to 8 characters of a-z and 0-9")
"""A generation of findings: a set of models in certain versions."""

FINDINGS_OPTION = _extended("fv", GENERATION_TYPE, "none", "Generation of the findings to render with.", "findings")
"""Set by the edge function, in canonical paths only."""

RIGHTS_OPTION = _extended("cr", Flag(), "none", "Writes creator, copyright and licence into the file.", "rights")
"""What ``meta`` becomes, in canonical paths only: a signature covers the image, not this."""

OPTIONS_BY_NAME: dict[str, Option] = {name: option for option in NATIVE_OPTIONS for name in (option.short, option.long)}
"""The options of native URLs by both names."""

OPTIONS_BY_SHORT: dict[str, Option] = {option.short: option for option in (*OPTIONS, FINDINGS_OPTION, RIGHTS_OPTION)}
"""The options of canonical paths, and those of native URLs that are not in one."""

CANONICAL_OPTIONS: tuple[Option, ...] = tuple(
    sorted((o for o in OPTIONS_BY_SHORT.values() if o.plan_field and o.short != "f"), key=lambda o: o.short)
)
"""The options of a canonical path in its order. The format is the path's extension."""


def uses_extended_options(plan: Plan) -> bool:
    """Return whether ``plan`` has an option that native URLs cannot set."""
    return any(getattr(plan, option.plan_field) != option.default for option in EXTENDED_OPTIONS)


def make_bad_option(option: Option, text: str) -> BadOption:
    """Make the error for ``text`` as a value of ``option``. It has the option, the value and the allowed values."""
    return BadOption(
        f"{option.short} must be {option.type.allowed_values}, but is '{escape_text(text)}'", option=option.short
    )


def escape_text(text: str) -> str:
    """Make a client's text safe for a response: at most 40 characters, percent-encoded if not printable ASCII.

    It is encoded before it is cut, because Python and JavaScript count the length of other characters differently.
    """
    ascii_text = "".join(chr(byte) if 0x20 <= byte < 0x7F else f"%{byte:02X}" for byte in text.encode())
    return ascii_text if len(ascii_text) <= 40 else ascii_text[:40] + "..."

"""The table of borrowed options: what each is, as data. Their spelling is for canonical paths alone."""

from __future__ import annotations

from dataclasses import dataclass

from ..compound_types import WatermarkType
from ..model import (
    COMPASS_POINTS,
    MAX_MATRICES,
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
from ..option_types import Choice, Colour, FixedPoint, Flag, Integer, OptionType, Value
from .option_types import (
    MAX_LENGTH_PX,
    ChoiceList,
    ConvolutionType,
    CropToType,
    CurvesType,
    Decimal,
    Degrees,
    ExtensionType,
    NumberTuple,
    ProportionType,
    TrimOptionsType,
    WatermarkLayoutType,
)

SOURCE_FORMATS = ("jpeg", "png", "webp", "gif", "avif", "heic", "tiff", "svg")
"""What a master can be."""


def _numbers(*values: float) -> tuple[float, ...]:
    return values


@dataclass(frozen=True, slots=True)
class ExtendedOption:
    """One option. ``plan_field`` is its field of :class:`~..model.Plan`."""

    short: str
    type: OptionType
    doc: str
    plan_field: str

    @property
    def default(self) -> Value | None:
        """The field's value where the option is not given."""
        value: Value | None = getattr(_DEFAULTS, self.plan_field)
        return value

    @property
    def long(self) -> str:
        return self.short


_DEFAULTS = Plan(key="")

_AXES = Choice(("h", "v", "hv"))

EXTENDED_OPTIONS: tuple[ExtendedOption, ...] = (
    ExtendedOption("orient", Flag(), "0 leaves it as it is stored, whatever EXIF says; HEIF is upright.", "orient"),
    ExtendedOption(
        "inset", NumberTuple(Padding, 4, 0, MAX_LENGTH_PX, True), "Pixels that each side loses first.", "inset"
    ),
    ExtendedOption(
        "cut",
        CropToType((*COMPASS_POINTS, "attention", "fp")),
        "Region that is kept, by its size; after crop and inset.",
        "crop_to",
    ),
    ExtendedOption("face", NumberTuple(FaceCrop, 2, 0, 4096, True), "Cuts the source to one face.", "face_crop"),
    ExtendedOption("fz", FixedPoint(0, 1), "How close g=face goes: 0 as far as ever, 1 the faces alone.", "face_zoom"),
    ExtendedOption("trimx", TrimOptionsType(), "What trim takes for border.", "trim_options"),
    ExtendedOption("tfirst", Flag(), "Trims before cut, which is of what is left.", "trim_first"),
    ExtendedOption(
        "own",
        Choice(("w", "h")),
        "The axis of the source that the missing side of the box is as long as.",
        "source_side",
    ),
    ExtendedOption("minw", Integer(1, 8192), "Least width in px; the box cuts what grows beyond it.", "min_width"),
    ExtendedOption("minh", Integer(1, 8192), "Least height in px; the box cuts what grows beyond it.", "min_height"),
    ExtendedOption(
        "zoom", NumberTuple(Scale, 2, 0.0001, 100), "Factors of the width and height that the box comes to.", "scale"
    ),
    ExtendedOption("prop", ProportionType(), "Factor of the finished size; sides are cut to whole px.", "proportion"),
    ExtendedOption(
        "cov",
        Choice(("clip", "flex", "uncut")),
        "With fit=cover: clip cuts a smaller source to the box without keeping the box's shape, flex covers only where "
        "source and box are both upright or both lying, and is contained else, uncut covers and cuts nothing.",
        "cover_mode",
    ),
    ExtendedOption("adapt", Flag(), "Swaps w and h where the source lies otherwise than the box.", "adaptive"),
    ExtendedOption("off", NumberTuple(Offset, 2, -MAX_LENGTH_PX, MAX_LENGTH_PX), "Moves what a cover keeps.", "offset"),
    ExtendedOption(
        "focus",
        NumberTuple(Focus, 2, 0, MAX_LENGTH_PX, True),
        "Point of the source that a cover keeps, in px.",
        "focus",
    ),
    ExtendedOption(
        "ratio",
        Decimal(0.0001, 1000),
        "Multiplies sides, padding and offsets in px; unless up=1 no further than the source has pixels for.",
        "pixel_ratio",
    ),
    ExtendedOption(
        "most", Integer(0, MAX_LENGTH_PX), "Longest side of the result, with padding and extension.", "max_side"
    ),
    ExtendedOption(
        "even", Flag(), "Places what is centred as imgproxy does, which rounds to even numbers.", "even_centre"
    ),
    ExtendedOption("one", Flag(), "Stretches to the one of w and h that is given; the other side stays.", "one_side"),
    ExtendedOption("grow", Flag(), "Only enlarges: with fit=contain nothing becomes smaller.", "enlarge_only"),
    ExtendedOption(
        "ext", ExtensionType(COMPASS_POINTS), "Room around a result that is smaller than the box.", "extension"
    ),
    ExtendedOption("angle", Degrees(), "Degrees clockwise, after rot and flip; the corners show bgm or bg.", "angle"),
    ExtendedOption("med", Integer(0, 21), "Side of a median filter in px.", "median"),
    ExtendedOption(
        "reye", Flag(), "Takes the red out of eyes that a flash has lit, where faces were found.", "red_eye"
    ),
    ExtendedOption(
        "lev",
        Choice(("stretch", "equal", "after")),
        "Stretches lightness to the whole range, or evens its histogram, before other tones or after watermarks.",
        "normalise",
    ),
    ExtendedOption("curve", CurvesType(), "Tone curves of all channels and of each.", "curves"),
    ExtendedOption(
        "mat",
        NumberTuple(_numbers, 12, -100, 100, max_repeats=MAX_MATRICES),
        "Colour matrices with offsets, one after the other; values are clipped after each.",
        "matrix",
    ),
    ExtendedOption(
        "lch",
        NumberTuple(Lch, 4, -1000, 1000),
        "In CIE LCh: factors of lightness and chroma, degrees of hue, and lightness that is added.",
        "lch",
    ),
    ExtendedOption(
        "clahe",
        NumberTuple(Clahe, 3, 0, MAX_LENGTH_PX, True),
        "Histogram equalisation in a window of this width and height, with contrast bounded by the third number.",
        "clahe",
    ),
    ExtendedOption("tint", Colour(), "Gives greys the hue of a colour; black and white stay.", "tint"),
    ExtendedOption(
        "late",
        NumberTuple(_numbers, 12, -100, 100, max_repeats=MAX_MATRICES),
        "As mat, after other tones.",
        "late_matrix",
    ),
    ExtendedOption(
        "alpha", Choice(("invert", "drop", "threshold")), "Inverts or drops alpha, or applies thr to it.", "alpha"
    ),
    ExtendedOption(
        "thr", Integer(0, 255), "Makes lightness from here on white and the rest black; 0 is off.", "threshold"
    ),
    ExtendedOption("conv", ConvolutionType(), "A convolution.", "convolution"),
    ExtendedOption("pix", Integer(0, 1024), "Side of the squares that pixels are made to, in px.", "pixelate"),
    ExtendedOption("noise", Integer(0, 100), "Grain, as wide as so many of 255 levels.", "noise"),
    ExtendedOption(
        "wmx", WatermarkLayoutType(), "The place and size of the watermark, without a margin.", "watermark_layout"
    ),
    ExtendedOption(
        "rep",
        _AXES,
        "Repeats the watermark from the near side on, with equal gaps, along these axes.",
        "watermark_repeat",
    ),
    ExtendedOption("wml", Flag(), "Lays the watermark over margins too, after the background.", "watermark_last"),
    ExtendedOption("wm2", WatermarkType(COMPASS_POINTS), "A second watermark, over the first one.", "second_watermark"),
    ExtendedOption(
        "wmx2", WatermarkLayoutType(), "The place and size of the second watermark.", "second_watermark_layout"
    ),
    ExtendedOption("rep2", _AXES, "Repeats the second watermark.", "second_watermark_repeat"),
    ExtendedOption(
        "frm", Flag(), "Makes the watermark a nine-patch that is stretched around the picture.", "nine_patch"
    ),
    ExtendedOption(
        "ry",
        Integer(0, 4096),
        "The vertical radius of rounded corners; each radius is at most half of its own side.",
        "radius_y",
    ),
    ExtendedOption(
        "ell", NumberTuple(Ellipse, 4, 0, MAX_LENGTH_PX, True), "Keeps an ellipse, cut to its bounds.", "ellipse"
    ),
    ExtendedOption(
        "bgx",
        Choice(("blur", "auto", "blurall", "autoall")),
        "Fills margins by the image blurred, or by its mean colour; with all, its own transparency too.",
        "background_fill",
    ),
    ExtendedOption(
        "bgm",
        Colour(),
        "Colour of margins and corners. The image's own transparency stays, other than with bg.",
        "margin_colour",
    ),
    ExtendedOption(
        "skip",
        ChoiceList((*SOURCE_FORMATS, "all")),
        "Types of source that are answered as they are.",
        "passthrough_formats",
    ),
    ExtendedOption("mb", Integer(0, 2_000_000_000), "Most bytes: quality goes down until it fits.", "max_bytes"),
    ExtendedOption("base", Flag(), "A JPEG that is not progressive.", "baseline"),
    ExtendedOption("dlx", Flag(), "Adds the extension of the picture's type to the name.", "append_extension"),
    ExtendedOption("inl", Flag(), "Shows what has a name instead of saving it.", "inline"),
)


def uses_extended_options(plan: Plan) -> bool:
    """Whether ``plan`` asks for anything that native URLs cannot."""
    return any(getattr(plan, option.plan_field) != option.default for option in EXTENDED_OPTIONS)

"""The table of borrowed options: what each is, as data. Their spelling is for canonical paths alone."""

from __future__ import annotations

from dataclasses import dataclass

from ..compound_types import WatermarkKind
from ..model import (
    COMPASS,
    MAX_MATRICES,
    Clahe,
    Ellipse,
    FaceCrop,
    Focus,
    Lch,
    Offset,
    Padding,
    Plan,
    Zoom,
)
from ..option_types import Choice, Colour, Fixed, Flag, Kind, Value, Whole
from .option_types import (
    MAX_LENGTH_PX,
    ConvolutionKind,
    CurvesKind,
    CutKind,
    Decimal,
    Degrees,
    ExtensionKind,
    Numbers,
    ProportionKind,
    Several,
    StampKind,
    TrimmingKind,
)

SOURCE_FORMATS = ("jpeg", "png", "webp", "gif", "avif", "heic", "tiff", "svg")
"""What a master can be."""


def _numbers(*values: float) -> tuple[float, ...]:
    return values


@dataclass(frozen=True, slots=True)
class Borrowed:
    """One option. ``plan_field`` is its field of :class:`~..model.Plan`."""

    short: str
    kind: Kind
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

BORROWED: tuple[Borrowed, ...] = (
    Borrowed("orient", Flag(), "0 leaves it as it is stored, whatever EXIF says; HEIF is upright.", "orient"),
    Borrowed("inset", Numbers(Padding, 4, 0, MAX_LENGTH_PX, True), "Pixels that each side loses first.", "inset"),
    Borrowed(
        "cut", CutKind((*COMPASS, "attention", "fp")), "Region that is kept, by its size; after crop and inset.", "cut"
    ),
    Borrowed("face", Numbers(FaceCrop, 2, 0, 4096, True), "Cuts the source to one face.", "face_crop"),
    Borrowed("fz", Fixed(0, 1), "How close g=face goes: 0 as far as ever, 1 the faces alone.", "face_zoom"),
    Borrowed("trimx", TrimmingKind(), "What trim takes for border.", "trimming"),
    Borrowed("tfirst", Flag(), "Trims before cut, which is of what is left.", "trim_first"),
    Borrowed(
        "own", Choice(("w", "h")), "The axis of the source that the missing side of the box is as long as.", "own_side"
    ),
    Borrowed("minw", Whole(1, 8192), "Least width in px; the box cuts what grows beyond it.", "min_width"),
    Borrowed("minh", Whole(1, 8192), "Least height in px; the box cuts what grows beyond it.", "min_height"),
    Borrowed("zoom", Numbers(Zoom, 2, 0.0001, 100), "Factors of the width and height that the box comes to.", "zoom"),
    Borrowed("prop", ProportionKind(), "Factor of the finished size; sides are cut to whole px.", "proportion"),
    Borrowed(
        "cov",
        Choice(("clip", "flex", "uncut")),
        "With fit=cover: clip cuts a smaller source to the box without keeping the box's shape, flex covers only where "
        "source and box are both upright or both lying, and is contained else, uncut covers and cuts nothing.",
        "covering",
    ),
    Borrowed("adapt", Flag(), "Swaps w and h where the source lies otherwise than the box.", "adapt"),
    Borrowed("off", Numbers(Offset, 2, -MAX_LENGTH_PX, MAX_LENGTH_PX), "Moves what a cover keeps.", "offset"),
    Borrowed(
        "focus", Numbers(Focus, 2, 0, MAX_LENGTH_PX, True), "Point of the source that a cover keeps, in px.", "focus"
    ),
    Borrowed(
        "ratio",
        Decimal(0.0001, 1000),
        "Multiplies sides, padding and offsets in px; unless up=1 no further than the source has pixels for.",
        "pixel_ratio",
    ),
    Borrowed("most", Whole(0, MAX_LENGTH_PX), "Longest side of the result, with padding and extension.", "max_side"),
    Borrowed("even", Flag(), "Places what is centred as imgproxy does, which rounds to even numbers.", "even_centre"),
    Borrowed("one", Flag(), "Stretches to the one of w and h that is given; the other side stays.", "one_side"),
    Borrowed("grow", Flag(), "Only enlarges: with fit=contain nothing becomes smaller.", "only_grow"),
    Borrowed("ext", ExtensionKind(COMPASS), "Room around a result that is smaller than the box.", "extension"),
    Borrowed("angle", Degrees(), "Degrees clockwise, after rot and flip; the corners show bgm or bg.", "angle"),
    Borrowed("med", Whole(0, 21), "Side of a median filter in px.", "median"),
    Borrowed("reye", Flag(), "Takes the red out of eyes that a flash has lit, where faces were found.", "red_eye"),
    Borrowed(
        "lev",
        Choice(("stretch", "equal", "after")),
        "Stretches lightness to the whole range, or evens its histogram, before other tones or after watermarks.",
        "levels",
    ),
    Borrowed("curve", CurvesKind(), "Tone curves of all channels and of each.", "curves"),
    Borrowed(
        "mat",
        Numbers(_numbers, 12, -100, 100, most=MAX_MATRICES),
        "Colour matrices with offsets, one after the other; values are clipped after each.",
        "matrix",
    ),
    Borrowed(
        "lch",
        Numbers(Lch, 4, -1000, 1000),
        "In CIE LCh: factors of lightness and chroma, degrees of hue, and lightness that is added.",
        "lch",
    ),
    Borrowed(
        "clahe",
        Numbers(Clahe, 3, 0, MAX_LENGTH_PX, True),
        "Histogram equalisation in a window of this width and height, with contrast bounded by the third number.",
        "clahe",
    ),
    Borrowed("tint", Colour(), "Gives greys the hue of a colour; black and white stay.", "tint"),
    Borrowed("late", Numbers(_numbers, 12, -100, 100, most=MAX_MATRICES), "As mat, after other tones.", "late_matrix"),
    Borrowed(
        "alpha", Choice(("invert", "drop", "threshold")), "Inverts or drops alpha, or applies thr to it.", "alpha"
    ),
    Borrowed("thr", Whole(0, 255), "Makes lightness from here on white and the rest black; 0 is off.", "threshold"),
    Borrowed("conv", ConvolutionKind(), "A convolution.", "convolution"),
    Borrowed("pix", Whole(0, 1024), "Side of the squares that pixels are made to, in px.", "pixelate"),
    Borrowed("noise", Whole(0, 100), "Grain, as wide as so many of 255 levels.", "noise"),
    Borrowed("wmx", StampKind(), "The place and size of the watermark, without a margin.", "stamp"),
    Borrowed("rep", _AXES, "Repeats the watermark from the near side on, with equal gaps, along these axes.", "repeat"),
    Borrowed("wml", Flag(), "Lays the watermark over margins too, after the background.", "mark_last"),
    Borrowed("wm2", WatermarkKind(COMPASS), "A second watermark, over the first one.", "second_watermark"),
    Borrowed("wmx2", StampKind(), "The place and size of the second watermark.", "second_stamp"),
    Borrowed("rep2", _AXES, "Repeats the second watermark.", "second_repeat"),
    Borrowed("frm", Flag(), "Makes the watermark a nine-patch that is stretched around the picture.", "framed"),
    Borrowed(
        "ry",
        Whole(0, 4096),
        "The vertical radius of rounded corners; each radius is at most half of its own side.",
        "radius_y",
    ),
    Borrowed("ell", Numbers(Ellipse, 4, 0, MAX_LENGTH_PX, True), "Keeps an ellipse, cut to its bounds.", "ellipse"),
    Borrowed(
        "bgx",
        Choice(("blur", "auto", "blurall", "autoall")),
        "Fills margins by the image blurred, or by its mean colour; with all, its own transparency too.",
        "backdrop",
    ),
    Borrowed(
        "bgm",
        Colour(),
        "Colour of margins and corners. The image's own transparency stays, other than with bg.",
        "margin_colour",
    ),
    Borrowed("skip", Several((*SOURCE_FORMATS, "all")), "Types of source that are answered as they are.", "skip"),
    Borrowed("mb", Whole(0, 2_000_000_000), "Most bytes: quality goes down until it fits.", "max_bytes"),
    Borrowed("base", Flag(), "A JPEG that is not progressive.", "baseline"),
    Borrowed("dlx", Flag(), "Adds the extension of the picture's type to the name.", "typed"),
    Borrowed("inl", Flag(), "Shows what has a name instead of saving it.", "inline"),
)


def borrows(plan: Plan) -> bool:
    """Whether ``plan`` asks for anything that native URLs cannot."""
    return any(getattr(plan, option.plan_field) != option.default for option in BORROWED)

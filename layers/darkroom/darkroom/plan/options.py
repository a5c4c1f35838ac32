"""The option table: every option once, as data.

From it come the parsers, the error messages, the reference page (``docs/reference/urls.md``), the console's form and
the edge
function's allow-list.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BadOption
from .compound_types import CropType, GravityType, PaddingType, WatermarkType
from .extended.options import EXTENDED_OPTIONS, ExtendedOption
from .model import AUTO_QUALITY, COMPASS_POINTS, DATA_FORMATS, IMAGE_FORMATS, REDACTIONS, Plan
from .option_types import Choice, Colour, FileName, FixedPoint, Flag, Integer, IntegerChoice, OptionType, Pattern, Value

MAX_SIDE_PX = 8192


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``plan_field`` is its field of :class:`Plan`, empty where it is folded away or not of the plan."""

    short: str
    long: str
    type: OptionType
    doc: str
    plan_field: str = ""

    @property
    def default(self) -> Value | None:
        """The field's value where the option is not given."""
        return getattr(_DEFAULTS, self.plan_field, None) if self.plan_field else None


_DEFAULTS = Plan(key="")

OPTIONS: tuple[Option, ...] = (
    Option("w", "width", Integer(1, MAX_SIDE_PX), "Width of the box in px.", "width"),
    Option("h", "height", Integer(1, MAX_SIDE_PX), "Height of the box in px.", "height"),
    Option("dpr", "pixel-ratio", FixedPoint(1, 4, 0.5), "Multiplies w and h, which stay within their range."),
    Option("up", "upscale", Flag(), "Lets the picture grow beyond its own size.", "upscale"),
    Option(
        "fit",
        "fit",
        Choice(("contain", "cover", "fill", "letterbox")),
        "How the picture fills the box of w and h: inside, over it (cut), stretched, or inside and filled up with bg.",
        "fit",
    ),
    Option(
        "g",
        "gravity",
        GravityType((*COMPASS_POINTS, "attention", "entropy", "face")),
        "What fit=cover keeps: a side, the most striking or the busiest part, the faces, or a focal point.",
        "gravity",
    ),
    Option("crop", "crop", CropType(65535), "Region of the upright source that is kept, before anything else.", "crop"),
    Option("rot", "rotate", IntegerChoice((0, 90, 180, 270)), "Degrees clockwise, after the resize.", "rotate"),
    Option("flip", "flip", Choice(("none", "h", "v", "hv")), "Mirrors left-right, top-bottom or both.", "flip"),
    Option("trim", "trim", Integer(0, 100), "Cuts a border whose colour differs less than this; 0 is off.", "trim"),
    Option("pad", "padding", PaddingType(2048), "Adds a margin in px, coloured by bg.", "padding"),
    Option(
        "bg",
        "background",
        Colour(),
        "Colour behind transparency and margins; without it white or transparent.",
        "background",
    ),
    Option("radius", "radius", Integer(0, MAX_SIDE_PX // 2), "Rounds the corners by px.", "radius"),
    Option("blur", "blur", FixedPoint(0, 100), "Gaussian blur, sigma in px.", "blur"),
    Option("sharp", "sharpen", FixedPoint(0, 10), "Sharpening of edges, sigma in px.", "sharpen"),
    Option("denoise", "denoise", Integer(0, 10), "Strength of noise removal.", "denoise"),
    Option("equalise", "equalise", Flag(), "Evens out contrast locally (CLAHE).", "equalise"),
    Option("bri", "brightness", Integer(-100, 100), "Brightness in percent.", "brightness"),
    Option("con", "contrast", Integer(-100, 100), "Contrast in percent.", "contrast"),
    Option("sat", "saturation", Integer(-100, 100), "Saturation in percent.", "saturation"),
    Option("gam", "gamma", FixedPoint(0.1, 5), "Gamma: above 1 brightens the shadows.", "gamma"),
    Option("gray", "grayscale", Flag(), "Takes the colour away.", "grayscale"),
    Option(
        "wm", "watermark", WatermarkType(COMPASS_POINTS), "Lays a configured watermark over the picture.", "watermark"
    ),
    Option("redact", "redact", Choice(REDACTIONS), "Hides faces, text or both. First page or frame only.", "redact"),
    Option(
        "f",
        "format",
        Choice(("auto", *IMAGE_FORMATS, *DATA_FORMATS), (("jpg", "jpeg"),)),
        "Output: the best the viewer accepts, one type, or data about the picture.",
        "format",
    ),
    Option(
        "q",
        "quality",
        Integer(1, 100, AUTO_QUALITY),
        "Quality; without it, each format's own default. auto looks alike for every picture, by whatever number.",
        "quality",
    ),
    Option("anim", "animate", Flag(), "0 takes the first frame of an animation.", "animate"),
    Option("page", "page", Integer(0, 9999), "Page of a document or frame of an animation, from 0.", "page"),
    Option(
        "preset",
        "preset",
        Pattern("[a-z0-9][a-z0-9-]{0,31}", "the name of a preset (a-z, 0-9 and -)"),
        "A preset of the settings; other options override what it says.",
    ),
    Option("dl", "download", FileName(64), "Makes browsers save the picture under this name.", "download"),
    Option("exp", "expires", Integer(1, 9_999_999_999), "Unix time in seconds from which a signed link is refused."),
    Option("s", "signature", Pattern("[A-Za-z0-9_-]{43}", "43 characters of base64url"), "Signature of the request."),
)

GENERATION_TYPE = Pattern("[a-z0-9]{1,8}", "1 to 8 characters of a-z and 0-9")
"""A generation of findings: a set of models in certain versions."""

FINDINGS_OPTION = Option(
    "fv", "findings", GENERATION_TYPE, "The generation of findings that the picture is made with.", "findings"
)
"""In canonical paths only: the edge writes it, and viewers know no such option."""

OPTIONS_BY_NAME: dict[str, Option] = {option.short: option for option in OPTIONS} | {
    option.long: option for option in OPTIONS
}
_ALL: tuple[Option | ExtendedOption, ...] = (*OPTIONS, FINDINGS_OPTION, *EXTENDED_OPTIONS)
OPTIONS_BY_SHORT: dict[str, Option | ExtendedOption] = {option.short: option for option in _ALL}
CANONICAL_OPTIONS: tuple[Option | ExtendedOption, ...] = tuple(
    sorted((o for o in OPTIONS_BY_SHORT.values() if o.plan_field and o.short != "f"), key=lambda o: o.short)
)
"""The options that appear in a canonical path, in its order. The format is the path's extension."""

NATIVE_FIELDS = frozenset(option.plan_field for option in (*OPTIONS, FINDINGS_OPTION))
"""The fields of a Plan that no other URL language brought."""


def make_bad_option(option: Option | ExtendedOption, text: str) -> BadOption:
    """The refusal of ``text`` as a value of ``option``: it names the option, the value and the range."""
    return BadOption(
        f"{option.short} must be {option.type.allowed_values}, but is '{escape_text(text)}'", option=option.short
    )


def escape_text(text: str) -> str:
    """A client's text as it appears in our answers: short, and percent-encoded where it is not printable ASCII.

    Encoded before it is cut, because the engines that read URLs do not agree on the length of other characters.
    """
    ascii_text = "".join(chr(byte) if 0x20 <= byte < 0x7F else f"%{byte:02X}" for byte in text.encode())
    return ascii_text if len(ascii_text) <= 40 else ascii_text[:40] + "..."

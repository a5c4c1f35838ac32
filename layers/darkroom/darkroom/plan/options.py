"""The option table: every option once, as data.

From it come the parsers, the error messages, the reference page (``docs/reference/urls.md``), the console's form and
the edge
function's allow-list.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BadOption
from .compound_types import CropKind, GravityKind, PaddingKind, WatermarkKind
from .extended.options import BORROWED, Borrowed
from .model import AUTO, COMPASS, DATA_FORMATS, PICTURE_FORMATS, REDACTIONS, Plan
from .option_types import Choice, Colour, FileName, Fixed, Flag, Kind, Value, Whole, WholeChoice, Word

MAX_SIDE_PX = 8192


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``plan_field`` is its field of :class:`Plan`, empty where it is folded away or not of the plan."""

    short: str
    long: str
    kind: Kind
    doc: str
    plan_field: str = ""

    @property
    def default(self) -> Value | None:
        """The field's value where the option is not given."""
        return getattr(_DEFAULTS, self.plan_field, None) if self.plan_field else None


_DEFAULTS = Plan(key="")

OPTIONS: tuple[Option, ...] = (
    Option("w", "width", Whole(1, MAX_SIDE_PX), "Width of the box in px.", "width"),
    Option("h", "height", Whole(1, MAX_SIDE_PX), "Height of the box in px.", "height"),
    Option("dpr", "pixel-ratio", Fixed(1, 4, 0.5), "Multiplies w and h, which stay within their range."),
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
        GravityKind((*COMPASS, "attention", "entropy", "face")),
        "What fit=cover keeps: a side, the most striking or the busiest part, the faces, or a focal point.",
        "gravity",
    ),
    Option("crop", "crop", CropKind(65535), "Region of the upright source that is kept, before anything else.", "crop"),
    Option("rot", "rotate", WholeChoice((0, 90, 180, 270)), "Degrees clockwise, after the resize.", "rotate"),
    Option("flip", "flip", Choice(("none", "h", "v", "hv")), "Mirrors left-right, top-bottom or both.", "flip"),
    Option("trim", "trim", Whole(0, 100), "Cuts a border whose colour differs less than this; 0 is off.", "trim"),
    Option("pad", "padding", PaddingKind(2048), "Adds a margin in px, coloured by bg.", "padding"),
    Option(
        "bg",
        "background",
        Colour(),
        "Colour behind transparency and margins; without it white or transparent.",
        "background",
    ),
    Option("radius", "radius", Whole(0, MAX_SIDE_PX // 2), "Rounds the corners by px.", "radius"),
    Option("blur", "blur", Fixed(0, 100), "Gaussian blur, sigma in px.", "blur"),
    Option("sharp", "sharpen", Fixed(0, 10), "Sharpening of edges, sigma in px.", "sharpen"),
    Option("denoise", "denoise", Whole(0, 10), "Strength of noise removal.", "denoise"),
    Option("equalise", "equalise", Flag(), "Evens out contrast locally (CLAHE).", "equalise"),
    Option("bri", "brightness", Whole(-100, 100), "Brightness in percent.", "brightness"),
    Option("con", "contrast", Whole(-100, 100), "Contrast in percent.", "contrast"),
    Option("sat", "saturation", Whole(-100, 100), "Saturation in percent.", "saturation"),
    Option("gam", "gamma", Fixed(0.1, 5), "Gamma: above 1 brightens the shadows.", "gamma"),
    Option("gray", "grayscale", Flag(), "Takes the colour away.", "grayscale"),
    Option("wm", "watermark", WatermarkKind(COMPASS), "Lays a configured watermark over the picture.", "watermark"),
    Option("redact", "redact", Choice(REDACTIONS), "Hides faces, text or both. First page or frame only.", "redact"),
    Option(
        "f",
        "format",
        Choice(("auto", *PICTURE_FORMATS, *DATA_FORMATS), (("jpg", "jpeg"),)),
        "Output: the best the viewer accepts, one type, or data about the picture.",
        "format",
    ),
    Option(
        "q",
        "quality",
        Whole(1, 100, AUTO),
        "Quality; without it, each format's own default. auto looks alike for every picture, by whatever number.",
        "quality",
    ),
    Option("anim", "animate", Flag(), "0 takes the first frame of an animation.", "animate"),
    Option("page", "page", Whole(0, 9999), "Page of a document or frame of an animation, from 0.", "page"),
    Option(
        "preset",
        "preset",
        Word("[a-z0-9][a-z0-9-]{0,31}", "the name of a preset (a-z, 0-9 and -)"),
        "A preset of the settings; other options override what it says.",
    ),
    Option("dl", "download", FileName(64), "Makes browsers save the picture under this name.", "download"),
    Option("exp", "expires", Whole(1, 9_999_999_999), "Unix time in seconds from which a signed link is refused."),
    Option("s", "signature", Word("[A-Za-z0-9_-]{43}", "43 characters of base64url"), "Signature of the request."),
)

GENERATION = Word("[a-z0-9]{1,8}", "1 to 8 characters of a-z and 0-9")
"""A generation of findings: a set of models in certain versions."""

FINDINGS = Option("fv", "findings", GENERATION, "The generation of findings that the picture is made with.", "findings")
"""In canonical paths only: the edge writes it, and viewers know no such option."""

BY_NAME: dict[str, Option] = {option.short: option for option in OPTIONS} | {option.long: option for option in OPTIONS}
_ALL: tuple[Option | Borrowed, ...] = (*OPTIONS, FINDINGS, *BORROWED)
BY_SHORT: dict[str, Option | Borrowed] = {option.short: option for option in _ALL}
CANONICAL: tuple[Option | Borrowed, ...] = tuple(
    sorted((o for o in BY_SHORT.values() if o.plan_field and o.short != "f"), key=lambda o: o.short)
)
"""The options that appear in a canonical path, in its order. The format is the path's extension."""

NATIVE_FIELDS = frozenset(option.plan_field for option in (*OPTIONS, FINDINGS))
"""The fields of a Plan that no other URL language brought."""


def misread(option: Option | Borrowed, text: str) -> BadOption:
    """The refusal of ``text`` as a value of ``option``: it names the option, the value and the range."""
    return BadOption(f"{option.short} must be {option.kind.expects}, but is '{printable(text)}'", option=option.short)


def printable(text: str) -> str:
    """A client's text as it appears in our answers: short, and percent-encoded where it is not printable ASCII.

    Encoded before it is cut, because the engines that read URLs do not agree on the length of other characters.
    """
    ascii_text = "".join(chr(byte) if 0x20 <= byte < 0x7F else f"%{byte:02X}" for byte in text.encode())
    return ascii_text if len(ascii_text) <= 40 else ascii_text[:40] + "..."

"""thumbor's filters, as the table that they are read by."""

from __future__ import annotations

from ..common.mapping import Covered, by_name, reader_of
from . import effects, output, placement
from .filter_calls import BOOLEAN, DECIMAL, NONZERO, NUMBER, POSITIVE, TEXT, WORD, Filter
from .model import Wanted

_CURVE = r"\[(?:\([0-9]+,[0-9]+\),?)*\]"
_PLACE = "-?[0-9]+p?|center|repeat"
_RATIO = "-?[0-9]+|none"


def apply(wanted: Wanted, name: str, call: str) -> None:
    """Take what filter ``name`` wants in ``call``. What is no filter, or no call of it, is left out, as in thumbor."""
    if name not in _TABLE:
        return
    known = reader_of(_TABLE, name)
    arguments = known.arguments(name, call)
    if arguments is not None:
        known.read(wanted, arguments)


def _nothing(wanted: Wanted, _: list[str]) -> None:
    pass


FILTERS: tuple[Covered[Filter], ...] = (
    Covered(
        "autojpg",
        arguments="[enabled]",
        note="Nothing to do: an opaque picture becomes a JPEG wherever the viewer accepts nothing better.",
        read=Filter(_nothing, (BOOLEAN,), 1),
    ),
    Covered(
        "background_color",
        arguments="color",
        to="bg",
        note="Behind margins too. A second colour, by fill() with fill_transparent, is refused.",
        read=Filter(effects.background_color, (WORD,)),
    ),
    Covered(
        "blur",
        arguments="radius[, sigma]",
        to="blur",
        note="By the spread of thumbor's kernel, which ends at the radius: less than sigma.",
        read=Filter(effects.blur, (NONZERO, DECIMAL), 1),
    ),
    Covered("brightness", arguments="amount", to="mat", read=Filter(effects.brightness, (NUMBER,))),
    Covered(
        "colorize",
        arguments="red_pct, green_pct, blue_pct, fill",
        to="mat",
        read=Filter(effects.colorize, (POSITIVE, POSITIVE, POSITIVE, TEXT)),
    ),
    Covered("contrast", arguments="amount", to="mat", read=Filter(effects.contrast, (NUMBER,))),
    Covered(
        "convolution",
        arguments="matrix, columns[, should_normalize]",
        to="conv",
        note="At most 49 weights; rows and columns are odd. Once.",
        read=Filter(effects.convolution, (rf"{DECIMAL}(?:;{DECIMAL})*", NONZERO, BOOLEAN), 1),
    ),
    Covered("cover", to="anim=0", read=Filter(output.cover)),
    Covered(
        "curve",
        arguments="all, red, green, blue: [(x,y),…]",
        to="curve",
        note="Of two points or more, with x rising from 0 to 255; as many points as fit into 267 characters. Once.",
        read=Filter(effects.curve, (_CURVE,) * 4),
    ),
    Covered("equalize", to="lev", read=Filter(effects.equalize)),
    Covered(
        "extract_focal",
        to="focus",
        note="Only a cover with both sides given keeps a focus, as in thumbor.",
        read=Filter(placement.extract_focal),
    ),
    Covered(
        "fill",
        arguments="color[, fill_transparent]",
        to="fit=letterbox, bgm, bgx, bg",
        note="One colour of margins and corners, with round_corner(). no_upscale() does not shrink what is filled.",
        read=Filter(placement.fill, (WORD, BOOLEAN), 1),
    ),
    Covered(
        "focal",
        arguments="LEFTxTOP:RIGHTxBOTTOM",
        to="focus",
        note="It goes before smart, where thumbor takes the mean.",
        read=Filter(placement.focal, (TEXT,)),
    ),
    Covered(
        "format",
        arguments="image-format",
        to="f",
        note="heic and heif are refused. Without it, what the viewer accepts.",
        read=Filter(output.file_format, (TEXT,)),
    ),
    Covered(
        "frame",
        arguments="url",
        to="wm, frm",
        note="A configured watermark, by the address of its key, as a nine-patch; anything else is refused. It goes "
        "around what the other filters make; a watermark() must stand before it.",
        read=Filter(placement.frame, (TEXT,)),
    ),
    Covered(
        "gifv",
        arguments="[webm]",
        note="Nothing to do: results are images, so an animation becomes WebP or GIF, as in thumbor without the "
        "optimizer. A page that shows it in a video element must show an image instead.",
        read=Filter(_nothing, (WORD,), 1),
    ),
    Covered("grayscale", to="mat, gray", read=Filter(effects.grayscale)),
    Covered(
        "max_age",
        arguments="max_age",
        note="Seconds that an answer may be kept, up to what the deployment allows; over 4.5 MB it is that.",
        read=Filter(output.max_age, (POSITIVE,)),
    ),
    Covered("max_bytes", arguments="number-of-bytes", to="mb", read=Filter(output.max_bytes, (POSITIVE,))),
    Covered(
        "no_upscale",
        to="up, cov=clip",
        note="What a crop has left is not enlarged either. Together with stretch() it is refused.",
        read=Filter(placement.no_upscale),
    ),
    Covered(
        "noise",
        arguments="amount[, seed]",
        to="noise",
        note="Up to 100. The seed is always the same. Once.",
        read=Filter(effects.noise, (POSITIVE, POSITIVE), 1),
    ),
    Covered(
        "proportion",
        arguments="percentage",
        to="prop",
        note="After fill() it shrinks the margins too. upscale() behind it is not repeated.",
        read=Filter(placement.proportion, (DECIMAL,)),
    ),
    Covered(
        "quality",
        arguments="amount",
        to="q",
        note="0 is taken for 1, more than 100 for 100.",
        read=Filter(output.quality, (POSITIVE,)),
    ),
    Covered(
        "red_eye",
        to="reye",
        note="By the faces that inference found. Without it nothing is done, as in thumbor without detectors.",
        read=Filter(effects.red_eye),
    ),
    Covered("rgb", arguments="rAmount, gAmount, bAmount", to="mat", read=Filter(effects.rgb, (NUMBER, NUMBER, NUMBER))),
    Covered(
        "rotate",
        arguments="angle",
        to="rot",
        note="Degrees counterclockwise; as in thumbor only by 90, else it is left out.",
        read=Filter(placement.rotate, (NUMBER,)),
    ),
    Covered(
        "round_corner",
        arguments="a_radius[|b_radius], r, g, b[, transparent]",
        to="radius, ry, bgm",
        note="Once.",
        read=Filter(effects.round_corner, (r"[0-9]+(?:\|[0-9]+)?", POSITIVE, POSITIVE, POSITIVE, BOOLEAN), 1),
    ),
    Covered(
        "saturation",
        arguments="amount",
        to="mat",
        note="By a weighted sum where thumbor takes the root of weighted squares.",
        read=Filter(effects.saturate, (DECIMAL,)),
    ),
    Covered(
        "sharpen",
        arguments="sharpen_amount, sharpen_radius, luminance_only",
        to="sharp",
        note="Of luminance only, with a sigma of 1 + radius / 2; any amount above 0 is one. Once.",
        read=Filter(effects.sharpen, (DECIMAL, DECIMAL, BOOLEAN)),
    ),
    Covered(
        "stretch",
        to="fit=fill",
        note="Together with orig or no_upscale() it is refused.",
        read=Filter(placement.stretch),
    ),
    Covered("strip_exif", note="Nothing to do: no answer has metadata.", read=Filter(_nothing)),
    Covered("strip_icc", note="Nothing to do: every answer is in sRGB.", read=Filter(_nothing)),
    Covered("upscale", to="up", read=Filter(placement.upscale)),
    Covered(
        "watermark",
        arguments="imageUrl, x, y, alpha[, w_ratio[, h_ratio]]",
        to="wm, wmx, rep, wm2, wmx2, rep2",
        note="A configured watermark, by the address of its key; anything else is refused. Ratios up to 100. At most "
        "two.",
        read=Filter(placement.watermark, (TEXT, _PLACE, _PLACE, POSITIVE, _RATIO, _RATIO), 2),
    ),
    Covered(
        "distributed_collage",
        arguments="orientation, alignment, urls",
        refused="an answer is of one picture here",
        note="A plug-in.",
        group="plug-in",
    ),
)

_TABLE = by_name(FILTERS)

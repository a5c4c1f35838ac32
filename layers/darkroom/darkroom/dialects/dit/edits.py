"""DIT's edits, as the table that they are read by: calls of sharp by name, and its own."""

from __future__ import annotations

from ..common.mapping import Covered, by_name, reader_of
from . import colour, overlays, sharp_edits
from .model import Json, Wanted
from .sharp_edits import EditReader


def read_edits(wanted: Wanted, edits: Json) -> None:
    """Take what ``edits`` want, in their order. What is no edit is left out, as in DIT."""
    for name, value in edits.items():
        if name in _TABLE:
            reader_of(_TABLE, name)(wanted, value)


EDITS: tuple[Covered[EditReader], ...] = (
    Covered("removeAlpha", refused="the colours of what is transparent would show; flatten puts one behind it"),
    Covered("ensureAlpha", note="Nothing to do. Below 1 it is refused.", read=sharp_edits.ensure_alpha),
    Covered("extractChannel", to="mat, late, alpha", note="Alpha itself is refused.", read=colour.extract_channel),
    Covered("joinChannel", refused="an answer is of one picture here"),
    Covered("bandbool", refused="there are no bitwise operations here"),
    Covered(
        "tint",
        to="tint",
        note="As sharp: by CIE lightness, so that black and white stay.",
        read=colour.tint,
    ),
    Covered("greyscale", ("grayscale",), to="gray", read=colour.greyscale),
    Covered(
        "pipelineColourspace",
        ("pipelineColorspace",),
        note="Nothing to do: pictures are worked on in the depth that they have.",
        read=sharp_edits.nothing,
    ),
    Covered(
        "toColourspace",
        ("toColorspace",),
        to="gray",
        note="b-w, and srgb, which every other answer is in. Others are refused.",
        read=colour.to_colourspace,
    ),
    Covered(
        "rotate",
        arguments="angle",
        to="rot, angle, bgm",
        note="Before or after the resize as in the request; of other angles than 90, only after it. A picture is "
        "upright first, as with null. A turn by 90 after a resize with fit cover stands before the cut, as in sharp.",
        read=sharp_edits.rotate,
    ),
    Covered("flip", to="flip", read=sharp_edits.flip),
    Covered("flop", to="flip", read=sharp_edits.flop),
    Covered("affine", refused="there are no affine transforms here"),
    Covered(
        "sharpen",
        arguments="sigma, or {sigma}",
        to="sharp, conv",
        note="sigma up to 10. Other levels of it say nothing.",
        read=sharp_edits.sharpen,
    ),
    Covered("median", arguments="size", to="med", note="Up to 21 px.", read=sharp_edits.median),
    Covered(
        "blur",
        arguments="sigma",
        to="blur, conv",
        note="Up to 100. Only one of blur and sharpen without a sigma and convolve.",
        read=sharp_edits.blur,
    ),
    Covered(
        "flatten",
        arguments="{background}",
        to="bg",
        note="After the effects, and below translucent margins too.",
        read=sharp_edits.flatten,
    ),
    Covered("unflatten", refused="white becomes transparent nowhere here"),
    Covered(
        "gamma", note="Nothing to do: what it does before the resize it undoes after it.", read=sharp_edits.nothing
    ),
    Covered("negate", to="mat, late, alpha", note="Alpha too, unless {alpha: false}.", read=colour.negate),
    Covered(
        "normalise",
        ("normalize",),
        to="lev=stretch",
        note="lower and upper others than 1 and 99 are refused.",
        read=sharp_edits.normalise,
    ),
    Covered(
        "clahe",
        arguments="{width, height, maxSlope}",
        to="clahe",
        note="A window of up to 256 px, which fits into the image.",
        read=sharp_edits.clahe,
    ),
    Covered(
        "convolve",
        arguments="{width, height, kernel, scale}",
        to="conv",
        note="Odd sides, at most 49 weights. An offset is refused.",
        read=sharp_edits.convolve,
    ),
    Covered("threshold", arguments="level", to="thr, alpha", note="Of alpha too.", read=sharp_edits.threshold),
    Covered("boolean", refused="an answer is of one picture here"),
    Covered("linear", arguments="a", to="mat", note="DIT hands on one number, the factor.", read=colour.scale),
    Covered("recomb", arguments="3 × 3 numbers", to="mat", read=colour.recomb),
    Covered(
        "modulate",
        arguments="{brightness, saturation, hue, lightness}",
        to="lch",
        read=colour.modulate,
    ),
    *(
        Covered(
            output,
            arguments="{quality}",
            to="f, q",
            note=note,
            read=sharp_edits.encoder(output),
        )
        for output, note in (
            ("jpeg", "And base, for progressive: false. Other settings say nothing."),
            ("png", "No answer has a palette that loses colours: quality says nothing."),
            ("webp", "lossless and nearLossless are refused. Other settings say nothing."),
            ("gif", "Settings say nothing."),
            ("avif", "lossless is refused. Other settings say nothing."),
            ("tiff", "Settings say nothing."),
        )
    ),
    Covered("heif", refused="it is not written here"),
    Covered("toFormat", arguments="format", to="f", note="heif, heic and raw are refused.", read=sharp_edits.to_format),
    Covered(
        "resize",
        arguments="{width, height, fit, position, background, withoutEnlargement, ratio}",
        to="w, h, fit, g, ext, bgm, up, cov, zoom",
        note="Up to 8192 px. withoutReduction, and fill with withoutEnlargement are refused; "
        "kernel says nothing. contain with one side fills nothing up. Only one colour of margins, by this, extend and "
        "an angle.",
        read=sharp_edits.resize,
    ),
    Covered(
        "extend",
        arguments="px, or {top, right, bottom, left, background}",
        to="pad, bgm",
        note="Up to 2048 px. extendWith others than background is refused.",
        read=sharp_edits.extend,
    ),
    Covered(
        "extract",
        arguments="{left, top, width, height}",
        to="crop",
        note="Of the source; after a resize or a turn it is refused.",
        read=sharp_edits.region("extract"),
    ),
    Covered(
        "trim",
        arguments="{threshold, background}",
        to="trim, trimx",
        note="After the region is cut out. Threshold up to 100, and 0 is taken for 1; a margin is refused.",
        read=sharp_edits.trim,
    ),
    Covered(
        "overlayWith",
        arguments="{bucket, key, alpha, wRatio, hRatio, options}",
        to="wm, wmx",
        note="A configured watermark, by the address of its key; anything else is refused, and so is a blend other "
        "than over.",
        read=overlays.overlay_with,
    ),
    Covered(
        "smartCrop",
        arguments="{faceIndex, padding}",
        to="face",
        note="Ranks go by size, and the face is cut from the source, before the resize.",
        read=overlays.smart_crop,
    ),
    Covered("roundCrop", arguments="{rx, ry, top, left}", to="ell", read=overlays.round_crop),
    Covered(
        "contentModeration",
        refused="what is shown is the deployment's moderation_policy, for every picture and not by URL",
    ),
    Covered(
        "crop",
        arguments="{left, top, width, height}",
        to="crop",
        note="As extract.",
        read=sharp_edits.region("crop"),
    ),
    Covered(
        "animated",
        to="anim",
        note="Pictures that move do so in every format that can, without true as well.",
        read=overlays.animated,
    ),
    Covered("stripExif", note="Nothing to do: no answer has metadata.", read=sharp_edits.nothing),
    Covered("stripIcc", note="Nothing to do: every answer is in sRGB.", read=sharp_edits.nothing),
)
"""``SHARP_EDIT_ALLOWLIST_ARRAY`` and ``ALTERNATE_EDIT_ALLOWLIST_ARRAY`` of DIT's ``lib/constants.ts``."""

_TABLE = by_name(EDITS)

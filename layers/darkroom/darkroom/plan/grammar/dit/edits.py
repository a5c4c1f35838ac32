"""DIT's edits, as the table that they are read by: calls of sharp by name, and its own."""

from __future__ import annotations

from ..coverage import Covered, by_name, reader_of
from . import calls, marks, tones
from .calls import EditReader
from .wanted import Json, Wanted


def read_edits(wanted: Wanted, edits: Json) -> None:
    """Take what ``edits`` want, in their order. What is no edit is left out, as in DIT."""
    for name, value in edits.items():
        if name in _TABLE:
            reader_of(_TABLE, name)(wanted, value)


EDITS: tuple[Covered[EditReader], ...] = (
    Covered("removeAlpha", refused="the colours of what is transparent would show; flatten puts one behind it"),
    Covered("ensureAlpha", note="Nothing to do. Below 1 it is refused.", read=calls.ensure_alpha),
    Covered("extractChannel", to="mat, late, alpha", note="Alpha itself is refused.", read=tones.extract_channel),
    Covered("joinChannel", refused="an answer is of one picture here"),
    Covered("bandbool", refused="there are no bitwise operations here"),
    Covered(
        "tint",
        to="tint",
        note="As sharp: by CIE lightness, so that black and white stay.",
        read=tones.tint,
    ),
    Covered("greyscale", ("grayscale",), to="gray", read=tones.greyscale),
    Covered(
        "pipelineColourspace",
        ("pipelineColorspace",),
        note="Nothing to do: pictures are worked on in the depth that they have.",
        read=calls.nothing,
    ),
    Covered(
        "toColourspace",
        ("toColorspace",),
        to="gray",
        note="b-w, and srgb, which every other answer is in. Others are refused.",
        read=tones.to_colourspace,
    ),
    Covered(
        "rotate",
        arguments="angle",
        to="rot, angle, bgm",
        note="Before or after the resize as in the request; of other angles than 90, only after it. A picture is "
        "upright first, as with null. A turn by 90 after a resize with fit cover stands before the cut, as in sharp.",
        read=calls.rotate,
    ),
    Covered("flip", to="flip", read=calls.flip),
    Covered("flop", to="flip", read=calls.flop),
    Covered("affine", refused="there are no affine transforms here"),
    Covered(
        "sharpen",
        arguments="sigma, or {sigma}",
        to="sharp, conv",
        note="sigma up to 10. Other levels of it say nothing.",
        read=calls.sharpen,
    ),
    Covered("median", arguments="size", to="med", note="Up to 21 px.", read=calls.median),
    Covered(
        "blur",
        arguments="sigma",
        to="blur, conv",
        note="Up to 100. Only one of blur and sharpen without a sigma and convolve.",
        read=calls.blur,
    ),
    Covered(
        "flatten",
        arguments="{background}",
        to="bg",
        note="After the effects, and below translucent margins too.",
        read=calls.flatten,
    ),
    Covered("unflatten", refused="white becomes transparent nowhere here"),
    Covered("gamma", note="Nothing to do: what it does before the resize it undoes after it.", read=calls.nothing),
    Covered("negate", to="mat, late, alpha", note="Alpha too, unless {alpha: false}.", read=tones.negate),
    Covered(
        "normalise",
        ("normalize",),
        to="lev=stretch",
        note="lower and upper others than 1 and 99 are refused.",
        read=calls.normalise,
    ),
    Covered(
        "clahe",
        arguments="{width, height, maxSlope}",
        to="clahe",
        note="A window of up to 256 px, which fits into the image.",
        read=calls.clahe,
    ),
    Covered(
        "convolve",
        arguments="{width, height, kernel, scale}",
        to="conv",
        note="Odd sides, at most 49 weights. An offset is refused.",
        read=calls.convolve,
    ),
    Covered("threshold", arguments="level", to="thr, alpha", note="Of alpha too.", read=calls.threshold),
    Covered("boolean", refused="an answer is of one picture here"),
    Covered("linear", arguments="a", to="mat", note="DIT hands on one number, the factor.", read=tones.scale),
    Covered("recomb", arguments="3 × 3 numbers", to="mat", read=tones.recomb),
    Covered(
        "modulate",
        arguments="{brightness, saturation, hue, lightness}",
        to="lch",
        read=tones.modulate,
    ),
    *(
        Covered(
            output,
            arguments="{quality}",
            to="f, q",
            note=note,
            read=calls.encoder(output),
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
    Covered("toFormat", arguments="format", to="f", note="heif, heic and raw are refused.", read=calls.to_format),
    Covered(
        "resize",
        arguments="{width, height, fit, position, background, withoutEnlargement, ratio}",
        to="w, h, fit, g, ext, bgm, up, cov, zoom",
        note="Up to 8192 px. withoutReduction, and fill with withoutEnlargement are refused; "
        "kernel says nothing. contain with one side fills nothing up. Only one colour of margins, by this, extend and "
        "an angle.",
        read=calls.resize,
    ),
    Covered(
        "extend",
        arguments="px, or {top, right, bottom, left, background}",
        to="pad, bgm",
        note="Up to 2048 px. extendWith others than background is refused.",
        read=calls.extend,
    ),
    Covered(
        "extract",
        arguments="{left, top, width, height}",
        to="crop",
        note="Of the source; after a resize or a turn it is refused.",
        read=calls.region("extract"),
    ),
    Covered(
        "trim",
        arguments="{threshold, background}",
        to="trim, trimx",
        note="After the region is cut out. Threshold up to 100, and 0 is taken for 1; a margin is refused.",
        read=calls.trim,
    ),
    Covered(
        "overlayWith",
        arguments="{bucket, key, alpha, wRatio, hRatio, options}",
        to="wm, wmx",
        note="A configured watermark, by the address of its key; anything else is refused, and so is a blend other "
        "than over.",
        read=marks.overlay_with,
    ),
    Covered(
        "smartCrop",
        arguments="{faceIndex, padding}",
        to="face",
        note="Ranks go by size, and the face is cut from the source, before the resize.",
        read=marks.smart_crop,
    ),
    Covered("roundCrop", arguments="{rx, ry, top, left}", to="ell", read=marks.round_crop),
    Covered(
        "contentModeration",
        refused="what is shown is the deployment's moderation_policy, for every picture and not by URL",
    ),
    Covered(
        "crop",
        arguments="{left, top, width, height}",
        to="crop",
        note="As extract.",
        read=calls.region("crop"),
    ),
    Covered(
        "animated",
        to="anim",
        note="Pictures that move do so in every format that can, without true as well.",
        read=marks.animated,
    ),
    Covered("stripExif", note="Nothing to do: no answer has metadata.", read=calls.nothing),
    Covered("stripIcc", note="Nothing to do: every answer is in sRGB.", read=calls.nothing),
)
"""``SHARP_EDIT_ALLOWLIST_ARRAY`` and ``ALTERNATE_EDIT_ALLOWLIST_ARRAY`` of DIT's ``lib/constants.ts``."""

_TABLE = by_name(EDITS)

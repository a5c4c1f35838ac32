"""The table of DIT's edits: calls of sharp, and its own."""

from __future__ import annotations

from ..common.mapping import OptionMapping, find_parser, index_by_name
from . import overlays, sharp_edits
from .model import DitOptions, Json
from .sharp_edits import EditParser


def apply_edits(options: DitOptions, edits: Json) -> None:
    """Apply ``edits`` in their order. Unknown names are ignored, as in DIT."""
    for name, value in edits.items():
        if name in _EDITS_BY_NAME:
            find_parser(_EDITS_BY_NAME, name)(options, value)


EDIT_MAPPINGS: tuple[OptionMapping[EditParser], ...] = (
    OptionMapping("removeAlpha", refused="it would show the colours of transparent pixels; use flatten"),
    OptionMapping("ensureAlpha", note="No effect. Values below 1 are refused.", parse=sharp_edits.apply_ensure_alpha),
    OptionMapping(
        "extractChannel",
        maps_to="mat, late, alpha",
        note="Alpha itself is refused.",
        parse=sharp_edits.apply_extract_channel,
    ),
    OptionMapping("joinChannel", refused="only one image per response is supported"),
    OptionMapping("bandbool", refused="bitwise operations are not supported"),
    OptionMapping(
        "tint",
        maps_to="tint",
        note="As sharp: by CIE lightness, so that black and white stay.",
        parse=sharp_edits.apply_tint,
    ),
    OptionMapping("greyscale", ("grayscale",), maps_to="gray", parse=sharp_edits.apply_greyscale),
    OptionMapping(
        "pipelineColourspace",
        ("pipelineColorspace",),
        note="No effect: images keep their depth.",
        parse=sharp_edits.ignore,
    ),
    OptionMapping(
        "toColourspace",
        ("toColorspace",),
        maps_to="gray",
        note="b-w and srgb, the default. Others are refused.",
        parse=sharp_edits.apply_to_colourspace,
    ),
    OptionMapping(
        "rotate",
        arguments="angle",
        maps_to="rot, angle, bgm",
        note="Before or after the resize as in the request; other angles than multiples of 90 only after it. "
        "EXIF orientation is applied first, as with null. A rotation by 90 after a resize with fit cover precedes the "
        "crop, as in sharp.",
        parse=sharp_edits.apply_rotate,
    ),
    OptionMapping("flip", maps_to="flip", parse=sharp_edits.apply_flip),
    OptionMapping("flop", maps_to="flip", parse=sharp_edits.apply_flop),
    OptionMapping("affine", refused="affine transforms are not supported"),
    OptionMapping(
        "sharpen",
        arguments="sigma, or {sigma}",
        maps_to="sharp, conv",
        note="sigma up to 10. Other levels have no effect.",
        parse=sharp_edits.apply_sharpen,
    ),
    OptionMapping("median", arguments="size", maps_to="med", note="Up to 21 px.", parse=sharp_edits.apply_median),
    OptionMapping(
        "blur",
        arguments="sigma",
        maps_to="blur, conv",
        note="Up to 100. Only one of blur and sharpen without a sigma and convolve.",
        parse=sharp_edits.apply_blur,
    ),
    OptionMapping(
        "flatten",
        arguments="{background}",
        maps_to="bg",
        note="After the effects, and below translucent margins too.",
        parse=sharp_edits.apply_flatten,
    ),
    OptionMapping("unflatten", refused="white is not converted to transparency"),
    OptionMapping("gamma", note="No effect: sharp undoes it after the resize.", parse=sharp_edits.ignore),
    OptionMapping(
        "negate", maps_to="mat, late, alpha", note="Alpha too, unless {alpha: false}.", parse=sharp_edits.apply_negate
    ),
    OptionMapping(
        "normalise",
        ("normalize",),
        maps_to="lev=stretch",
        note="lower and upper other than 1 and 99 are refused.",
        parse=sharp_edits.apply_normalise,
    ),
    OptionMapping(
        "clahe",
        arguments="{width, height, maxSlope}",
        maps_to="clahe",
        note="A window of up to 256 px, which fits into the image.",
        parse=sharp_edits.apply_clahe,
    ),
    OptionMapping(
        "convolve",
        arguments="{width, height, kernel, scale}",
        maps_to="conv",
        note="Odd sides, at most 49 weights. An offset is refused.",
        parse=sharp_edits.apply_convolve,
    ),
    OptionMapping(
        "threshold", arguments="level", maps_to="thr, alpha", note="Also of alpha.", parse=sharp_edits.apply_threshold
    ),
    OptionMapping("boolean", refused="only one image per response is supported"),
    OptionMapping(
        "linear",
        arguments="a",
        maps_to="mat",
        note="DIT passes one number, the factor.",
        parse=sharp_edits.apply_linear,
    ),
    OptionMapping("recomb", arguments="3 × 3 numbers", maps_to="mat", parse=sharp_edits.apply_recomb),
    OptionMapping(
        "modulate",
        arguments="{brightness, saturation, hue, lightness}",
        maps_to="lch",
        parse=sharp_edits.apply_modulate,
    ),
    *(
        OptionMapping(
            output,
            arguments="{quality}",
            maps_to="f, q",
            note=note,
            parse=sharp_edits.make_encoder_parser(output),
        )
        for output, note in (
            ("jpeg", "And base, for progressive: false. Other settings have no effect."),
            ("png", "quality has no effect: palettes never lose colours."),
            ("webp", "lossless and nearLossless are refused. Other settings have no effect."),
            ("gif", "Settings have no effect."),
            ("avif", "lossless is refused. Other settings have no effect."),
            ("tiff", "Settings have no effect."),
        )
    ),
    OptionMapping("heif", refused="HEIF is not written"),
    OptionMapping(
        "toFormat",
        arguments="format",
        maps_to="f",
        note="heif, heic and raw are refused.",
        parse=sharp_edits.apply_to_format,
    ),
    OptionMapping(
        "resize",
        arguments="{width, height, fit, position, background, withoutEnlargement, ratio}",
        maps_to="w, h, fit, g, ext, bgm, up, cov, zoom",
        note="Up to 8192 px. withoutReduction, and fill with withoutEnlargement are refused; "
        "kernel has no effect. contain with one side adds no margins. Only one colour of margins, by this, extend and "
        "an angle.",
        parse=sharp_edits.apply_resize,
    ),
    OptionMapping(
        "extend",
        arguments="px, or {top, right, bottom, left, background}",
        maps_to="pad, bgm",
        note="Up to 2048 px. extendWith other than background is refused.",
        parse=sharp_edits.apply_extend,
    ),
    OptionMapping(
        "extract",
        arguments="{left, top, width, height}",
        maps_to="crop",
        note="Of the source; refused after a resize or a rotation.",
        parse=sharp_edits.make_region_parser("extract"),
    ),
    OptionMapping(
        "trim",
        arguments="{threshold, background}",
        maps_to="trim, trimx",
        note="After the crop. Threshold up to 100, 0 counts as 1; a margin is refused.",
        parse=sharp_edits.apply_trim,
    ),
    OptionMapping(
        "overlayWith",
        arguments="{bucket, key, alpha, wRatio, hRatio, options}",
        maps_to="wm, wmx",
        note="A configured watermark, by the address of its key; anything else is refused, and so is a blend other "
        "than over.",
        parse=overlays.apply_overlay_with,
    ),
    OptionMapping(
        "smartCrop",
        arguments="{faceIndex, padding}",
        maps_to="face",
        note="Faces are ranked by size and cropped from the source, before the resize.",
        parse=overlays.apply_smart_crop,
    ),
    OptionMapping("roundCrop", arguments="{rx, ry, top, left}", maps_to="ell", parse=overlays.apply_round_crop),
    OptionMapping(
        "contentModeration",
        refused="the deployment's moderation_policy decides this for all images",
    ),
    OptionMapping(
        "crop",
        arguments="{left, top, width, height}",
        maps_to="crop",
        note="As extract.",
        parse=sharp_edits.make_region_parser("crop"),
    ),
    OptionMapping(
        "animated",
        maps_to="anim",
        note="Animations are kept by default, in every format that supports them.",
        parse=overlays.apply_animated,
    ),
    OptionMapping("stripExif", note="No effect: images have no metadata.", parse=sharp_edits.ignore),
    OptionMapping("stripIcc", note="No effect: images are in sRGB.", parse=sharp_edits.ignore),
)
"""``SHARP_EDIT_ALLOWLIST_ARRAY`` and ``ALTERNATE_EDIT_ALLOWLIST_ARRAY`` of DIT's ``lib/constants.ts``."""

_EDITS_BY_NAME = index_by_name(EDIT_MAPPINGS)

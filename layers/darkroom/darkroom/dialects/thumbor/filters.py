"""The table of thumbor's filters."""

from __future__ import annotations

from ..common.mapping import OptionMapping, find_parser, index_by_name
from . import effects, placement
from .model import BOOLEAN, DECIMAL, NONZERO, NUMBER, POSITIVE, TEXT, WORD, FilterSpec, ThumborOptions

_CURVE = r"\[(?:\([0-9]+,[0-9]+\),?)*\]"
_PLACE = "-?[0-9]+p?|center|repeat"
_RATIO = "-?[0-9]+|none"


def apply_filter(options: ThumborOptions, name: str, call: str) -> None:
    """Apply a filter. Unknown filters and malformed calls are ignored, as in thumbor."""
    if name not in _FILTERS_BY_NAME:
        return
    known = find_parser(_FILTERS_BY_NAME, name)
    arguments = known.parse_arguments(name, call)
    if arguments is not None:
        known.apply(options, arguments)


def _ignore(options: ThumborOptions, _: list[str]) -> None:
    pass


FILTER_MAPPINGS: tuple[OptionMapping[FilterSpec], ...] = (
    OptionMapping(
        "autojpg",
        arguments="[enabled]",
        note="No effect: opaque images become JPEG unless the viewer accepts a better format.",
        parse=FilterSpec(_ignore, (BOOLEAN,), 1),
    ),
    OptionMapping(
        "background_color",
        arguments="color",
        maps_to="bg",
        note="Also behind margins. A second colour, by fill() with fill_transparent, is refused.",
        parse=FilterSpec(effects.apply_background_color, (WORD,)),
    ),
    OptionMapping(
        "blur",
        arguments="radius[, sigma]",
        maps_to="blur",
        note="With the standard deviation of thumbor's kernel, which is truncated at the radius: less than sigma.",
        parse=FilterSpec(effects.apply_blur, (NONZERO, DECIMAL), 1),
    ),
    OptionMapping(
        "brightness", arguments="amount", maps_to="mat", parse=FilterSpec(effects.apply_brightness, (NUMBER,))
    ),
    OptionMapping(
        "colorize",
        arguments="red_pct, green_pct, blue_pct, fill",
        maps_to="mat",
        parse=FilterSpec(effects.apply_colorize, (POSITIVE, POSITIVE, POSITIVE, TEXT)),
    ),
    OptionMapping("contrast", arguments="amount", maps_to="mat", parse=FilterSpec(effects.apply_contrast, (NUMBER,))),
    OptionMapping(
        "convolution",
        arguments="matrix, columns[, should_normalize]",
        maps_to="conv",
        note="At most 49 weights; rows and columns are odd. Once.",
        parse=FilterSpec(effects.apply_convolution, (rf"{DECIMAL}(?:;{DECIMAL})*", NONZERO, BOOLEAN), 1),
    ),
    OptionMapping("cover", maps_to="anim=0", parse=FilterSpec(effects.apply_cover)),
    OptionMapping(
        "curve",
        arguments="all, red, green, blue: [(x,y),…]",
        maps_to="curve",
        note="Of two points or more, with x rising from 0 to 255; as many points as fit into 267 characters. Once.",
        parse=FilterSpec(effects.apply_curve, (_CURVE,) * 4),
    ),
    OptionMapping("equalize", maps_to="lev", parse=FilterSpec(effects.apply_equalize)),
    OptionMapping(
        "extract_focal",
        maps_to="focus",
        note="Only a cover with both sides given keeps a focus, as in thumbor.",
        parse=FilterSpec(placement.apply_extract_focal),
    ),
    OptionMapping(
        "fill",
        arguments="color[, fill_transparent]",
        maps_to="fit=letterbox, bgm, bgx, bg",
        note="One colour of margins and corners, with round_corner(). no_upscale() does not shrink what is filled.",
        parse=FilterSpec(placement.apply_fill, (WORD, BOOLEAN), 1),
    ),
    OptionMapping(
        "focal",
        arguments="LEFTxTOP:RIGHTxBOTTOM",
        maps_to="focus",
        note="Overrides smart; thumbor takes the mean.",
        parse=FilterSpec(placement.apply_focal, (TEXT,)),
    ),
    OptionMapping(
        "format",
        arguments="image-format",
        maps_to="f",
        note="heic and heif are refused. Default: negotiated.",
        parse=FilterSpec(effects.apply_file_format, (TEXT,)),
    ),
    OptionMapping(
        "frame",
        arguments="url",
        maps_to="wm, frm",
        note="A configured watermark, by the address of its key, as a nine-patch; anything else is refused. It "
        "surrounds the result of the other filters; a watermark() must precede it.",
        parse=FilterSpec(placement.apply_frame, (TEXT,)),
    ),
    OptionMapping(
        "gifv",
        arguments="[webm]",
        note="No effect: results are images, so an animation stays one, as in thumbor without the "
        "optimizer. A page that shows it in a video element must show an image instead.",
        parse=FilterSpec(_ignore, (WORD,), 1),
    ),
    OptionMapping("grayscale", maps_to="mat, gray", parse=FilterSpec(effects.apply_grayscale)),
    OptionMapping(
        "max_age",
        arguments="max_age",
        note="Maximum age in seconds, up to the deployment's; for images over 4.5 MB the deployment's.",
        parse=FilterSpec(effects.apply_max_age, (POSITIVE,)),
    ),
    OptionMapping(
        "max_bytes", arguments="number-of-bytes", maps_to="mb", parse=FilterSpec(effects.apply_max_bytes, (POSITIVE,))
    ),
    OptionMapping(
        "no_upscale",
        maps_to="up, cov=clip",
        note="Also after a crop. Refused together with stretch().",
        parse=FilterSpec(placement.apply_no_upscale),
    ),
    OptionMapping(
        "noise",
        arguments="amount[, seed]",
        maps_to="noise",
        note="Up to 100. The seed is always the same. Once.",
        parse=FilterSpec(effects.apply_noise, (POSITIVE, POSITIVE), 1),
    ),
    OptionMapping(
        "proportion",
        arguments="percentage",
        maps_to="prop",
        note="After fill() it shrinks the margins too. A later upscale() is not repeated.",
        parse=FilterSpec(placement.apply_proportion, (DECIMAL,)),
    ),
    OptionMapping(
        "quality",
        arguments="amount",
        maps_to="q",
        note="0 counts as 1, more than 100 as 100.",
        parse=FilterSpec(effects.apply_quality, (POSITIVE,)),
    ),
    OptionMapping(
        "red_eye",
        maps_to="reye",
        note="In faces that inference detected. No effect without inference, as in thumbor without detectors.",
        parse=FilterSpec(effects.apply_red_eye),
    ),
    OptionMapping(
        "rgb",
        arguments="rAmount, gAmount, bAmount",
        maps_to="mat",
        parse=FilterSpec(effects.apply_rgb, (NUMBER, NUMBER, NUMBER)),
    ),
    OptionMapping(
        "rotate",
        arguments="angle",
        maps_to="rot",
        note="Degrees counterclockwise; as in thumbor only multiples of 90, others are ignored.",
        parse=FilterSpec(placement.apply_rotate, (NUMBER,)),
    ),
    OptionMapping(
        "round_corner",
        arguments="a_radius[|b_radius], r, g, b[, transparent]",
        maps_to="radius, ry, bgm",
        note="Once.",
        parse=FilterSpec(
            effects.apply_round_corner, (r"[0-9]+(?:\|[0-9]+)?", POSITIVE, POSITIVE, POSITIVE, BOOLEAN), 1
        ),
    ),
    OptionMapping(
        "saturation",
        arguments="amount",
        maps_to="mat",
        note="With a weighted sum; thumbor uses the root of weighted squares.",
        parse=FilterSpec(effects.apply_saturate, (DECIMAL,)),
    ),
    OptionMapping(
        "sharpen",
        arguments="sharpen_amount, sharpen_radius, luminance_only",
        maps_to="sharp",
        note="Of luminance only, with a sigma of 1 + radius / 2; the same for all amounts above 0. Once.",
        parse=FilterSpec(effects.apply_sharpen, (DECIMAL, DECIMAL, BOOLEAN)),
    ),
    OptionMapping(
        "stretch",
        maps_to="fit=fill",
        note="Refused together with orig or no_upscale().",
        parse=FilterSpec(placement.apply_stretch),
    ),
    OptionMapping("strip_exif", note="No effect: images have no metadata.", parse=FilterSpec(_ignore)),
    OptionMapping("strip_icc", note="No effect: images are in sRGB.", parse=FilterSpec(_ignore)),
    OptionMapping("upscale", maps_to="up", parse=FilterSpec(placement.apply_upscale)),
    OptionMapping(
        "watermark",
        arguments="imageUrl, x, y, alpha[, w_ratio[, h_ratio]]",
        maps_to="wm, wmx, rep, wm2, wmx2, rep2",
        note="A configured watermark, by the address of its key; anything else is refused. Ratios up to 100. At most "
        "two.",
        parse=FilterSpec(placement.apply_watermark, (TEXT, _PLACE, _PLACE, POSITIVE, _RATIO, _RATIO), 2),
    ),
    OptionMapping(
        "distributed_collage",
        arguments="orientation, alignment, urls",
        refused="only one image per response is supported",
        note="A plug-in.",
        group="plug-in",
    ),
)

_FILTERS_BY_NAME = index_by_name(FILTER_MAPPINGS)

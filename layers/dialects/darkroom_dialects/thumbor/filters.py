"""The table of thumbor's filters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..common.mapping import find_parser, index_by_name, list_options
from . import effects, placement
from .model import BOOLEAN, DECIMAL, NONZERO, NUMBER, POSITIVE, TEXT, WORD, FilterSpec, ThumborOptions, switch_on

_CURVE = r"\[(?:\([0-9]+,[0-9]+\),?)*\]"
_PLACE = "-?[0-9]+p?|center|repeat"
_X, _Y = "-?[0-9]+p?|center|left|right", "-?[0-9]+p?|center|top|bottom"
_RADII = r"[0-9]+(?:\|[0-9]+)?"
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


_SPECS: Mapping[str, FilterSpec] = {
    "autojpg": FilterSpec(_ignore, (BOOLEAN,), 1),
    "background_color": FilterSpec(effects.apply_background_color, (WORD,)),
    "blur": FilterSpec(effects.apply_blur, (NONZERO, DECIMAL), 1),
    "brightness": FilterSpec(effects.apply_brightness, (NUMBER,)),
    "colorize": FilterSpec(effects.apply_colorize, (POSITIVE, POSITIVE, POSITIVE, TEXT)),
    "contrast": FilterSpec(effects.apply_contrast, (NUMBER,)),
    "convolution": FilterSpec(effects.apply_convolution, (rf"{DECIMAL}(?:;{DECIMAL})*", NONZERO, BOOLEAN), 1),
    "cover": FilterSpec(effects.apply_cover),
    "curve": FilterSpec(effects.apply_curve, (_CURVE,) * 4),
    "equalize": FilterSpec(effects.apply_equalize),
    "extract_focal": FilterSpec(placement.apply_extract_focal),
    "fill": FilterSpec(placement.apply_fill, (WORD, BOOLEAN), 1),
    "focal": FilterSpec(placement.apply_focal, (TEXT,)),
    "format": FilterSpec(effects.apply_file_format, (TEXT,)),
    "frame": FilterSpec(placement.apply_frame, (TEXT,)),
    "gifv": FilterSpec(_ignore, (WORD,), 1),
    "grayscale": FilterSpec(effects.apply_grayscale),
    "max_age": FilterSpec(effects.apply_max_age, (POSITIVE,)),
    "max_bytes": FilterSpec(effects.apply_max_bytes, (POSITIVE,)),
    "no_upscale": FilterSpec(partial(switch_on, "no_upscale")),
    "noise": FilterSpec(effects.apply_noise, (POSITIVE, POSITIVE), 1),
    "proportion": FilterSpec(placement.apply_proportion, (DECIMAL,)),
    "quality": FilterSpec(effects.apply_quality, (POSITIVE,)),
    "red_eye": FilterSpec(effects.apply_red_eye),
    "rgb": FilterSpec(effects.apply_rgb, (NUMBER, NUMBER, NUMBER)),
    "rotate": FilterSpec(placement.apply_rotate, (NUMBER,)),
    "round_corner": FilterSpec(effects.apply_round_corner, (_RADII, POSITIVE, POSITIVE, POSITIVE, BOOLEAN), 1),
    "saturation": FilterSpec(effects.apply_saturate, (DECIMAL,)),
    "sharpen": FilterSpec(effects.apply_sharpen, (DECIMAL, DECIMAL, BOOLEAN)),
    "stretch": FilterSpec(partial(switch_on, "stretch")),
    "strip_exif": FilterSpec(_ignore),
    "strip_icc": FilterSpec(_ignore),
    "upscale": FilterSpec(placement.apply_upscale),
    "watermark": FilterSpec(placement.apply_watermark, (TEXT, _PLACE, _PLACE, POSITIVE, _RATIO, _RATIO), 2),
}

_PLUG_INS: Mapping[str, FilterSpec] = {
    "label text": FilterSpec(placement.apply_label, (TEXT, _X, _Y, POSITIVE, WORD, POSITIVE, TEXT), 2),
}

FILTER_MAPPINGS = (
    *list_options(_SPECS),
    *list_options(_PLUG_INS, {"distributed_collage": "only one image per response is supported"}, "plug-in"),
)

_FILTERS_BY_NAME = index_by_name(FILTER_MAPPINGS)

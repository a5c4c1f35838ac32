"""The table of Cloudflare's options."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..common.mapping import index_by_name, list_options
from . import option_parsers
from .option_parsers import OptionParser

_PARSERS: Mapping[str, OptionParser] = {
    "anim": option_parsers.parse_anim,
    "background": option_parsers.parse_background,
    "blur": partial(option_parsers.parse_float_field, "blur", 250),
    "brightness": partial(option_parsers.parse_factor, "brightness"),
    "compression": partial(option_parsers.check_word, ("fast",)),
    "contrast": partial(option_parsers.parse_factor, "contrast"),
    "dpr": option_parsers.parse_dpr,
    "fit": option_parsers.parse_fit,
    "flip": option_parsers.parse_flip,
    "format f": option_parsers.parse_format,
    "gamma": partial(option_parsers.parse_factor, "gamma"),
    "gravity g": option_parsers.parse_gravity,
    "height h": partial(option_parsers.parse_int_field, "height"),
    "metadata": option_parsers.parse_metadata,
    "onerror": partial(option_parsers.check_word, ("redirect",)),
    "quality q": partial(option_parsers.parse_quality, "quality"),
    "rotate": option_parsers.parse_rotate,
    "saturation": partial(option_parsers.parse_float_field, "saturation", 100),
    "segment": option_parsers.parse_segment,
    "sharpen": partial(option_parsers.parse_float_field, "sharpen", 10),
    "slow-connection-quality scq": partial(option_parsers.parse_quality, "saving_quality"),
    "trim": option_parsers.parse_trim,
    "trim.left": partial(option_parsers.parse_int_field, "trim_left"),
    "trim.top": partial(option_parsers.parse_int_field, "trim_top"),
    "trim.width": partial(option_parsers.parse_int_field, "trim_width"),
    "trim.height": partial(option_parsers.parse_int_field, "trim_height"),
    "upscale": option_parsers.parse_upscale,
    "width w": option_parsers.parse_width,
    "zoom face-zoom": partial(option_parsers.parse_float_field, "zoom", 1),
}

OPTION_MAPPINGS = (
    *list_options(_PARSERS),
    *list_options({}, dict.fromkeys(("border", "draw"), "it belongs to Workers, not to URLs"), "Workers"),
)
"""From Cloudflare's list of features, and ``upscale`` from a newer one."""

MAPPINGS_BY_NAME = index_by_name(OPTION_MAPPINGS)

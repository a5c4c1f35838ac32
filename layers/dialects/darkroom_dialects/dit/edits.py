"""The table of DIT's edits: calls of sharp, and its own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..common.mapping import find_parser, index_by_name, list_options
from . import overlays, sharp_edits
from .model import DitOptions, Json
from .sharp_edits import EditParser


def apply_edits(options: DitOptions, edits: Json) -> None:
    """Apply ``edits`` in their order. Unknown names are ignored, as in DIT."""
    for name, value in edits.items():
        if name in _EDITS_BY_NAME:
            find_parser(_EDITS_BY_NAME, name)(options, value)


_PARSERS: Mapping[str, EditParser] = {
    "ensureAlpha": sharp_edits.apply_ensure_alpha,
    "extractChannel": sharp_edits.apply_extract_channel,
    "tint": sharp_edits.apply_tint,
    "greyscale grayscale": partial(sharp_edits.apply_switch, "grey"),
    "pipelineColourspace pipelineColorspace": sharp_edits.ignore,
    "toColourspace toColorspace": sharp_edits.apply_to_colourspace,
    "rotate": sharp_edits.apply_rotate,
    "flip": partial(sharp_edits.apply_switch, "flip"),
    "flop": partial(sharp_edits.apply_switch, "flop"),
    "sharpen": partial(sharp_edits.apply_kernel, sharp_edits.SHARPENING),
    "median": sharp_edits.apply_median,
    "blur": partial(sharp_edits.apply_kernel, sharp_edits.BLUR),
    "flatten": sharp_edits.apply_flatten,
    "gamma": sharp_edits.ignore,
    "negate": sharp_edits.apply_negate,
    "normalise normalize": sharp_edits.apply_normalise,
    "clahe": sharp_edits.apply_clahe,
    "convolve": sharp_edits.apply_convolve,
    "threshold": sharp_edits.apply_threshold,
    "linear": sharp_edits.apply_linear,
    "recomb": sharp_edits.apply_recomb,
    "modulate": sharp_edits.apply_modulate,
    **{name: partial(sharp_edits.apply_encoder, name) for name in ("jpeg", "png", "webp", "gif", "avif", "tiff")},
    "toFormat": sharp_edits.apply_to_format,
    "resize": sharp_edits.apply_resize,
    "extend": sharp_edits.apply_extend,
    "extract": partial(sharp_edits.apply_region, "extract"),
    "trim": sharp_edits.apply_trim,
    "overlayWith": overlays.apply_overlay_with,
    "smartCrop": overlays.apply_smart_crop,
    "roundCrop": overlays.apply_round_crop,
    "crop": partial(sharp_edits.apply_region, "crop"),
    "animated": overlays.apply_animated,
    "stripExif": sharp_edits.apply_strip_exif,
    "stripIcc": sharp_edits.ignore,
}

_REFUSED = {
    "removeAlpha": "it would show the colours of transparent pixels; use flatten",
    "joinChannel": "only one image per response is supported",
    "bandbool": "bitwise operations are not supported",
    "affine": "affine transforms are not supported",
    "unflatten": "white is not converted to transparency",
    "boolean": "only one image per response is supported",
    "heif": "HEIF is not written",
    "contentModeration": "the deployment's moderation_policy decides this for all images",
}

EDIT_MAPPINGS = list_options(_PARSERS, _REFUSED)
"""``SHARP_EDIT_ALLOWLIST_ARRAY`` and ``ALTERNATE_EDIT_ALLOWLIST_ARRAY`` of DIT's ``lib/constants.ts``."""

_EDITS_BY_NAME = index_by_name(EDIT_MAPPINGS)

"""The table of Cloudflare's options."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..common.mapping import OptionMapping, index_by_name
from . import option_parsers
from .option_parsers import PERCEPTUAL, OptionParser

_WORDS = ", ".join(f"`{word}` {number}" for word, number in PERCEPTUAL.items())

OPTION_MAPPINGS: tuple[OptionMapping[OptionParser], ...] = (
    OptionMapping(
        "anim",
        (),
        "true, false",
        "anim",
        note="As ours: `false` takes the first frame.",
        parse=option_parsers.parse_anim,
    ),
    OptionMapping("background", (), "a CSS colour", "bg", parse=option_parsers.parse_background),
    OptionMapping(
        "blur",
        (),
        "0–250",
        "blur",
        note="Its radius of 250 is our sigma of 100, and in proportion.",
        parse=partial(option_parsers.parse_float_field, "blur", 250),
    ),
    OptionMapping("border", refused="it belongs to Workers, not to URLs", group="Workers"),
    OptionMapping("brightness", (), "a factor", "bri, mat", parse=partial(option_parsers.parse_factor, "brightness")),
    OptionMapping(
        "compression",
        (),
        "fast",
        note="No effect: it trades size for time.",
        parse=partial(option_parsers.check_word, ("fast",)),
    ),
    OptionMapping("contrast", (), "a factor", "con, mat", parse=partial(option_parsers.parse_factor, "contrast")),
    OptionMapping(
        "dpr",
        (),
        "a factor",
        "w, h, crop, inset",
        note="At most 4; in Cloudflare 2.",
        parse=option_parsers.parse_dpr,
    ),
    OptionMapping(
        "fit",
        (),
        ", ".join(option_parsers.FITS),
        "fit, up, cov, grow",
        note="`pad` is white without a background.",
        parse=option_parsers.parse_fit,
    ),
    OptionMapping(
        "flip", (), "h, v, hv", "flip, rot", note="Before `rotate`, as in Cloudflare.", parse=option_parsers.parse_flip
    ),
    OptionMapping(
        "format",
        ("f",),
        ", ".join(option_parsers.FORMATS),
        "f, base",
        note="Default JPEG or PNG. `avif` is AVIF for all viewers. `json` has no number of frames.",
        parse=option_parsers.parse_format,
    ),
    OptionMapping(
        "gamma", (), "a factor", "gam", note="From 0.1 to 5.", parse=partial(option_parsers.parse_factor, "gamma")
    ),
    OptionMapping(
        "gravity", ("g",), "auto, face, left, right, top, bottom, XxY", "g", parse=option_parsers.parse_gravity
    ),
    OptionMapping(
        "height", ("h",), "px", "h", note="At most 8192.", parse=partial(option_parsers.parse_int_field, "height")
    ),
    OptionMapping(
        "metadata",
        (),
        "copyright, keep, none",
        note="No effect: images have no metadata, and no copyright.",
        parse=partial(option_parsers.check_word, ("copyright", "keep", "none")),
    ),
    OptionMapping(
        "onerror",
        (),
        "redirect",
        note="No effect: originals are never served.",
        parse=partial(option_parsers.check_word, ("redirect",)),
    ),
    OptionMapping(
        "quality",
        ("q",),
        f"1–100, {', '.join(PERCEPTUAL)}",
        "q",
        note=f"Default: by format. {_WORDS}. 100 is not lossless.",
        parse=partial(option_parsers.parse_quality, "quality"),
    ),
    OptionMapping("rotate", (), "90, 180, 270", "rot", parse=option_parsers.parse_rotate),
    OptionMapping(
        "saturation", (), "a factor", "sat, mat", parse=partial(option_parsers.parse_float_field, "saturation", 100)
    ),
    OptionMapping("segment", (), "foreground", refused="it needs AI segmentation", group="AI"),
    OptionMapping("sharpen", (), "0–10", "sharp", parse=partial(option_parsers.parse_float_field, "sharpen", 10)),
    OptionMapping(
        "slow-connection-quality",
        ("scq",),
        f"1–100, {', '.join(PERCEPTUAL)}",
        "q",
        note="For viewers who send `Save-Data: on`; other client hints are ignored.",
        parse=partial(option_parsers.parse_quality, "saving_quality"),
    ),
    OptionMapping("trim", (), "top;right;bottom;left", "inset", parse=option_parsers.parse_trim),
    OptionMapping("trim.left", (), "px", "crop, inset", parse=partial(option_parsers.parse_int_field, "trim_left")),
    OptionMapping("trim.top", (), "px", "crop, inset", parse=partial(option_parsers.parse_int_field, "trim_top")),
    OptionMapping("trim.width", (), "px", "crop", parse=partial(option_parsers.parse_int_field, "trim_width")),
    OptionMapping("trim.height", (), "px", "crop", parse=partial(option_parsers.parse_int_field, "trim_height")),
    OptionMapping("upscale", (), "interpolate", note="`generate` (AI) is refused.", parse=option_parsers.parse_upscale),
    OptionMapping(
        "width",
        ("w",),
        "px, auto",
        "w",
        note=f"At most 8192. `auto` is {option_parsers.AUTO_WIDTH_PX}, the largest width that Cloudflare uses.",
        parse=option_parsers.parse_width,
    ),
    OptionMapping(
        "zoom",
        ("face-zoom",),
        "0–1",
        "fz",
        note="Only with `gravity=face`, as in Cloudflare.",
        parse=partial(option_parsers.parse_float_field, "zoom", 1),
    ),
)
"""From Cloudflare's list of features, and ``upscale`` from a newer one."""

MAPPINGS_BY_NAME: Mapping[str, OptionMapping[OptionParser]] = index_by_name(OPTION_MAPPINGS)

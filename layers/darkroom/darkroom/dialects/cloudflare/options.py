"""Cloudflare's options: the table that its URLs are read by."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..common.mapping import Covered, by_name
from . import option_parsers
from .option_parsers import PERCEPTUAL, Read

_WORDS = ", ".join(f"`{word}` {number}" for word, number in PERCEPTUAL.items())

COVERAGE: tuple[Covered[Read], ...] = (
    Covered(
        "anim", (), "true, false", "anim", note="As ours: `false` takes the first frame.", read=option_parsers.animation
    ),
    Covered("background", (), "a CSS colour", "bg", read=option_parsers.background),
    Covered(
        "blur",
        (),
        "0–250",
        "blur",
        note="Its radius of 250 is our sigma of 100, and in proportion.",
        read=partial(option_parsers.number, "blur", 250),
    ),
    Covered("border", refused="it is for Workers, and of no URL", group="Workers"),
    Covered("brightness", (), "a factor", "bri, mat", read=partial(option_parsers.factor, "brightness")),
    Covered(
        "compression",
        (),
        "fast",
        note="Nothing to do: it trades size for time.",
        read=partial(option_parsers.word, ("fast",)),
    ),
    Covered("contrast", (), "a factor", "con, mat", read=partial(option_parsers.factor, "contrast")),
    Covered(
        "dpr",
        (),
        "a factor",
        "w, h, crop, inset",
        note="At most 4; there 2.",
        read=option_parsers.dpr,
    ),
    Covered(
        "fit",
        (),
        ", ".join(option_parsers.FITS),
        "fit, up, cov, grow",
        note="`pad` is white without a background.",
        read=option_parsers.fit,
    ),
    Covered("flip", (), "h, v, hv", "flip, rot", note="Before `rotate`, as there.", read=option_parsers.flip),
    Covered(
        "format",
        ("f",),
        ", ".join(option_parsers.FORMATS),
        "f, base",
        note="Without one JPEG or PNG. `avif` is AVIF whatever the viewer accepts. `json` has no number of frames.",
        read=option_parsers.output,
    ),
    Covered("gamma", (), "a factor", "gam", note="From 0.1 to 5.", read=partial(option_parsers.factor, "gamma")),
    Covered("gravity", ("g",), "auto, face, left, right, top, bottom, XxY", "g", read=option_parsers.gravity),
    Covered("height", ("h",), "px", "h", note="At most 8192.", read=partial(option_parsers.whole, "height")),
    Covered(
        "metadata",
        (),
        "copyright, keep, none",
        note="Nothing to do: none is served, nor the copyright.",
        read=partial(option_parsers.word, ("copyright", "keep", "none")),
    ),
    Covered(
        "onerror",
        (),
        "redirect",
        note="An error is answered as one: what was uploaded is shown to nobody.",
        read=partial(option_parsers.word, ("redirect",)),
    ),
    Covered(
        "quality",
        ("q",),
        f"1–100, {', '.join(PERCEPTUAL)}",
        "q",
        note=f"Without one each format's own. {_WORDS}. 100 is no lossless WebP.",
        read=partial(option_parsers.quality, "quality"),
    ),
    Covered("rotate", (), "90, 180, 270", "rot", read=option_parsers.rotate),
    Covered("saturation", (), "a factor", "sat, mat", read=partial(option_parsers.number, "saturation", 100)),
    Covered("segment", (), "foreground", refused="it cuts out by AI", group="AI"),
    Covered("sharpen", (), "0–10", "sharp", read=partial(option_parsers.number, "sharpen", 10)),
    Covered(
        "slow-connection-quality",
        ("scq",),
        f"1–100, {', '.join(PERCEPTUAL)}",
        "q",
        note="For viewers who send `Save-Data: on`; other hints are not looked at.",
        read=partial(option_parsers.quality, "saving_quality"),
    ),
    Covered("trim", (), "top;right;bottom;left", "inset", read=option_parsers.trim),
    Covered("trim.left", (), "px", "crop, inset", read=partial(option_parsers.whole, "trim_left")),
    Covered("trim.top", (), "px", "crop, inset", read=partial(option_parsers.whole, "trim_top")),
    Covered("trim.width", (), "px", "crop", read=partial(option_parsers.whole, "trim_width")),
    Covered("trim.height", (), "px", "crop", read=partial(option_parsers.whole, "trim_height")),
    Covered("upscale", (), "interpolate", note="`generate` is AI and refused.", read=option_parsers.upscaling),
    Covered(
        "width",
        ("w",),
        "px, auto",
        "w",
        note=f"At most 8192. `auto` is {option_parsers.AUTO_WIDTH_PX}, the largest width that Cloudflare uses.",
        read=option_parsers.width,
    ),
    Covered(
        "zoom",
        ("face-zoom",),
        "0–1",
        "fz",
        note="With `gravity=face` alone, as there.",
        read=partial(option_parsers.number, "zoom", 1),
    ),
)
"""Of Cloudflare's page of features, and ``upscale`` of a newer one."""

OPTIONS: Mapping[str, Covered[Read]] = by_name(COVERAGE)

"""How hard the encoders try: less as pixels grow, so that no encode takes over a second.

The rows were chosen from times per megapixel of detailed photographs on one core of a 2-core x86-64 machine (libvips
8.18): AVIF with full colour 600–700 ms at effort 3, 330–400 at 2, 200–240 at 1, 65–80 at 0; WebP 50 at effort 2, 29 at
0; PNG 90 at level 6 with all filters, 46 at level 3 with Paeth, 17 at level 1; JPEG 16 progressive, 9 optimised, 6
plain; GIF 350. At equal SSIMULACRA2, over fourteen photographs of 480 px, AVIF's efforts 3, 2, 1 and 0 with full colour
need 1.06, 1.15, 1.19 and 1.36 times the bytes of effort 4, and take 0.18, 0.10, 0.06 and 0.02 of its time. Effort 2 is
the quickest that comes near sharp's default (1.06; effort 1: 1.11). With a quarter of the colour they need 3 to 4 %
more, graphics 17 %.
WebP's effort 2 takes 0.46 of the time of effort 4 for 2 to 18 % more bytes, 7 % over fourteen photographs: worth the
wait up to 0.2 MP, where it is 6 ms. A plain JPEG takes 2 ms at 800 px, a progressive one 6 for 4 % fewer bytes over
seven. What is asked for again is refined (see ``slow``).

Where nobody waits, no encode takes over some ten seconds. CPU milliseconds per megapixel there, of detailed photographs
on the same machine: WebP 220–260 at effort 6; AVIF 3600 at effort 4, 640 at 3; JPEG 75 with all that mozjpeg
has; PNG 240–410 at level 9 for each filter; GIF 1900 at effort 7. Beyond those lies nothing worth it: AVIF's effort 5
saves 0.05 % of the bytes for 1.2 of the time, GIF's effort 10 0.4 % for twice the time.
"""

from __future__ import annotations

from typing import Literal

type EncoderOptions = dict[str, int | float | bool | str]

type Effort = Literal["fast", "slow"]
"""``fast``: somebody waits. ``slow``: nobody does."""

_ANY = 1 << 62

_MOZJPEG: EncoderOptions = {
    "optimize_coding": True,
    "interlace": True,
    "trellis_quant": True,
    "overshoot_deringing": True,
    "optimize_scans": True,
}
"""All that mozjpeg, which the wheel of libvips is built with, has over libjpeg, but for its quantisation tables."""

_DEFLATED: EncoderOptions = {"compression": "deflate", "predictor": "horizontal"}
"""What every reader of TIFF takes, and loses nothing."""

FULL_COLOUR: EncoderOptions = {"subsample_mode": "off"}
"""Of AVIF. Larger images have a quarter of it, as libvips' own default below a quality of 90: the encoder has no memory
for more."""

FAST_OPTIONS: dict[str, tuple[tuple[int, EncoderOptions], ...]] = {
    "jpeg": ((_ANY, {}),),
    "png": (
        (2_000_000, {"compression": 6, "filter": "all"}),
        (16_000_000, {"compression": 3, "filter": "paeth"}),
        (_ANY, {"compression": 1, "filter": "sub"}),
    ),
    "webp": ((200_000, {"effort": 4}), (16_000_000, {"effort": 2}), (_ANY, {"effort": 0})),
    "avif": (
        (2_000_000, {"effort": 2} | FULL_COLOUR),
        (4_000_000, {"effort": 1} | FULL_COLOUR),
        (_ANY, {"effort": 0}),
    ),
    "gif": ((500_000, {"effort": 3}), (_ANY, {"effort": 1})),
    "tiff": ((_ANY, _DEFLATED),),
}
"""By format: up to so many pixels (width × height × frames), the saver's options."""

SMOOTH_MAX_PIXELS = 2_000_000
SMOOTH_OPTIONS: dict[str, EncoderOptions] = {"avif": {"effort": 3} | FULL_COLOUR}
"""Of images with little detail, up to so many pixels. They take half of the time of others, and lose most by a low
effort: of thirteen photographs of 800 px the eight smoothest need 1.13 times the bytes of sharp's default at effort 2
and 1.03 at 3, in 85 to 370 ms; the others need 1.03 at 2, in 120 to 180 ms."""

SLOW_OPTIONS: dict[str, tuple[tuple[int, EncoderOptions], ...]] = {
    "jpeg": ((60_000_000, _MOZJPEG), (_ANY, {"optimize_coding": True})),
    "png": ((8_000_000, {"compression": 9}), (_ANY, {"compression": 6})),
    "webp": ((30_000_000, {"effort": 6}), (90_000_000, {"effort": 4}), (_ANY, {"effort": 2})),
    "avif": (
        (2_000_000, {"effort": 4} | FULL_COLOUR),
        (4_000_000, {"effort": 3} | FULL_COLOUR),
        (10_000_000, {"effort": 3}),
        (20_000_000, {"effort": 2}),
        (_ANY, {"effort": 1}),
    ),
    "gif": ((5_000_000, {"effort": 7}), (25_000_000, {"effort": 3}), (_ANY, {"effort": 1})),
    "tiff": ((_ANY, _DEFLATED | {"level": 9}),),
}
"""The same where nobody waits."""

OPTIONS_BY_EFFORT: dict[Effort, dict[str, tuple[tuple[int, EncoderOptions], ...]]] = {
    "fast": FAST_OPTIONS,
    "slow": SLOW_OPTIONS,
}

ALTERNATIVES: dict[tuple[str, Effort], tuple[EncoderOptions, ...]] = {
    ("png", "slow"): tuple({"filter": name} for name in ("all", "avg", "sub")),
}
"""Options of which the best are known only when all were tried: "all" for one photograph, "avg" by 0.5 % for another,
"sub" by 6 % for a cut-out."""

SEARCH_OPTIONS: dict[str, tuple[tuple[int, EncoderOptions], ...]] = {
    "jpeg": ((4_000_000, _MOZJPEG), (30_000_000, {"optimize_coding": True}), (_ANY, {})),
    "webp": ((600_000, {"effort": 6}), (3_000_000, {"effort": 4}), (16_000_000, {"effort": 2}), (_ANY, {"effort": 0})),
}
"""Where the quality is chosen for the picture while somebody waits: 0.1 s for 0.5 MP of WebP, 0.05 s of JPEG. Other
formats have no slower means that pay at once. At equal SSIMULACRA2 WebP's efforts 6, 5, 4 and 2 need 0.90, 0.91, 0.93
and 1 of the bytes, JPEG with mozjpeg's means 0.96 (22 to 103 pictures of :mod:`bench.corpus`)."""

TRIAL_OPTIONS: dict[str, tuple[EncoderOptions, ...]] = {
    "webp": ({"preset": "drawing"}, {"smart_deblock": True}, {"smart_subsample": True}),
}
"""Where the quality is chosen at leisure: options that suit one picture and not another. Over 132 pictures what is
found by trying them needs 2.7 % fewer bytes for the same score than none; each for all pictures saves 1 % at most."""

TRIAL_MAX_PIXELS = 4_000_000
"""Up to here: ``smart_deblock`` takes 550 ms a megapixel."""

FLAT_PNG: EncoderOptions = {"compression": 9, "filter": "none"}
"""Drawings repeat whole rows: filters hide that from deflate, and it ends early whatever its level."""


def choose_encoder_options(form: str, pixels: int, effort: Effort = "fast", *, smooth: bool = False) -> EncoderOptions:
    """The options of the saver of ``form`` for a picture of so many pixels, all frames together.

    ``smooth``: it has little detail.
    """
    if smooth and form in SMOOTH_OPTIONS and effort == "fast" and pixels <= SMOOTH_MAX_PIXELS:
        return SMOOTH_OPTIONS[form]
    return next(options for limit, options in OPTIONS_BY_EFFORT[effort][form] if pixels <= limit)


def choose_search_options(form: str, pixels: int, effort: Effort, *, drawing: bool) -> EncoderOptions:
    """The options by which ``q=auto`` encodes, more than the quick ones where they pay for the time at once.

    ``drawing``: few colours in flat parts. Their edges keep their colour by ``smart_subsample``, to which photographs
    are indifferent.
    """
    options = next(
        options for limit, options in SEARCH_OPTIONS.get(form, OPTIONS_BY_EFFORT[effort][form]) if pixels <= limit
    )
    if effort == "slow":
        options = choose_encoder_options(form, pixels, effort)
    return options | {"smart_subsample": True} if drawing and form == "webp" else options


def list_trial_options(form: str, pixels: int, effort: Effort) -> tuple[EncoderOptions, ...]:
    """Options to be tried beside those of :func:`careful`, where nobody waits."""
    return TRIAL_OPTIONS.get(form, ()) if effort == "slow" and pixels <= TRIAL_MAX_PIXELS else ()


def list_alternatives(form: str, effort: Effort) -> tuple[EncoderOptions, ...]:
    """Further options, of which each is tried: the smallest picture wins."""
    return ALTERNATIVES.get((form, effort), ({},))

"""Choose the options of an encoder: less effort as pixels grow, so that no encode takes over a second.

The tables of each format lie in its package. They were chosen from times per megapixel of detailed photographs on one
core of a 2-core x86-64 machine (libvips 8.18); what is requested again is encoded again in the background (``slow``),
where no encode takes over some ten seconds.
"""

from __future__ import annotations

from .image_format import Effort, EncoderOptions, OptionTable
from .registry import OUTPUT_FORMATS

__all__ = ["Effort", "EncoderOptions", "choose_encoder_options", "choose_search_options", "list_alternatives"]

SMOOTH_MAX_PIXELS = 2_000_000
"""Up to here the detail of an image is measured before its options are chosen."""

TRIAL_MAX_PIXELS = 4_000_000
"""Up to here options are tried for ``q=auto``: ``smart_deblock`` takes 550 ms a megapixel."""


def choose_encoder_options(form: str, pixels: int, effort: Effort = "fast", *, smooth: bool = False) -> EncoderOptions:
    """Return the options of the saver of ``form`` for an image of so many pixels, all frames together.

    ``smooth``: it has little detail.
    """
    encoder = OUTPUT_FORMATS[form].encoder
    if smooth and encoder.smooth and effort == "fast" and pixels <= SMOOTH_MAX_PIXELS:
        return encoder.smooth
    return _look_up(encoder.fast if effort == "fast" else encoder.slow, pixels)


def choose_search_options(form: str, pixels: int, effort: Effort, *, drawing: bool) -> EncoderOptions:
    """Return the options by which ``q=auto`` encodes: slower ones than usual where they pay for the time at once.

    ``drawing``: few colours in flat parts.
    """
    encoder = OUTPUT_FORMATS[form].encoder
    if effort == "fast" and encoder.search:
        options = _look_up(encoder.search, pixels)
    else:
        options = choose_encoder_options(form, pixels, effort)
    return options | encoder.drawing if drawing else options


def list_trial_options(form: str, pixels: int, effort: Effort) -> tuple[EncoderOptions, ...]:
    """Return options to try beside those of :func:`choose_search_options`, in the background."""
    return OUTPUT_FORMATS[form].encoder.trials if effort == "slow" and pixels <= TRIAL_MAX_PIXELS else ()


def list_alternatives(form: str, effort: Effort) -> tuple[EncoderOptions, ...]:
    """Return further options, of which each is tried: the smallest result wins."""
    return OUTPUT_FORMATS[form].encoder.alternatives.get(effort, ({},))


def _look_up(table: OptionTable, pixels: int) -> EncoderOptions:
    return next(options for limit, options in table if pixels <= limit)

"""Encode finished frames, without any metadata.

Encoders try less hard as pixels grow, so that no encode takes over a second. The tables of each format lie in its
package: they were chosen from times per megapixel of detailed photographs on one core of a 2-core x86-64 machine
(libvips 8.18). What is requested again is encoded again in the background (``slow``), where no encode takes over some
ten seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pyvips

from ...plan.model import DEFAULT_QUALITY
from ..colour.convert import get_white_level
from .image_format import Effort, EncoderOptions, OptionTable, OutputFormat
from .registry import OUTPUT_FORMATS

FLAT_SHARE = 0.5
"""Pixels that equal their left neighbour: above this it is a drawing, below a photograph (of which 2–15 % do)."""

DETAILED_LEVELS = 3.0
"""The :func:`measure_detail` from which on an image is full of detail. Six of thirteen photographs are below."""

DETAIL_LINES = 4
"""Every such line of an image is measured before its options are chosen."""

TRIAL_MAX_PIXELS = 4_000_000
"""Up to here options are tried for ``q=auto``: ``smart_deblock`` takes 550 ms a megapixel."""


@dataclass(frozen=True, slots=True)
class EncodableImage:
    """Frames one below the other, as libvips' savers take them."""

    image: pyvips.Image
    frames: int

    @classmethod
    def from_frames(cls, frames: list[pyvips.Image], delays_ms: list[int], loop: int) -> EncodableImage:
        """The sheet of frames of one size. ``delays_ms`` and ``loop`` are libvips' own."""
        if len(frames) == 1:
            return cls(frames[0], 1)
        image = pyvips.Image.arrayjoin(frames, across=1).copy()
        image.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
        image.set_type(pyvips.GValue.gint_type, "loop", loop)
        image.set_type(pyvips.GValue.array_int_type, "delay", delays_ms)
        return cls(image, len(frames))

    @property
    def pixels(self) -> int:
        return int(self.image.width * self.image.height)


def encode(
    image: EncodableImage, output: OutputFormat, quality: int | None, effort: Effort = "fast", *, baseline: bool = False
) -> bytes:
    """Encode ``image`` as ``output``. ``quality`` is 1–100 on JPEG's scale, None for that of :data:`DEFAULT_QUALITY`.

    ``baseline``: a JPEG is not progressive.
    """
    encoder = output.encoder
    lossy = {} if output.lossless else _lossy_options(output, quality or DEFAULT_QUALITY.of(output.name))
    options = choose_encoder_options(output.name, image.pixels, effort)
    smooth = encoder.smooth if effort != "slow" else None
    if smooth and image.pixels <= smooth.max_pixels and options != smooth.options:
        image = EncodableImage(image.image.copy_memory(), image.frames)  # else it would be computed twice
        if measure_detail(image.image.subsample(1, min(DETAIL_LINES, image.image.height))) < smooth.max_levels:
            options = smooth.options
    options = options | lossy | (encoder.baseline if baseline else {})
    return min((_save(image, output, options | further) for further in list_alternatives(output.name, effort)), key=len)


def _lossy_options(output: OutputFormat, quality: int) -> EncoderOptions:
    coarse = output.encoder.coarse if quality <= output.encoder.coarse_quality else {}
    return {"Q": map_quality(output, quality)} | coarse


def encode_with(image: EncodableImage, output: OutputFormat, quality: int, options: EncoderOptions) -> bytes:
    """Encode ``image`` as the lossy ``output`` by ``options``. ``quality`` is on the encoder's own scale."""
    return _save(image, output, options | {"Q": quality})


def encode_lossless(image: EncodableImage, output: OutputFormat, effort: Effort = "fast") -> bytes:
    """Encode a drawing without loss, as ``output``, which must have an encoder for that."""
    options = choose_encoder_options(output.name, image.pixels, effort) | output.encoder.lossless
    return _save(image, output, options)


def is_drawing(image: pyvips.Image) -> bool:
    """Return whether most pixels equal their left neighbour, as in logos, charts and text."""
    return measure_flat_share(image) >= FLAT_SHARE


def measure_detail(image: pyvips.Image) -> float:
    """Return the detail of an image: the mean difference of horizontal neighbours, of 255 levels of green or grey."""
    if image.width < 2:
        return 0.0
    green = image[1] if image.bands > 2 else image[0]
    beside = green.crop(1, 0, image.width - 1, image.height) - green.crop(0, 0, image.width - 1, image.height)
    return float(beside.abs().avg()) * 255 / get_white_level(image)


def measure_flat_share(image: pyvips.Image) -> float:
    """Return the share of pixels that equal their left neighbour."""
    if image.width < 2:
        return 0.0
    left = image.crop(0, 0, image.width - 1, image.height)
    right = image.crop(1, 0, image.width - 1, image.height)
    same = (left == right).bandand() if image.bands > 1 else left == right
    return float(same.avg()) / 255


def map_quality(output: OutputFormat, quality: int) -> int:
    """Return the encoder's own number for a quality on JPEG's scale, which ``q`` uses for every format."""
    for (low, at_low), (high, at_high) in pairwise(output.encoder.quality_scale):
        if quality <= high:
            return max(1, round(at_low + (at_high - at_low) * (quality - low) / (high - low)))
    return quality


def _save(image: EncodableImage, output: OutputFormat, options: EncoderOptions) -> bytes:
    encoder = output.encoder
    body: bytes = pyvips.Operation.call(encoder.saver, image.image, keep="none", **encoder.always, **options)
    if encoder.finish_alpha and image.frames > 1 and image.image.hasalpha():
        return encoder.finish_alpha(body)
    return body


def choose_encoder_options(form: str, pixels: int, effort: Effort = "fast") -> EncoderOptions:
    """Return the options of the saver of ``form`` for an image of so many pixels, all frames together."""
    encoder = OUTPUT_FORMATS[form].encoder
    tables = {"fast": encoder.fast, "balanced": encoder.balanced or encoder.fast, "slow": encoder.slow}
    return _look_up(tables[effort], pixels)


def choose_search_options(form: str, pixels: int, effort: Effort, *, drawing: bool) -> EncoderOptions:
    """Return the options by which ``q=auto`` encodes: slower ones than usual where they pay for the time at once.

    ``drawing``: few colours in flat parts.
    """
    encoder = OUTPUT_FORMATS[form].encoder
    if effort != "slow" and encoder.search:
        options = _look_up(encoder.search, pixels)
    else:
        options = choose_encoder_options(form, pixels, effort)
    return options | encoder.coarse | (encoder.drawing if drawing else {})


def list_trial_options(form: str, pixels: int, effort: Effort) -> tuple[EncoderOptions, ...]:
    """Return options to try beside those of :func:`choose_search_options`, in the background."""
    return OUTPUT_FORMATS[form].encoder.trials if effort == "slow" and pixels <= TRIAL_MAX_PIXELS else ()


def list_alternatives(form: str, effort: Effort) -> tuple[EncoderOptions, ...]:
    """Return further options, of which each is tried: the smallest result wins."""
    return OUTPUT_FORMATS[form].encoder.alternatives.get(effort, ({},))


def _look_up(table: OptionTable, pixels: int) -> EncoderOptions:
    return next(options for limit, options in table if pixels <= limit)

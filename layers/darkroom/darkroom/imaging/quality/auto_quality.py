"""``q=auto``: choose the quality at which an image reaches the target score.

A sample of the image is encoded with the usual quality and scored. The difference from the target suggests another
quality. While a viewer waits, that is the response's where the difference was small; else it is scored as well. Time is
bounded by counts: of encodes, of pixels per encode, and one encode of the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import pyvips

from ...plan.model import DEFAULT_QUALITY, DefaultQuality
from ..formats.encode import (
    DETAILED_LEVELS,
    EncodableImage,
    choose_search_options,
    encode_with,
    list_trial_options,
    map_quality,
    measure_detail,
    measure_flat_share,
)
from ..formats.image_format import BUSY, FLAT, SMOOTH, Effort, EncoderOptions, OutputFormat, Start
from .search import Candidate, find_nearest, search_options
from .ssimulacra2 import MIN_SIDE_PX, Comparator

TARGET_SCORE = 75.0
"""On SSIMULACRA2's scale: the mean of quality 80 over photographs and graphics (``bench/auto`` of commit 10e7c8d8)."""

SCORE_TOLERANCE = 0.7
"""Accepted distance from the target: about one step of quality."""

COLOUR_SHORTFALL = 6.0
"""A first encode that is so far below the target most likely lost colour, whose resolution the encoders halve."""

SURE_POINTS = {FLAT: 1.5, SMOOTH: 5.0, BUSY: 5.0}
"""Up to this distance from the target, by content, the next quality is taken without a score while a viewer waits. Over
124 images it is then off by 0.6 points (root mean square). Scores of drawings rise too unevenly."""

MAX_ENCODES: dict[Effort, int] = {"fast": 4, "balanced": 4, "slow": 6}
"""Most encodes of the sample. The last one is not scored: it lies between others that were."""

TILES = 4
"""A sample consists of 4 × 4 parts of the image, evenly spread."""

MAX_STEP = 25
"""Largest step of quality from one encode to the next."""


@dataclass(frozen=True, slots=True)
class AutoQualityResult:
    """An encoded image, its quality on the encoder's own scale, and the number of encodes, of samples too."""

    body: bytes
    quality: int
    encodes: int


def encode_auto(
    encodable: EncodableImage,
    form: OutputFormat,
    effort: Effort,
    *,
    baseline: bool = False,
    default_quality: DefaultQuality = DEFAULT_QUALITY,
) -> AutoQualityResult:
    """Encode an image in memory, in a lossy format, with the quality that reaches the target score.

    ``baseline``: a JPEG is not to be progressive. ``default_quality`` is that of an image too small to be scored.
    """
    image = encodable.image
    page = image.crop(0, 0, image.width, image.height // encodable.frames) if encodable.frames > 1 else image
    content = classify_content(page)
    encoder_options = choose_search_options(form.name, encodable.pixels, effort, drawing=content == FLAT)
    encoder_options = encoder_options | form.encoder.baseline if baseline else encoder_options
    sample = sample_tiles(page, form.encoder.sample_pixels)
    if min(sample.width, sample.height) < MIN_SIDE_PX:
        usual = map_quality(form, default_quality.of(form.name))
        return AutoQualityResult(encode_with(encodable, form, usual, encoder_options), usual, encodes=1)
    start = find_start(form, page, content)
    encoder = _SampleEncoder(sample, form, encoder_options)
    full_chroma = encoder_options | form.encoder.full_chroma
    if full_chroma != encoder_options and encoder.score(start.quality) < TARGET_SCORE - COLOUR_SHORTFALL:
        encoder = replace(encoder, encoder_options=full_chroma, earlier=encoder.encodes, _bodies={}, _scores={})
    sure = SURE_POINTS[content] if effort != "slow" else 0.0
    quality = search_quality(start, encoder.score, MAX_ENCODES[effort] - encoder.earlier, sure, form.encoder.bend)
    encoders = [encoder, *encoder.with_options(list_trial_options(form.name, encodable.pixels, effort))]
    best = Candidate(0, quality)
    if len(encoders) > 1:
        best = search_options(
            quality, len(encoders) - 1, start.slope, TARGET_SCORE, lambda one: encoders[one.options].measure(one)
        )
    encoder = encoders[best.options]
    body = (
        encoder.encode(best.quality)
        if sample is image
        else encode_with(encodable, form, best.quality, encoder.encoder_options)
    )
    return AutoQualityResult(body, best.quality, sum(one.encodes for one in encoders) + (sample is not image))


@dataclass(slots=True)
class _SampleEncoder:
    """A sample, with its encodes and scores by quality on the encoder's own scale."""

    sample: pyvips.Image
    form: OutputFormat
    encoder_options: EncoderOptions
    earlier: int = 0
    _bodies: dict[int, bytes] = field(default_factory=dict)
    _scores: dict[int, float] = field(default_factory=dict)
    _comparator: Comparator | None = None

    @property
    def encodes(self) -> int:
        """The number of encodes, including ``earlier`` ones with other options."""
        return self.earlier + len(self._bodies)

    def with_options(self, options: Iterable[EncoderOptions]) -> list[_SampleEncoder]:
        """Return the same sample with each of ``options`` added, without those that it has already."""
        added = [self.encoder_options | one for one in options if self.encoder_options | one != self.encoder_options]
        return [replace(self, encoder_options=one, earlier=0, _bodies={}, _scores={}) for one in added]

    def measure(self, one: Candidate) -> tuple[float, int]:
        """Return the score and the bytes of a candidate."""
        return self.score(one.quality), len(self.encode(one.quality))

    def encode(self, quality: int) -> bytes:
        """Encode the sample."""
        if quality not in self._bodies:
            self._bodies[quality] = encode_with(
                EncodableImage(self.sample, 1), self.form, quality, self.encoder_options
            )
        return self._bodies[quality]

    def score(self, quality: int) -> float:
        """Score the encoded sample."""
        self._comparator = self._comparator or Comparator(self.sample)
        if quality not in self._scores:
            self._scores[quality] = self._comparator.score(self.encode(quality))
        return self._scores[quality]


def search_quality(
    start: Start, score: Callable[[int], float], encodes: int, sure: float = 0.0, bend: float = 0.0
) -> int:
    """Return the quality whose score is the target's, or as near as ``encodes`` get.

    ``sure`` and ``bend`` are those of :func:`.search.find_nearest`.
    """
    return find_nearest(
        start.quality,
        score,
        TARGET_SCORE,
        encodes=encodes,
        slope=start.slope,
        tolerance=SCORE_TOLERANCE,
        max_step=MAX_STEP,
        sure=sure,
        bend=bend,
    )


def sample_tiles(page: pyvips.Image, most_pixels: int) -> pyvips.Image:
    """Return ``page`` itself if it has at most ``most_pixels``, else evenly spread parts of it, in order."""
    if page.width * page.height <= most_pixels:
        return page
    share = (most_pixels / (page.width * page.height)) ** 0.5
    width, height = int(page.width * share) // TILES, int(page.height * share) // TILES
    if min(width, height) < MIN_SIDE_PX:
        return page.crop(0, 0, min(page.width, most_pixels // page.height or 1), page.height)
    lefts = [at * (page.width - width) // (TILES - 1) for at in range(TILES)]
    tops = [at * (page.height - height) // (TILES - 1) for at in range(TILES)]
    tiles = [page.crop(left, top, width, height) for top in tops for left in lefts]
    return pyvips.Image.arrayjoin(tiles, across=TILES).copy_memory()


def classify_content(page: pyvips.Image) -> str:
    """Return whether an image is flat as a drawing, smooth, or full of detail."""
    if measure_flat_share(page) >= 0.5:
        return FLAT
    return BUSY if measure_detail(page) >= DETAILED_LEVELS else SMOOTH


def find_start(form: OutputFormat, page: pyvips.Image, content: str) -> Start:
    """Return where the search begins, as learned from images of the same format, size and content."""
    return next(start for limit, start in form.encoder.starts[content] if page.width * page.height <= limit)

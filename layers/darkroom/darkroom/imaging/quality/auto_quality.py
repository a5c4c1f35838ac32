"""``q=auto``: the quality by which a picture looks as good as any other, found on a test strip.

A photographer exposes a strip of paper before the sheet. Here the strip is encoded by the quality that usually does,
judged, and encoded again by what the difference tells. A picture of up to 0.6 MP is its own strip, so that the last try
is the answer. What takes time is bounded by counts: so many encodes of so many pixels, and the picture once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import pyvips

from ..formats.encode import (
    BASELINE,
    DETAILED_LEVELS,
    EncodableImage,
    encode_with,
    map_quality,
    measure_detail,
    measure_flat_share,
)
from ..formats.encoder_options import Effort, EncoderOptions, choose_search_options, list_trial_options
from ..formats.registry import OutputFormat
from .search import Candidate, find_nearest, search_options
from .ssimulacra2 import MIN_SIDE_PX, Comparator
from .start_table import BUSY, FLAT, SMOOTH, STARTS, Start

TARGET_SCORE = 75.0
"""On SSIMULACRA2's scale: what WebP of quality 80 has on average over photographs and graphics
(``python -m bench.auto``)."""

SCORE_TOLERANCE = 0.7
"""How far from the target a try may be that is kept: about one step of quality."""

COLOUR_SHORTFALL = 6.0
"""A first try that is so far below the target was most likely spoilt by colour, whose size the encoders halve."""

FULL_CHROMA: dict[str, EncoderOptions] = {
    "jpeg": {"subsample_mode": "off"},
    "webp": {"smart_subsample": True},
    "avif": {"subsample_mode": "off"},
}
"""By format, what keeps more of the colour then: all of it, or for twice the time what WebP can."""

MAX_ENCODES: dict[Effort, int] = {"fast": 4, "slow": 6}
"""Encodes of the strip at most. The last one is not judged: it lies between others that were."""

SAMPLE_PIXELS: dict[str, int] = {"avif": 300_000}
MAX_SAMPLE_PIXELS = 600_000
TILES = 4
"""A strip is made of 4 × 4 parts of the picture, evenly spread."""

DEFAULT_QUALITY = 80
"""Where nothing can be judged."""

MAX_STEP = 25
"""Steps of quality from one try to the next."""


@dataclass(frozen=True, slots=True)
class AutoQualityResult:
    """An encoded picture, its quality on the encoder's own scale, and how many encodes it took, those of strips too."""

    body: bytes
    quality: int
    encodes: int


def encode_auto(
    sheet: EncodableImage, form: OutputFormat, effort: Effort, *, baseline: bool = False
) -> AutoQualityResult:
    """``sheet``, which is held in memory, in ``form`` by the quality that fits it. ``form`` is lossy.

    ``baseline``: a JPEG is not to be progressive.
    """
    image = sheet.image
    page = image.crop(0, 0, image.width, image.height // sheet.frames) if sheet.frames > 1 else image
    content = classify_content(page)
    knobs = choose_search_options(form.name, sheet.pixels, effort, drawing=content == FLAT)
    if baseline and form.name == "jpeg":
        knobs = knobs | BASELINE
    sample = sample_tiles(page, SAMPLE_PIXELS.get(form.name, MAX_SAMPLE_PIXELS))
    if min(sample.width, sample.height) < MIN_SIDE_PX:
        usual = map_quality(form, DEFAULT_QUALITY)
        return AutoQualityResult(encode_with(sheet, form, usual, knobs), usual, encodes=1)
    start = find_start(form, page, content)
    encoder = _SampleEncoder(sample, form, knobs)
    full_chroma = knobs | FULL_CHROMA[form.name]
    if full_chroma != knobs and encoder.score(start.quality) < TARGET_SCORE - COLOUR_SHORTFALL:
        knobs = full_chroma
        encoder = replace(encoder, knobs=knobs, earlier=encoder.encodes, _bodies={}, _scores={})
    quality = search_quality(start, encoder.score, MAX_ENCODES[effort] - encoder.earlier)
    encoders = [encoder, *encoder.with_options(list_trial_options(form.name, sheet.pixels, effort))]
    best = Candidate(0, quality)
    if len(encoders) > 1:
        best = search_options(
            quality, len(encoders) - 1, start.slope, TARGET_SCORE, lambda one: encoders[one.options].measure(one)
        )
    encoder = encoders[best.options]
    body = encoder.encode(best.quality) if sample is image else encode_with(sheet, form, best.quality, encoder.knobs)
    return AutoQualityResult(body, best.quality, sum(one.encodes for one in encoders) + (sample is not image))


@dataclass(slots=True)
class _SampleEncoder:
    """A strip, its judge and what it was encoded to, by quality on the encoder's own scale."""

    sample: pyvips.Image
    form: OutputFormat
    knobs: EncoderOptions
    earlier: int = 0
    _bodies: dict[int, bytes] = field(default_factory=dict)
    _scores: dict[int, float] = field(default_factory=dict)
    _comparator: Comparator | None = None

    @property
    def encodes(self) -> int:
        """How many there were, ``earlier`` ones by other knobs included."""
        return self.earlier + len(self._bodies)

    def with_options(self, options: Iterable[EncoderOptions]) -> list[_SampleEncoder]:
        """The same strip with each of ``options`` beside its own, but for those that it has already."""
        added = [self.knobs | one for one in options if self.knobs | one != self.knobs]
        return [replace(self, knobs=knobs, earlier=0, _bodies={}, _scores={}) for knobs in added]

    def measure(self, one: Candidate) -> tuple[float, int]:
        """The score and the bytes of a print."""
        return self.score(one.quality), len(self.encode(one.quality))

    def encode(self, quality: int) -> bytes:
        """The strip, encoded."""
        if quality not in self._bodies:
            self._bodies[quality] = encode_with(EncodableImage(self.sample, 1), self.form, quality, self.knobs)
        return self._bodies[quality]

    def score(self, quality: int) -> float:
        """How like the strip its encode looks."""
        self._comparator = self._comparator or Comparator(self.sample)
        if quality not in self._scores:
            self._scores[quality] = self._comparator.score(self.encode(quality))
        return self._scores[quality]


def search_quality(start: Start, score: Callable[[int], float], encodes: int) -> int:
    """Return the quality whose score is the target's, or as near as ``encodes`` get."""
    return find_nearest(
        start.quality,
        score,
        TARGET_SCORE,
        encodes=encodes,
        slope=start.slope,
        tolerance=SCORE_TOLERANCE,
        max_step=MAX_STEP,
    )


def sample_tiles(page: pyvips.Image, most_pixels: int) -> pyvips.Image:
    """``page`` itself if it has no more than ``most_pixels``, else parts of it, evenly spread, in their order."""
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
    """Whether a picture is flat as a drawing, smooth, or full of detail."""
    if measure_flat_share(page) >= 0.5:
        return FLAT
    return BUSY if measure_detail(page) >= DETAILED_LEVELS else SMOOTH


def find_start(form: OutputFormat, page: pyvips.Image, content: str) -> Start:
    """Where the search begins, as learned from pictures of the same format, size and content."""
    return next(start for limit, start in STARTS[form.name, content] if page.width * page.height <= limit)

"""Compare ``q=auto`` with a fixed quality on images that it has not learned from."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from statistics import fmean, geometric_mean

import numpy as np

from darkroom.imaging.formats import encode as encode_module
from darkroom.imaging.formats.encode import EncodableImage, choose_search_options, encode, encode_with, map_quality
from darkroom.imaging.formats.image_format import FLAT, Effort
from darkroom.imaging.formats.registry import OUTPUT_FORMATS, SOURCE_FORMATS
from darkroom.imaging.quality.auto_quality import TARGET_SCORE, classify_content, encode_auto
from darkroom.imaging.quality.ssimulacra2 import Comparator
from darkroom_pipeline.reencode.search import should_replace

from ..build_cache import hash_sources
from ..corpus.views import View, list_views
from ..paths import WORK
from ..quality import decode_pixels
from ..ssimulacra2 import Original
from .starts import render_image

WITHIN = 2.0
REFINED = ("webp",)
"""Formats that are also measured after background re-encoding."""

FIXED: Mapping[str, tuple[int, ...]] = {"webp": (77, 80, 83), "jpeg": (66, 71, 76), "avif": (72, 78, 82, 86)}
"""Fixed qualities on JPEG's scale whose mean scores enclose the target's."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """Bytes and SSIMULACRA2 of an encoded image."""

    size_bytes: int
    score: float


@dataclass(frozen=True, slots=True)
class AutoResult:
    """An image encoded by ``q=auto``. ``estimate`` is the score of Darkroom's comparator. Times are CPU times."""

    name: str
    kind: str
    made: EncodedImage
    estimate: float
    encodes: int
    took_ms: float
    fixed_ms: float


@dataclass(frozen=True)
class Outcome:
    """Results of a format. ``fixed`` and ``careful`` are the same images with fixed qualities, by quality.

    ``pace`` is ``slow`` for background re-encoding. ``fixed`` has the encoder settings without ``q=auto``, ``careful``
    those with it.
    """

    form: str
    pace: Effort
    results: Sequence[AutoResult]
    fixed: Mapping[int, Sequence[EncodedImage]]
    careful: Mapping[int, Sequence[EncodedImage]]

    @property
    def target(self) -> float:
        """The target score."""
        return TARGET_SCORE

    @property
    def within(self) -> float:
        """Share of images whose score is within 2 of the target."""
        return fmean(abs(one.made.score - TARGET_SCORE) <= WITHIN for one in self.results)

    @property
    def mean_score(self) -> float:
        return fmean(one.made.score for one in self.results)

    @cached_property
    def ratios(self) -> Sequence[float]:
        """Ratio of each image's bytes to its bytes at the fixed quality with the same mean score."""
        return [
            one.made.size_bytes / size
            for one, size in zip(self.results, self._interpolate_equal(self.fixed)[1], strict=True)
        ]

    @property
    def equal_quality(self) -> float:
        """The fixed quality with the same mean score."""
        return self._interpolate_equal(self.fixed)[0]

    @property
    def settings_ratio(self) -> float:
        """Mean ratio that the encoder settings alone save, with a fixed quality at the same score."""
        sizes = zip(self._interpolate_equal(self.careful)[1], self._interpolate_equal(self.fixed)[1], strict=True)
        return geometric_mean(careful / fixed for careful, fixed in sizes)

    @property
    def total_ratio(self) -> float:
        """Ratio of all bytes to all bytes at that fixed quality."""
        return sum(one.made.size_bytes for one in self.results) / sum(self._interpolate_equal(self.fixed)[1])

    @property
    def errors(self) -> Sequence[float]:
        """Errors of the estimated scores."""
        return [abs(one.estimate - one.made.score) for one in self.results]

    def _interpolate_equal(self, fixed: Mapping[int, Sequence[EncodedImage]]) -> tuple[float, list[float]]:
        """Interpolate the fixed quality with the same mean score, and the bytes at it."""
        qualities = sorted(fixed)
        means = [fmean(one.score for one in fixed[quality]) for quality in qualities]
        quality = float(np.interp(self.mean_score, means, qualities))
        low = max(at for at in range(len(qualities) - 1) if qualities[at] <= quality)
        share = (quality - qualities[low]) / (qualities[low + 1] - qualities[low])
        pairs = zip(fixed[qualities[low]], fixed[qualities[low + 1]], strict=True)
        return quality, [a.size_bytes ** (1 - share) * b.size_bytes**share for a, b in pairs]


def compare_formats(every: Mapping[str, int], progress: Callable[[str], None]) -> list[Outcome]:
    """Encode every n-th unseen image in each format, then re-encode those of REFINED. Raises PackageUnavailable."""
    images = list_views("unseen")
    found = [_outcomes(form, images[:: every[form]], progress) for form in every]
    return [first for first, _ in found] + [later for _, later in found if later.results]


def _outcomes(form: str, images: Sequence[View], progress: Callable[[str], None]) -> tuple[Outcome, Outcome]:
    results: list[AutoResult] = []
    refined: list[AutoResult] = []
    fixed: dict[int, list[EncodedImage]] = {quality: [] for quality in FIXED[form]}
    careful: dict[int, list[EncodedImage]] = {quality: [] for quality in FIXED[form]}
    for number, view in enumerate(images):
        progress(f"q=auto as {form}, image {number + 1} of {len(images)}")
        original = Original(view.pixels)
        source = EncodableImage(render_image(view), 1)
        results.append(_encode_auto(form, "fast", view, source, original))
        if form in REFINED:
            later = _encode_auto(form, "slow", view, source, original)
            is_worth = should_replace(
                (later.made.size_bytes, later.estimate), (results[-1].made.size_bytes, results[-1].estimate)
            )
            delivered = later if is_worth else results[-1]
            refined.append(replace(delivered, encodes=later.encodes, took_ms=later.took_ms))
        for at, encoded in _by_one_quality(form, view, original).items():
            quality, settings = at.split()
            (fixed if settings == "fixed" else careful)[int(quality)].append(encoded)
    return Outcome(form, "fast", results, fixed, careful), Outcome(form, "slow", refined, fixed, careful)


def _encode_auto(form: str, pace: Effort, view: View, source: EncodableImage, original: Original) -> AutoResult:
    started_s = time.process_time()
    choice = encode_auto(source, OUTPUT_FORMATS[form], pace)
    took_ms = (time.process_time() - started_s) * 1000
    started_s = time.process_time()
    encode(source, OUTPUT_FORMATS[form], None)
    fixed_ms = (time.process_time() - started_s) * 1000
    made = EncodedImage(len(choice.body), original.score(decode_pixels(choice.body)))
    estimate = Comparator(source.image).score(choice.body)
    return AutoResult(view.name, view.kind, made, estimate, choice.encodes, took_ms, fixed_ms)


def _by_one_quality(form: str, view: View, original: Original) -> dict[str, EncodedImage]:
    """Encode an image with each fixed quality and both settings. Cached until the encoders' tables change."""
    package = import_module(f"darkroom.imaging.formats.{SOURCE_FORMATS[form].package}")
    sources = [Path(module.__file__ or "") for module in (encode_module, package)]
    name = hash_sources(sources, form, view.name, str(FIXED[form]), str(view.pixels.shape))
    file = WORK / "quality" / f"{name}.json"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        middle_score = {
            at: (len(body), original.score(decode_pixels(body)))
            for at, body in _encoded(form, EncodableImage(render_image(view), 1))
        }
        file.write_text(json.dumps(middle_score), encoding="ascii")
    return {at: EncodedImage(*encoded) for at, encoded in json.loads(file.read_text(encoding="ascii")).items()}


def _encoded(name: str, source: EncodableImage) -> list[tuple[str, bytes]]:
    form, drawing = OUTPUT_FORMATS[name], classify_content(source.image) == FLAT
    knobs = choose_search_options(name, source.pixels, "fast", drawing=drawing)
    fixed = [(f"{quality} fixed", encode(source, form, quality)) for quality in FIXED[name]]
    careful_ones = ((f"{q} careful", encode_with(source, form, map_quality(form, q), knobs)) for q in FIXED[name])
    return [*fixed, *careful_ones]

"""What ``q=auto`` makes of pictures that nothing was learned from, beside one quality for all of them."""

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
from darkroom.imaging.render.reencode import should_replace

from ..build_cache import hash_sources
from ..corpus.views import View, list_views
from ..paths import WORK
from ..quality import decode_pixels
from ..ssimulacra2 import Original
from .starts import render_image

WITHIN = 2.0
REFINED = ("webp",)
"""What is also measured as it is when it has been refined."""

FIXED: Mapping[str, tuple[int, ...]] = {"webp": (77, 80, 83), "jpeg": (66, 71, 76), "avif": (72, 78, 82, 86)}
"""Qualities for all, on JPEG's scale, that have the target's mean score between them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An encoded picture: its bytes and its SSIMULACRA2."""

    size_bytes: int
    score: float


@dataclass(frozen=True, slots=True)
class Print:
    """A picture by ``q=auto``; ``judged`` is what our own judge says of it. Times are of the processor."""

    name: str
    kind: str
    made: Kept
    judged: float
    encodes: int
    took_ms: float
    fixed_ms: float


@dataclass(frozen=True)
class Outcome:
    """A format: ``fixed`` and ``careful`` are, by quality, the same pictures by one quality for all.

    ``pace`` is ``slow`` for pictures as they are when they have been refined.
    ``fixed`` is as Darkroom encodes without ``q=auto``, ``careful`` by the encoder's settings that ``q=auto`` has.
    """

    form: str
    pace: Effort
    prints: Sequence[Print]
    fixed: Mapping[int, Sequence[Kept]]
    careful: Mapping[int, Sequence[Kept]]

    @property
    def target(self) -> float:
        """The score that is aimed at."""
        return TARGET_SCORE

    @property
    def within(self) -> float:
        """The share of pictures whose score is within 2 of the target."""
        return fmean(abs(one.made.score - TARGET_SCORE) <= WITHIN for one in self.prints)

    @property
    def mean_score(self) -> float:
        return fmean(one.made.score for one in self.prints)

    @cached_property
    def ratios(self) -> Sequence[float]:
        """Each picture's bytes, of its bytes by the one quality that has the same mean score over all pictures."""
        return [one.made.size_bytes / size for one, size in zip(self.prints, self._alike(self.fixed)[1], strict=True)]

    @property
    def alike_quality(self) -> float:
        """The quality for all that has the same mean score."""
        return self._alike(self.fixed)[0]

    @property
    def of_settings(self) -> float:
        """What the encoder's settings alone would save: the mean ratio with one quality for all, at the same score."""
        sizes = zip(self._alike(self.careful)[1], self._alike(self.fixed)[1], strict=True)
        return geometric_mean(careful / fixed for careful, fixed in sizes)

    @property
    def in_total(self) -> float:
        """All bytes, of all bytes by that one quality."""
        return sum(one.made.size_bytes for one in self.prints) / sum(self._alike(self.fixed)[1])

    @property
    def errors(self) -> Sequence[float]:
        """How far off our own judge was."""
        return [abs(one.judged - one.made.score) for one in self.prints]

    def _alike(self, fixed: Mapping[int, Sequence[Kept]]) -> tuple[float, list[float]]:
        """The quality for all with the same mean score, between those that were tried, and the bytes then."""
        qualities = sorted(fixed)
        means = [fmean(one.score for one in fixed[quality]) for quality in qualities]
        quality = float(np.interp(self.mean_score, means, qualities))
        low = max(at for at in range(len(qualities) - 1) if qualities[at] <= quality)
        share = (quality - qualities[low]) / (qualities[low + 1] - qualities[low])
        pairs = zip(fixed[qualities[low]], fixed[qualities[low + 1]], strict=True)
        return quality, [a.size_bytes ** (1 - share) * b.size_bytes**share for a, b in pairs]


def compare_formats(every: Mapping[str, int], progress: Callable[[str], None]) -> list[Outcome]:
    """Each format on every so manyth of the unseen pictures, then those of REFINED at leisure; raises NotToBeHad."""
    pictures = list_views("unseen")
    found = [_outcomes(form, pictures[:: every[form]], progress) for form in every]
    return [first for first, _ in found] + [later for _, later in found if later.prints]


def _outcomes(form: str, pictures: Sequence[View], progress: Callable[[str], None]) -> tuple[Outcome, Outcome]:
    prints: list[Print] = []
    refined: list[Print] = []
    fixed: dict[int, list[Kept]] = {quality: [] for quality in FIXED[form]}
    alike: dict[int, list[Kept]] = {quality: [] for quality in FIXED[form]}
    for number, view in enumerate(pictures):
        progress(f"q=auto as {form}, picture {number + 1} of {len(pictures)}")
        original = Original(view.pixels)
        sheet = EncodableImage(render_image(view), 1)
        prints.append(_print(form, "fast", view, sheet, original))
        if form in REFINED:
            later = _print(form, "slow", view, sheet, original)
            is_worth = should_replace(
                (later.made.size_bytes, later.judged), (prints[-1].made.size_bytes, prints[-1].judged)
            )
            delivered = later if is_worth else prints[-1]
            refined.append(replace(delivered, encodes=later.encodes, took_ms=later.took_ms))
        for at, kept in _by_one_quality(form, view, original).items():
            quality, settings = at.split()
            (fixed if settings == "fixed" else alike)[int(quality)].append(kept)
    return Outcome(form, "fast", prints, fixed, alike), Outcome(form, "slow", refined, fixed, alike)


def _print(form: str, pace: Effort, view: View, sheet: EncodableImage, original: Original) -> Print:
    started_s = time.process_time()
    choice = encode_auto(sheet, OUTPUT_FORMATS[form], pace)
    took_ms = (time.process_time() - started_s) * 1000
    started_s = time.process_time()
    encode(sheet, OUTPUT_FORMATS[form], None)
    fixed_ms = (time.process_time() - started_s) * 1000
    made = Kept(len(choice.body), original.score(decode_pixels(choice.body)))
    judged = Comparator(sheet.image).score(choice.body)
    return Print(view.name, view.kind, made, judged, choice.encodes, took_ms, fixed_ms)


def _by_one_quality(form: str, view: View, original: Original) -> dict[str, Kept]:
    """The picture by each of the qualities for all, with both settings; kept until the encoders' tables change."""
    package = import_module(f"darkroom.imaging.formats.{SOURCE_FORMATS[form].package}")
    sources = [Path(module.__file__ or "") for module in (encode_module, package)]
    name = hash_sources(sources, form, view.name, str(FIXED[form]), str(view.pixels.shape))
    file = WORK / "quality" / f"{name}.json"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        told = {
            at: (len(body), original.score(decode_pixels(body)))
            for at, body in _encoded(form, EncodableImage(render_image(view), 1))
        }
        file.write_text(json.dumps(told), encoding="ascii")
    return {at: Kept(*kept) for at, kept in json.loads(file.read_text(encoding="ascii")).items()}


def _encoded(name: str, sheet: EncodableImage) -> list[tuple[str, bytes]]:
    form, drawing = OUTPUT_FORMATS[name], classify_content(sheet.image) == FLAT
    knobs = choose_search_options(name, sheet.pixels, "fast", drawing=drawing)
    fixed = [(f"{quality} fixed", encode(sheet, form, quality)) for quality in FIXED[name]]
    careful_ones = ((f"{q} careful", encode_with(sheet, form, map_quality(form, q), knobs)) for q in FIXED[name])
    return [*fixed, *careful_ones]

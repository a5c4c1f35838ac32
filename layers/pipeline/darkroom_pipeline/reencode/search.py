"""Re-encode a stored derivative in the background: fewer bytes at an equal score.

The encoder runs with more effort, and the quality is chosen so that the score of the stored derivative is just kept.
Both are scored against the rendered image before encoding, so that losses do not add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyvips

from darkroom.findings import Findings
from darkroom.imaging.formats.encode import map_quality
from darkroom.imaging.formats.probe import Header
from darkroom.imaging.formats.registry import OutputFormat
from darkroom.imaging.quality.auto_quality import TARGET_SCORE
from darkroom.imaging.quality.search import SCORE_WINDOW, cost_at_target, find_passing
from darkroom.imaging.quality.ssimulacra2 import MIN_SIDE_PX, Comparator
from darkroom.imaging.render.context import RenderContext
from darkroom.imaging.render.output import RenderedImage, encode_output
from darkroom.imaging.render.pipeline import (
    NO_FILES,
    StageTimer,
    decode,
    inspect_source,
    internal_errors,
    load_rights,
)
from darkroom.imaging.render.steps import EDIT_STEPS, run_steps
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import AUTO_QUALITY, DEFAULT_QUALITY, DefaultQuality, Plan

from .upscale import Upscaler, UpscaleResult

MAX_SCORE_LOSS = 0.3
"""Points of SSIMULACRA2 that an image may lose. People begin to see differences at ten times as much."""

MAX_SIZE_RATIO = 0.97
"""Largest share of the stored bytes at which a replacement is worth the CDN's fetching it again."""

MIN_SAVING_AT_EQUAL_SCORE = 0.01
"""The same for ``q=auto``: the least share of bytes saved at an equal score, so that the images of a set look alike."""

MAX_ENCODES = 5
"""Encodes of one image."""


@dataclass(frozen=True, slots=True)
class ReencodeResult:
    """A better image, and the scores of the stored one and of this one (None for animations, and for upscaled ones).

    ``is_upscaled``: a model has enlarged it. It may have more bytes than the stored one.
    """

    image: RenderedImage
    stored_score: float | None = None
    score: float | None = None
    is_upscaled: bool = False


def reencode(
    plan: Plan,
    source: Source,
    stored: bytes,
    *,
    limits: Limits,
    default_quality: DefaultQuality = DEFAULT_QUALITY,
    watermark: bytes | None = None,
    second_watermark: bytes | None = None,
    overlays: Mapping[str, bytes] = NO_FILES,
    findings: Findings | None = None,
    rights: str = "",
    added_bytes: int = 0,
    upscaler: Upscaler | None = None,
) -> ReencodeResult | None:
    """Re-encode ``stored``, a derivative of ``plan``, with fewer bytes; return None where nothing is gained.

    ``added_bytes`` of ``stored`` are a signature, which the result does not have. ``upscaler`` enlarges the image, if
    that is better. An image that is too large to be held in memory is left as it is.
    Raises what :func:`.pipeline.render` does, and ModelUnavailable.
    """
    timer = StageTimer()
    header, geometry = inspect_source(plan, source, limits, findings)
    steps = upscaler.steps if upscaler else ()
    context = decode(plan, source, header, geometry, limits, watermark, findings, "slow", steps=steps)
    is_upscaled = upscaler is not None and upscaler.result is UpscaleResult.MODEL
    context.second_watermark, context.overlays = second_watermark, overlays
    context.rights, context.default_quality = load_rights(plan, source, header, rights), default_quality
    timer.stop("decode")
    if context.is_streamed:
        return None
    with internal_errors():
        run_steps(EDIT_STEPS, context)
        context.frames = [frame.copy_memory() for frame in context.frames]
        timer.stop("transform")
        press = _Reencoder(context, source, header)
        found = press.encode() if is_upscaled else press.find_replacement(stored)
    timer.stop("encode")
    if found is None or not (is_upscaled or found.should_replace(len(stored) - added_bytes)):
        return None
    frame = context.frames[0]
    image = RenderedImage(
        found.body, found.form.content_type, frame.width, frame.height, len(context.frames), timer.timings_ms
    )
    return ReencodeResult(image, found.stored_score, found.score, is_upscaled)


@dataclass(frozen=True, slots=True)
class _Candidate:
    form: OutputFormat
    body: bytes
    stored_score: float | None = None
    score: float | None = None
    is_auto: bool = False
    """Whether its quality was chosen by ``q=auto``, and not from the score of the stored derivative."""

    def should_replace(self, stored_bytes: int) -> bool:
        """Return whether it should replace the stored file, which has ``stored_bytes``."""
        if self.is_auto and self.score is not None and self.stored_score is not None:
            return should_replace((len(self.body), self.score), (stored_bytes, self.stored_score))
        return len(self.body) <= MAX_SIZE_RATIO * stored_bytes


def should_replace(one: tuple[int, float], stored: tuple[int, float]) -> bool:
    """Return whether a ``q=auto`` encode of these bytes and this score should replace the stored one.

    It may be larger: a first response that missed the target's score has fewer bytes than it should.
    """
    costs = [cost_at_target(size_bytes, TARGET_SCORE - score) for size_bytes, score in (one, stored)]
    return costs[0] <= costs[1] - MIN_SAVING_AT_EQUAL_SCORE or abs(stored[1] - TARGET_SCORE) > SCORE_WINDOW


@dataclass(frozen=True, slots=True)
class _Reencoder:
    """A rendered image that can be encoded several times."""

    context: RenderContext
    source: Source
    header: Header

    def encode(self, quality: int | None = None) -> _Candidate:
        """Encode with the plan's quality, or with another."""
        wanted = self.context.plan
        try:
            if quality is not None:
                self.context.plan = replace(wanted, quality=quality)
            return _Candidate(*encode_output(self.context, self.source, self.header))
        finally:
            self.context.plan = wanted

    def find_replacement(self, stored: bytes) -> _Candidate | None:
        """Return a candidate to replace ``stored``, or None. Animations are not scored."""
        if len(self.context.frames) > 1:
            return self.encode()
        return (
            self.encode_auto(stored) if self.context.plan.quality == AUTO_QUALITY else self.search_equal_score(stored)
        )

    def encode_auto(self, stored: bytes) -> _Candidate | None:
        """Return the ``q=auto`` encode, whatever ``stored`` scores; None as :meth:`search_equal_score`."""
        frame = self.context.frames[0]
        if not _is_comparable(stored, frame):
            return None
        comparator, made = Comparator(frame), self.encode()
        return replace(made, stored_score=comparator.score(stored), score=comparator.score(made.body), is_auto=True)

    def search_equal_score(self, stored: bytes) -> _Candidate | None:
        """Return the smallest of a few encodes with the score of ``stored``.

        None if no encode has it, or if ``stored`` cannot be compared.
        """
        frame = self.context.frames[0]
        if not _is_comparable(stored, frame):
            return None
        comparator = Comparator(frame)
        stored_score = comparator.score(stored)
        first, chosen = self.encode(), self.context.plan.quality
        start = chosen if isinstance(chosen, int) else self.context.default_quality.of(first.form.name)
        candidates: dict[int, _Candidate] = {}

        def at(quality: int) -> int:
            """The encoder's own number, which several qualities may share."""
            return map_quality(first.form, quality)

        def score(quality: int) -> float:
            if at(quality) not in candidates:
                made = first if quality == start else self.encode(quality)
                candidates[at(quality)] = replace(made, stored_score=stored_score, score=comparator.score(made.body))
            return candidates[at(quality)].score or 0.0

        tries = 1 if first.form.lossless else MAX_ENCODES
        passing = find_passing(start, score, stored_score - MAX_SCORE_LOSS, encodes=tries)
        return min((candidates[at(quality)] for quality in passing), key=lambda one: len(one.body), default=None)


def _is_comparable(stored: bytes, frame: pyvips.Image) -> bool:
    if min(frame.width, frame.height) < MIN_SIDE_PX:
        return False
    header = pyvips.Image.new_from_buffer(stored, "")
    return (header.width, header.height) == (frame.width, frame.height)

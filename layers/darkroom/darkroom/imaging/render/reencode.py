"""A picture that was made in a hurry, made once more at leisure: fewer bytes that look the same.

The encoder tries harder, and the quality goes to where the score of what is stored is just kept. Both are scored
against the finished picture before any encoder had it, so that nothing is lost twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyvips

from ...findings import Findings
from ...plan.limits import Limits
from ...plan.model import AUTO_QUALITY, Plan
from ..formats.encode import DEFAULT_QUALITY, map_quality
from ..formats.probe import Header
from ..formats.registry import OutputFormat
from ..quality.auto_quality import TARGET_SCORE
from ..quality.search import SCORE_WINDOW, cost_at_target, find_passing
from ..quality.ssimulacra2 import MIN_SIDE_PX, Comparator
from ..rendered_image import RenderedImage
from ..source import Source
from .context import RenderContext
from .output import encode_output
from .pipeline import StageTimer, decode, inspect_source, internal_errors
from .step_order import EDIT_STEPS, run_steps

MAX_SCORE_LOSS = 0.3
"""How much of its score (SSIMULACRA2) a picture may lose. People begin to tell pictures apart at ten times as much."""

MAX_SIZE_RATIO = 0.97
"""Share of the bytes that are stored now from which on another picture is not worth the CDN's fetching it again."""

MIN_SAVING_AT_EQUAL_SCORE = 0.01
"""The same where the quality is chosen: the share of bytes that is saved at an equal score, so that pictures of one set
look alike."""

MAX_ENCODES = 5
"""Encodes of one picture."""


@dataclass(frozen=True, slots=True)
class ReencodeResult:
    """A smaller picture, and how much it is like the finished one: that which was stored, and this (None: animated)."""

    picture: RenderedImage
    stored_score: float | None = None
    score: float | None = None


def reencode(
    plan: Plan,
    source: Source,
    stored: bytes,
    *,
    limits: Limits,
    watermark: bytes | None = None,
    second_watermark: bytes | None = None,
    findings: Findings | None = None,
) -> ReencodeResult | None:
    """``stored``, a derivative of ``plan``, with fewer bytes, or None if there is nothing to be gained.

    Raises what :func:`darkroom.imaging.render.pipeline.render` does. A picture that is too large to
    be held in memory is left as it is.
    """
    clock = StageTimer()
    header, geometry = inspect_source(plan, source, limits, findings)
    context = decode(plan, source, header, geometry, limits, watermark, findings, "slow")
    context.second_watermark = second_watermark
    clock.stop("decode")
    if context.is_streamed:
        return None
    with internal_errors():
        run_steps(EDIT_STEPS, context)
        context.frames = [frame.copy_memory() for frame in context.frames]
        clock.stop("transform")
        press = _Reencoder(context, source, header)
        found = press.find_replacement(stored)
    clock.stop("encode")
    if found is None or not found.should_replace(stored):
        return None
    frame = context.frames[0]
    picture = RenderedImage(
        found.body, found.form.content_type, frame.width, frame.height, len(context.frames), clock.timings_ms
    )
    return ReencodeResult(picture, found.stored_score, found.score)


@dataclass(frozen=True, slots=True)
class _Candidate:
    form: OutputFormat
    body: bytes
    stored_score: float | None = None
    score: float | None = None
    is_auto: bool = False
    """Whether its quality is the one that fits the picture, and not that of what is stored."""

    def should_replace(self, stored: bytes) -> bool:
        """Whether it is to take the place of ``stored``."""
        if self.is_auto and self.score is not None and self.stored_score is not None:
            return should_replace((len(self.body), self.score), (len(stored), self.stored_score))
        return len(self.body) <= MAX_SIZE_RATIO * len(stored)


def should_replace(one: tuple[int, float], stored: tuple[int, float]) -> bool:
    """Whether a picture by ``q=auto``, of so many bytes and such a score, is to take the place of a stored one.

    It may be larger: a first answer that fell short of the target takes fewer bytes than it should.
    """
    prices = [cost_at_target(size_bytes, TARGET_SCORE - score) for size_bytes, score in (one, stored)]
    return prices[0] <= prices[1] - MIN_SAVING_AT_EQUAL_SCORE or abs(stored[1] - TARGET_SCORE) > SCORE_WINDOW


@dataclass(frozen=True, slots=True)
class _Reencoder:
    """A finished picture that can be printed again and again."""

    context: RenderContext
    source: Source
    header: Header

    def encode(self, quality: int | None = None) -> _Candidate:
        """The picture in the plan's own quality, or in another."""
        wanted = self.context.plan
        try:
            if quality is not None:
                self.context.plan = replace(wanted, quality=quality)
            return _Candidate(*encode_output(self.context, self.source, self.header))
        finally:
            self.context.plan = wanted

    def find_replacement(self, stored: bytes) -> _Candidate | None:
        """A print to take the place of ``stored``; None if there is none. Animations are not scored."""
        if len(self.context.frames) > 1:
            return self.encode()
        return (
            self.encode_auto(stored) if self.context.plan.quality == AUTO_QUALITY else self.search_equal_score(stored)
        )

    def encode_auto(self, stored: bytes) -> _Candidate | None:
        """The print whose quality and options suit the picture, whatever ``stored`` scores; None as :meth:`alike`."""
        frame = self.context.frames[0]
        if not _is_comparable(stored, frame):
            return None
        judge, made = Comparator(frame), self.encode()
        return replace(made, stored_score=judge.score(stored), score=judge.score(made.body), is_auto=True)

    def search_equal_score(self, stored: bytes) -> _Candidate | None:
        """The smallest of a few prints with the score of ``stored``; None if none has it, or it is not comparable."""
        frame = self.context.frames[0]
        if not _is_comparable(stored, frame):
            return None
        judge = Comparator(frame)
        stored_score = judge.score(stored)
        chosen = self.context.plan.quality
        start = chosen if isinstance(chosen, int) else DEFAULT_QUALITY
        first = self.encode(start)
        prints: dict[int, _Candidate] = {}

        def at(quality: int) -> int:
            """The encoder's own number, which several qualities may share."""
            return map_quality(first.form, quality)

        def score(quality: int) -> float:
            if at(quality) not in prints:
                made = first if quality == start else self.encode(quality)
                prints[at(quality)] = replace(made, stored_score=stored_score, score=judge.score(made.body))
            return prints[at(quality)].score or 0.0

        tries = 1 if first.form.lossless else MAX_ENCODES
        alike = [
            prints[at(quality)] for quality in find_passing(start, score, stored_score - MAX_SCORE_LOSS, encodes=tries)
        ]
        return min(alike, key=lambda one: len(one.body), default=None)


def _is_comparable(stored: bytes, frame: pyvips.Image) -> bool:
    if min(frame.width, frame.height) < MIN_SIDE_PX:
        return False
    header = pyvips.Image.new_from_buffer(stored, "")
    return (header.width, header.height) == (frame.width, frame.height)

"""A picture that was made in a hurry, made once more at leisure: fewer bytes that look the same.

The encoder tries harder, and the quality goes to where the score of what is stored is just kept. Both are scored
against the finished picture before any encoder had it, so that nothing is lost twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyvips

from ..findings import Findings
from ..plan.limits import Limits
from ..plan.model import AUTO, Plan
from .bracketing import bracketed
from .choosing import TARGET_SCORE
from .formats.encode import DEFAULT_QUALITY, map_quality
from .formats.probe import Header
from .formats.registry import OutputFormat
from .pipeline import RETOUCH, run
from .printing import printed
from .render import Clock, exposed, inspected, own_fault
from .rendered_image import RenderedImage
from .scoring import LEAST_SIDE_PX, Judge
from .source import Source
from .suiting import WINDOW, price_of
from .work import Work

TOLERANCE = 0.3
"""How much of its score (SSIMULACRA2) a picture may lose. People begin to tell pictures apart at ten times as much."""

WORTH = 0.97
"""Share of the bytes that are stored now from which on another picture is not worth the CDN's fetching it again."""

WORTH_AT_EQUAL_SCORE = 0.01
"""The same where the quality is chosen: the share of bytes that is saved at an equal score, so that pictures of one set
look alike."""

MOST_TRIES = 5
"""Encodes of one picture."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """A smaller picture, and how much it is like the finished one: that which was stored, and this (None: animated)."""

    picture: RenderedImage
    stored_score: float | None = None
    score: float | None = None


def refined(
    plan: Plan,
    source: Source,
    stored: bytes,
    *,
    limits: Limits,
    watermark: bytes | None = None,
    second_watermark: bytes | None = None,
    findings: Findings | None = None,
) -> Refinement | None:
    """``stored``, a derivative of ``plan``, with fewer bytes, or None if there is nothing to be gained.

    Raises what :func:`darkroom.imaging.render.render` does, of which this is the twin. A picture that is too large to
    be held in memory is left as it is.
    """
    clock = Clock()
    header, geometry = inspected(plan, source, limits, findings)
    work = exposed(plan, source, header, geometry, limits, watermark, findings, "slow")
    work.second_watermark = second_watermark
    clock.stop("decode")
    if work.streams:
        return None
    with own_fault():
        run(RETOUCH, work)
        work.frames = [frame.copy_memory() for frame in work.frames]
        clock.stop("transform")
        press = _Press(work, source, header)
        found = press.better(stored)
    clock.stop("encode")
    if found is None or not found.is_worth(stored):
        return None
    frame = work.frames[0]
    picture = RenderedImage(
        found.body, found.form.content_type, frame.width, frame.height, len(work.frames), clock.timings_ms
    )
    return Refinement(picture, found.stored_score, found.score)


@dataclass(frozen=True, slots=True)
class _Print:
    form: OutputFormat
    body: bytes
    stored_score: float | None = None
    score: float | None = None
    suits: bool = False
    """Whether its quality is the one that fits the picture, and not that of what is stored."""

    def is_worth(self, stored: bytes) -> bool:
        """Whether it is to take the place of ``stored``."""
        if self.suits and self.score is not None and self.stored_score is not None:
            return is_better((len(self.body), self.score), (len(stored), self.stored_score))
        return len(self.body) <= WORTH * len(stored)


def is_better(one: tuple[int, float], stored: tuple[int, float]) -> bool:
    """Whether a picture by ``q=auto``, of so many bytes and such a score, is to take the place of a stored one.

    It may be larger: a first answer that fell short of the target takes fewer bytes than it should.
    """
    prices = [price_of(size_bytes, TARGET_SCORE - score) for size_bytes, score in (one, stored)]
    return prices[0] <= prices[1] - WORTH_AT_EQUAL_SCORE or abs(stored[1] - TARGET_SCORE) > WINDOW


@dataclass(frozen=True, slots=True)
class _Press:
    """A finished picture that can be printed again and again."""

    work: Work
    source: Source
    header: Header

    def again(self, quality: int | None = None) -> _Print:
        """The picture in the plan's own quality, or in another."""
        wanted = self.work.plan
        try:
            if quality is not None:
                self.work.plan = replace(wanted, quality=quality)
            return _Print(*printed(self.work, self.source, self.header))
        finally:
            self.work.plan = wanted

    def better(self, stored: bytes) -> _Print | None:
        """A print to take the place of ``stored``; None if there is none. Animations are not scored."""
        if len(self.work.frames) > 1:
            return self.again()
        return self.suited(stored) if self.work.plan.quality == AUTO else self.alike(stored)

    def suited(self, stored: bytes) -> _Print | None:
        """The print whose quality and options suit the picture, whatever ``stored`` scores; None as :meth:`alike`."""
        frame = self.work.frames[0]
        if not _comparable(stored, frame):
            return None
        judge, made = Judge(frame), self.again()
        return replace(made, stored_score=judge.score(stored), score=judge.score(made.body), suits=True)

    def alike(self, stored: bytes) -> _Print | None:
        """The smallest of a few prints with the score of ``stored``; None if none has it, or it is not comparable."""
        frame = self.work.frames[0]
        if not _comparable(stored, frame):
            return None
        judge = Judge(frame)
        stored_score = judge.score(stored)
        chosen = self.work.plan.quality
        start = chosen if isinstance(chosen, int) else DEFAULT_QUALITY
        first = self.again(start)
        prints: dict[int, _Print] = {}

        def at(quality: int) -> int:
            """The encoder's own number, which several qualities may share."""
            return map_quality(first.form, quality)

        def score(quality: int) -> float:
            if at(quality) not in prints:
                made = first if quality == start else self.again(quality)
                prints[at(quality)] = replace(made, stored_score=stored_score, score=judge.score(made.body))
            return prints[at(quality)].score or 0.0

        tries = 1 if first.form.lossless else MOST_TRIES
        alike = [prints[at(quality)] for quality in bracketed(start, stored_score - TOLERANCE, tries, score)]
        return min(alike, key=lambda one: len(one.body), default=None)


def _comparable(stored: bytes, frame: pyvips.Image) -> bool:
    if min(frame.width, frame.height) < LEAST_SIDE_PX:
        return False
    header = pyvips.Image.new_from_buffer(stored, "")
    return (header.width, header.height) == (frame.width, frame.height)

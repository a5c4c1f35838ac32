"""A picture that was made in a hurry, made once more at leisure: fewer bytes that look the same.

The encoder tries harder, and the quality goes to where the score of what is stored is just kept. Both are scored
against the finished picture before any encoder had it, so that nothing is lost twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyvips

from ..findings import Findings
from ..plan.limits import Limits
from ..plan.model import Plan
from .bracketing import bracketed
from .encoding import DEFAULT_QUALITY, quality_of
from .formats import Form
from .header import Header
from .picture import Picture
from .pipeline import RETOUCH, run
from .printing import printed
from .render import Clock, exposed, inspected, own_fault
from .scoring import LEAST_SIDE_PX, Judge
from .source import Source
from .work import Work

TOLERANCE = 0.3
"""How much of its score (SSIMULACRA2) a picture may lose. People begin to tell pictures apart at ten times as much."""

WORTH = 0.97
"""Share of the bytes that are stored now from which on another picture is not worth the CDN's fetching it again."""

MOST_TRIES = 5
"""Encodes of one picture."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """A smaller picture, and how much it is like the finished one: that which was stored, and this (None: animated)."""

    picture: Picture
    stored_score: float | None = None
    score: float | None = None


def refined(
    plan: Plan,
    source: Source,
    stored: bytes,
    *,
    limits: Limits,
    watermark: bytes | None = None,
    findings: Findings | None = None,
) -> Refinement | None:
    """``stored``, a derivative of ``plan``, with fewer bytes, or None if there is nothing to be gained.

    Raises what :func:`darkroom.imaging.render.render` does, of which this is the twin. A picture that is too large to
    be held in memory is left as it is.
    """
    clock = Clock()
    header, geometry = inspected(plan, source, limits)
    work = exposed(plan, source, header, geometry, limits, watermark, findings, "thorough")
    clock.stop("decode")
    if work.streams:
        return None
    with own_fault():
        run(RETOUCH, work)
        work.frames = [frame.copy_memory() for frame in work.frames]
        clock.stop("transform")
        press = _Press(work, source, header)
        found = press.alike(stored) if len(work.frames) == 1 else press.again()
    clock.stop("encode")
    if found is None or len(found.body) > WORTH * len(stored):
        return None
    frame = work.frames[0]
    picture = Picture(
        found.body, found.form.content_type, frame.width, frame.height, len(work.frames), clock.timings_ms
    )
    return Refinement(picture, found.stored_score, found.score)


@dataclass(frozen=True, slots=True)
class _Print:
    form: Form
    body: bytes
    stored_score: float | None = None
    score: float | None = None


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

    def alike(self, stored: bytes) -> _Print | None:
        """The smallest of a few prints with the score of ``stored``; None if none has it, or it is not comparable."""
        frame = self.work.frames[0]
        if min(frame.width, frame.height) < LEAST_SIDE_PX or not _has_size(stored, frame):
            return None
        judge = Judge(frame)
        stored_score = judge.score(stored)
        chosen = self.work.plan.quality
        start = chosen if isinstance(chosen, int) else DEFAULT_QUALITY
        first = self.again(start)
        prints: dict[int, _Print] = {}

        def at(quality: int) -> int:
            """The encoder's own number, which several qualities may share."""
            return quality_of(first.form, quality)

        def score(quality: int) -> float:
            if at(quality) not in prints:
                made = first if quality == start else self.again(quality)
                prints[at(quality)] = replace(made, stored_score=stored_score, score=judge.score(made.body))
            return prints[at(quality)].score or 0.0

        tries = 1 if first.form.lossless else MOST_TRIES
        alike = [prints[at(quality)] for quality in bracketed(start, stored_score - TOLERANCE, tries, score)]
        return min(alike, key=lambda one: len(one.body), default=None)


def _has_size(stored: bytes, frame: pyvips.Image) -> bool:
    header = pyvips.Image.new_from_buffer(stored, "")
    return (header.width, header.height) == (frame.width, frame.height)

"""From a plan and a source to a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import pyvips

from ..errors import DarkroomError
from ..plan.geometry import Size, arrange
from ..plan.limits import Limits
from ..plan.model import Plan
from .formats import Target
from .header import Header, inspect
from .loading import load, stored_size
from .picture import Picture
from .pipeline import EXPOSE, RETOUCH
from .printing import printed
from .source import Source
from .work import Work


def render(plan: Plan, source: Source, *, limits: Limits, watermark: bytes | None = None) -> Picture:
    """Make the picture that ``plan`` describes of ``source``.

    ``watermark`` is the file that the plan's watermark names. Timings: ``decode`` is one lazy pass of reading,
    decoding, cropping and resizing, until the pixels that are kept are in memory; with a streamed source it includes
    waiting for bytes. ``transform`` is every later step. ``encode`` is the encoder alone, all tries included. Only a
    picture of more than 32 MP streams through, with its decoding counted as ``encode``.

    Raises TypeNotAllowed, OverLimits, Damaged, BadOption (a crop or page that the source does not have), what the
    source's stream raised, or DarkroomError for faults of ours.
    """
    started = perf_counter()
    target = Target.of(plan.format)
    header = inspect(source, limits, page=plan.page, animated=_plays(plan, target))
    work = _loaded(plan, source, header, target, limits)
    work.watermark = watermark
    with source.decoding():
        for step in EXPOSE:
            step(work)
    decoded = perf_counter()
    with source.decoding() if work.streams else _own_fault():
        for step in RETOUCH:
            step(work)
        transformed = perf_counter()
        form, body = printed(work, source, header)
    encoded = perf_counter()
    timings_ms = {
        "decode": (decoded - started) * 1000,
        "transform": (transformed - decoded) * 1000,
        "encode": (encoded - transformed) * 1000,
    }
    frame = work.frames[0]
    return Picture(body, form.content_type, frame.width, frame.height, len(work.frames), timings_ms)


def _plays(plan: Plan, target: Target) -> bool:
    """Whether an animation stays one."""
    return plan.animate and plan.page == 0 and target.animated


def _loaded(plan: Plan, source: Source, header: Header, target: Target, limits: Limits) -> Work:
    stored, orientation = stored_size(header)
    geometry = arrange(plan, stored, orientation, max_side_px=target.max_side_px)
    negative = load(
        source,
        header,
        geometry,
        limits,
        page=plan.page,
        animated=_plays(plan, target) and header.animated,
        whole=bool(plan.trim),
    )
    first = negative.frames[0]
    geometry = geometry.on(Size(first.width, first.height))
    cicp = None if header.has_profile else header.cicp
    return Work(plan, target, geometry, negative.frames, negative.delays_ms, negative.loop, cicp)


@contextmanager
def _own_fault() -> Iterator[None]:
    """Around what has no part of the source left to read."""
    try:
        yield
    except pyvips.Error as error:
        raise DarkroomError(detail=str(error)) from error

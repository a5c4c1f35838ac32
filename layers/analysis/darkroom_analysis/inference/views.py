"""Choose the images of a source that models analyse, and combine their findings into those of the source.

Faces, text and objects are of the first frame, on every background: redaction returns no other frame. Moderation is of
every frame and page, and of the gain map, for all of them can be requested. An image that resembles one that was chosen
before is skipped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from darkroom.aws.telemetry import log
from darkroom.errors import DarkroomError
from darkroom.findings import FACES, FAILED, MODERATION, OBJECTS, TEXT, DetectedObject, Face, Finding, Label, TextLine
from darkroom.imaging.render.pipeline import render
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom_pipeline.aws.sagemaker import UNREADABLE
from darkroom_pipeline.services.queue_consumer import describe_error

if TYPE_CHECKING:
    import numpy as np
    import pyvips
    from numpy.typing import NDArray

    from darkroom.imaging.source import Source

type Blocks = NDArray[np.int16]
"""A thumbnail as (row of blocks, row in a block, column of blocks, column in a block, channel)."""

MAX_SIDE_PX = 2048
"""Longest side of the first view. Of 330 words in five-point letters (a drawn page of A4, turned by 2°, as JPEG) PP-OCR
read 93 % at 1024 px, 99 % at 1280, all from 1536 on (114 KB; 183 KB at 2048). The rest is for photographed paper and
small faces."""

_FIRST_VIEW = Plan("", width=MAX_SIDE_PX, height=MAX_SIDE_PX, format="jpeg", quality=90, animate=False)

MAX_VIEWS = 64
"""Images of one source that moderation analyses at most, unless the settings name another number."""

FURTHER_SIDE_PX = 1024
"""Longest side of an image that moderation alone analyses: such models take 224 to 448 px."""

MAX_PIXEL_DIFFERENCE = 8
"""Of 255, up to which two backgrounds of the first frame count as one: compared pixel by pixel, because of text."""

THUMBNAIL_PX, BLOCK_PX = 128, 8
MAX_BLOCK_DIFFERENCE = 8.0
"""Of 255, the mean difference of a block, up to which two frames count as one: it must hold for each of 256 blocks, so
that neither a small area nor a blurred copy of another image hides behind the mean of the whole."""

PREPARE_S = 30.0
"""Time after which no further frame is decoded. The function has 180 s: 45 of these for the first call, 25 for the
incumbent beside a canary, 45 for further views, 25 for an explanation, and the rest for the small models."""

BACKGROUND_TASKS = (FACES, TEXT, OBJECTS, MODERATION)
"""Tasks for which every background of the first frame is analysed."""

UNSAMPLED = "unsampled"
"""The label of an image of which not every frame was analysed. It is flagged, so that an operator reviews it."""

SAME_PLACE = 0.02
"""How far, in parts of their height, the edges of two regions may be apart to be one: a cover reaches much farther
beyond each (:mod:`darkroom.plan.geometry.redaction_mask`)."""


@dataclass(frozen=True, slots=True)
class Views:
    """JPEGs of one source. ``first``: the first frame on white, then on other backgrounds where these differ.

    ``further``: what only moderation analyses. ``gaps``: why a task has not seen all that it must: UNSAMPLED, for
    moderation alone, UNREADABLE, or FAILED for a defect of ours.
    """

    first: tuple[bytes, ...]
    further: tuple[bytes, ...] = ()
    gaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def all(self) -> tuple[bytes, ...]:
        """All images, numbered as in explanations."""
        return (*self.first, *self.further)

    def by_tasks(self, tasks: Sequence[str]) -> Iterator[tuple[bytes, tuple[str, ...]]]:
        """Yield each image but the very first, with those of ``tasks`` that it is analysed for."""
        for jpegs, wanted in ((self.first[1:], BACKGROUND_TASKS), (self.further, (MODERATION,))):
            asked = tuple(task for task in tasks if task in wanted)
            if asked:
                yield from ((jpeg, asked) for jpeg in jpegs)


def prepare_jpeg(source: Source, limits: Limits) -> bytes:
    """Render the first frame or page as a JPEG: sRGB, upright, on white, no side over MAX_SIDE_PX.

    Raises what :func:`darkroom.imaging.render.pipeline.render` raises.
    """
    return render(_FIRST_VIEW, source, limits=limits).body


def choose_views(
    source: Source,
    limits: Limits,
    tasks: Sequence[str],
    *,
    most: int = MAX_VIEWS,
    monotonic: Callable[[], float] = time.monotonic,
) -> Views:
    """Return the images of ``source`` that models analyse for ``tasks``, at most ``most`` of them for moderation.

    Raises what :func:`darkroom.imaging.render.pipeline.render` raises about the first frame.
    """
    ends_s = monotonic() + PREPARE_S
    white = prepare_jpeg(source, limits)
    affected = [task for task in tasks if task in BACKGROUND_TASKS]
    if not affected:
        return Views((white,))
    try:
        first = (white, *_other_backgrounds(source, limits))
    except Exception as error:
        return Views((white,), gaps=dict.fromkeys(affected, _explain_gap(error)))
    if MODERATION not in tasks:
        return Views(first)
    further: list[bytes] = []
    try:
        for jpeg in _distinct_views(source, limits, first):
            if len(first) + len(further) >= most or monotonic() > ends_s:
                return Views(first, tuple(further), {MODERATION: UNSAMPLED})
            further.append(jpeg)
    except Exception as error:
        return Views(first, tuple(further), {MODERATION: _explain_gap(error)})
    return Views(first, tuple(further))


def _explain_gap(error: Exception) -> str:
    """Return why a view is missing, so that only the tasks that need it fail. Raises an error that may pass."""
    if not isinstance(error, DarkroomError):
        log("ERROR", "view failed", cause=describe_error(error)[1])
        return FAILED
    if error.status >= 500 or error.retryable:
        raise error
    return UNREADABLE


def _other_backgrounds(source: Source, limits: Limits) -> list[bytes]:
    from darkroom_pipeline.imaging.views import encode_view, max_difference, render_first_frame

    kept: list[pyvips.Image] = []
    for view in render_first_frame(source, limits, MAX_SIDE_PX):
        if all(max_difference(view, known) > MAX_PIXEL_DIFFERENCE for known in kept):
            kept.append(view)
    return [encode_view(view) for view in kept[1:]]


def _distinct_views(source: Source, limits: Limits, first: Sequence[bytes]) -> Iterator[bytes]:
    """Yield views of all frames, and of the gain map, that resemble neither ``first`` nor one before.

    The first frame is among them: decoders of animations may see another one than those of stills.
    """
    from darkroom_pipeline.imaging.views import decode_view, encode_view, render_all_frames, render_gain_map

    seen: list[Blocks] = []
    for jpeg in first:
        _is_new(decode_view(jpeg), seen)
    frames = render_all_frames(source, limits, FURTHER_SIDE_PX)
    for view in chain(chain.from_iterable(frames), render_gain_map(source, FURTHER_SIDE_PX)):
        if _is_new(view, seen):
            yield encode_view(view)


def _is_new(view: pyvips.Image, seen: list[Blocks]) -> bool:
    """Whether ``view`` resembles none of ``seen``; it joins them if so."""
    import numpy as np

    from darkroom_pipeline.imaging.views import make_thumbnail

    blocks = THUMBNAIL_PX // BLOCK_PX
    pixels = np.frombuffer(make_thumbnail(view, THUMBNAIL_PX), np.uint8).astype(np.int16)
    pixels = pixels.reshape(blocks, BLOCK_PX, blocks, BLOCK_PX, 3)
    for known in reversed(seen):  # a frame mostly resembles one that has just been
        if np.abs(pixels - known).mean(axis=(1, 3)).max() <= MAX_BLOCK_DIFFERENCE:
            return False
    seen.append(pixels)
    return True


def find_flagged(found: Sequence[Mapping[str, Finding]]) -> int | None:
    """Return the number of the first view that moderation flagged; ``found`` are the findings of each view."""
    verdicts = ((number, one.get(MODERATION)) for number, one in enumerate(found))
    return next((number for number, one in verdicts if one is not None and one.flagged and not one.error), None)


def combine(
    found: Mapping[str, Finding], others: Iterable[Mapping[str, Finding]], gaps: Mapping[str, str] | None = None
) -> dict[str, Finding]:
    """Return the findings of a source: ``found`` of its first view, with what the ``others`` add, and its ``gaps``.

    A view that a model could not read makes the finding unreadable, except that what is flagged stays flagged.
    """
    combined = dict(found)
    for other in others:
        for task, finding in other.items():
            if task in combined:
                combined[task] = _merge(combined[task], finding)
    for task, gap in (gaps or {}).items():
        if task in combined:
            combined[task] = _with_gap(combined[task], gap)
    return combined


def _merge(one: Finding, other: Finding) -> Finding:
    flagged = next((finding for finding in (one, other) if finding.flagged and not finding.error), None)
    unreadable = next((finding for finding in (one, other) if finding.error), None)
    if unreadable is not None:
        return flagged or unreadable
    scores = {label.name: label.score for label in one.labels}
    for label in other.labels:
        scores[label.name] = max(label.score, scores.get(label.name, 0.0))
    return replace(
        one,
        faces=_add(one.faces, other.faces, _is_same_place),
        lines=_add(one.lines, other.lines, _is_same_line),
        objects=_add(one.objects, other.objects, _is_same_object),
        labels=tuple(Label(name, score) for name, score in scores.items()),
        flagged=one.flagged or other.flagged,
    )


def _with_gap(finding: Finding, gap: str) -> Finding:
    if finding.flagged or finding.error:
        return finding
    if gap != UNSAMPLED:
        return Finding(finding.task, finding.model, finding.version, finding.origin, error=gap)
    return replace(finding, labels=(*finding.labels, Label(UNSAMPLED, 1.0)), flagged=True)


def _add[T](known: tuple[T, ...], found: tuple[T, ...], is_same: Callable[[T, T], bool]) -> tuple[T, ...]:
    return (*known, *(one for one in found if not any(is_same(one, other) for other in known)))


def _is_same_place(one: Face | DetectedObject, other: Face | DetectedObject) -> bool:
    return _is_near(_corners(one), _corners(other), min(one.region.height, one.region.width))


def _is_same_object(one: DetectedObject, other: DetectedObject) -> bool:
    return one.name == other.name and _is_same_place(one, other)


def _is_same_line(one: TextLine, other: TextLine) -> bool:
    (left, top), _, _, (lower_left, lower_top) = one.corners
    height = ((left - lower_left) ** 2 + (top - lower_top) ** 2) ** 0.5
    return one.text == other.text and _is_near(one.corners, other.corners, height)


def _corners(found: Face | DetectedObject) -> tuple[tuple[float, float], ...]:
    left, top, width, height = found.region
    return (left, top), (left + width, top + height)


def _is_near(one: Iterable[tuple[float, float]], other: Iterable[tuple[float, float]], height: float) -> bool:
    return all(
        abs(a - b) <= SAME_PLACE * height
        for corner, known in zip(one, other, strict=True)
        for a, b in zip(corner, known, strict=True)
    )

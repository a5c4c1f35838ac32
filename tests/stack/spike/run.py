"""Run one traffic spike: requests, results, and faults."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .server_log import LogEntry, max_concurrent
from .stack import RunningStack
from .viewers import REFUSED, Viewer, request_all

WIDTHS = (320, 480, 640, 800, 960)
"""Ladder widths, which need no signature."""


@dataclass(frozen=True, slots=True)
class SpikeKind:
    """Whether all viewers request different images, and whether the CDN collapses equal requests."""

    distinct: bool
    collapsing: bool

    @property
    def name(self) -> str:
        """Its name on the page, and, with other punctuation, its key prefix."""
        return f"{'distinct' if self.distinct else 'identical'}, collapsing {'on' if self.collapsing else 'off'}"

    @property
    def prefix(self) -> str:
        """Prefix of its masters' keys."""
        return f"spike/{self.name.replace(', ', '-').replace(' ', '-')}/"


KINDS = tuple(SpikeKind(distinct, collapsing) for distinct in (True, False) for collapsing in (True, False))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a spike with ``concurrency`` reserved renders.

    ``entries`` are of the function's log; ``stored`` are the versions of derivatives by key.
    """

    kind: SpikeKind
    concurrency: int
    viewers: Sequence[Viewer]
    entries: Sequence[LogEntry]
    stored: Mapping[str, int]

    @property
    def first(self) -> Counter[int]:
        """First responses by status."""
        return Counter(viewer.answers[0].status for viewer in self.viewers)

    @property
    def renders(self) -> list[LogEntry]:
        """Responses for which an image was rendered."""
        return [one for one in self.entries if one.rendered]

    @property
    def rounds(self) -> int:
        """Largest number of requests of a viewer."""
        return max(len(viewer.answers) for viewer in self.viewers)

    def faults(self) -> Iterator[str]:
        """Describe all faults."""
        answers = [answer for viewer in self.viewers for answer in viewer.answers]
        if strange := Counter(one.status for one in answers if one.status not in REFUSED | {200}):
            yield f"responses of other statuses: {dict(strange)}"
        if without_retry_after := sum(one.status in REFUSED and one.retry_after_s is None for one in answers):
            yield f"{without_retry_after} refusals without Retry-After"
        if refused := sum(viewer.answers[-1].status != 200 for viewer in self.viewers):
            yield f"{refused} viewers without an image"
        if (most := max_concurrent(self.entries)) > self.concurrency:
            yield f"{most} renders at a time, {self.concurrency} reserved"
        expected = len({viewer.target for viewer in self.viewers})
        if len(self.stored) != expected or set(self.stored.values()) - {1}:
            yield f"{sum(self.stored.values())} versions of {len(self.stored)} objects for {expected} images"
        if (written := sum(one.written for one in answers)) != expected:
            yield f"{written} responses that report a stored image, of {expected}"
        if several := [target for target, seen in self._images_by_target().items() if len(seen) > 1]:
            yield f"different responses for {several[0]} and {len(several) - 1} others"

    def _images_by_target(self) -> dict[str, set[tuple[str, str]]]:
        """Return digests and entity tags of images by target."""
        found: dict[str, set[tuple[str, str]]] = {}
        for viewer in self.viewers:
            seen = {(one.digest, one.etag) for one in viewer.answers if one.status == 200}
            found.setdefault(viewer.target, set()).update(seen)
        return found


def run_spike(stack: RunningStack, kind: SpikeKind, count: int, concurrency: int, image: bytes) -> Outcome:
    """Run a spike of ``count`` viewers who request derivatives of ``image`` that do not exist."""
    keys = [f"{kind.prefix}{number}.jpg" for number in range(-(-count // len(WIDTHS)) if kind.distinct else 1)]
    targets = [f"/{key}?w={width}" for width in WIDTHS for key in keys]
    requested = targets[:count] if kind.distinct else targets[:1] * count
    stack.store_masters(keys, image, kind.prefix)
    with stack.set(concurrency=concurrency, collapsing=kind.collapsing):
        since_s = time.time()
        viewers = request_all(stack.url, requested, seed=count)
    stored = Counter(key for key, _ in stack.versions(kind.prefix))
    return Outcome(kind, concurrency, viewers, stack.entries(kind.prefix, since_s), stored)

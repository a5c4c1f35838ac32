"""One storm: what was asked, what became of it, and what of that is not as it should be."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .server_log import LogEntry, max_concurrent
from .stack import RunningStack
from .viewers import REFUSED, Viewer, request_all

WIDTHS = (320, 480, 640, 800, 960)
"""Steps of the ladder: widths that need no signature."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Whether all viewers want another picture, and whether the CDN has equal requests wait for one another."""

    distinct: bool
    collapsing: bool

    @property
    def name(self) -> str:
        """As the page calls it, and, with other marks, the prefix of its keys."""
        return f"{'distinct' if self.distinct else 'identical'}, collapsing {'on' if self.collapsing else 'off'}"

    @property
    def prefix(self) -> str:
        """Of the keys of its masters."""
        return f"storm/{self.name.replace(', ', '-').replace(' ', '-')}/"


KINDS = tuple(Kind(distinct, collapsing) for distinct in (True, False) for collapsing in (True, False))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a storm over a stack that may render ``at_once`` pictures at a time.

    ``told`` is of the function's log; ``stored`` are the versions of derivatives by their keys.
    """

    kind: Kind
    at_once: int
    viewers: Sequence[Viewer]
    told: Sequence[LogEntry]
    stored: Mapping[str, int]

    @property
    def first(self) -> Counter[int]:
        """The first answers, by status."""
        return Counter(viewer.answers[0].status for viewer in self.viewers)

    @property
    def renders(self) -> list[LogEntry]:
        """The answers that a picture was made for."""
        return [one for one in self.told if one.rendered]

    @property
    def rounds(self) -> int:
        """How often the one asked who had to ask most."""
        return max(len(viewer.answers) for viewer in self.viewers)

    def faults(self) -> Iterator[str]:
        """Whatever is not as it should be."""
        answers = [answer for viewer in self.viewers for answer in viewer.answers]
        if strange := Counter(one.status for one in answers if one.status not in REFUSED | {200}):
            yield f"answers of other statuses: {dict(strange)}"
        if untold := sum(one.status in REFUSED and one.retry_after_s is None for one in answers):
            yield f"{untold} refusals without Retry-After"
        if refused := sum(viewer.answers[-1].status != 200 for viewer in self.viewers):
            yield f"{refused} viewers without a picture in the end"
        if (most := max_concurrent(self.told)) > self.at_once:
            yield f"{most} renders at a time, {self.at_once} reserved"
        wanted = len({viewer.target for viewer in self.viewers})
        if len(self.stored) != wanted or set(self.stored.values()) - {1}:
            yield f"{sum(self.stored.values())} versions of {len(self.stored)} objects for {wanted} pictures"
        if (written := sum(one.written for one in answers)) != wanted:
            yield f"{written} answers that say that they stored their picture, of {wanted}"
        if several := [target for target, seen in self._pictures().items() if len(seen) > 1]:
            yield f"different answers for {several[0]} and {len(several) - 1} others"

    def _pictures(self) -> dict[str, set[tuple[str, str]]]:
        """Digests and entity tags of pictures, by what was asked for."""
        found: dict[str, set[tuple[str, str]]] = {}
        for viewer in self.viewers:
            seen = {(one.digest, one.etag) for one in viewer.answers if one.status == 200}
            found.setdefault(viewer.target, set()).update(seen)
        return found


def run_spike(stage: RunningStack, kind: Kind, count: int, at_once: int, picture: bytes) -> Outcome:
    """The outcome of a storm of ``count`` viewers who want what has not been made of ``picture`` yet."""
    keys = [f"{kind.prefix}{number}.jpg" for number in range(-(-count // len(WIDTHS)) if kind.distinct else 1)]
    targets = [f"/{key}?w={width}" for width in WIDTHS for key in keys]
    asked = targets[:count] if kind.distinct else targets[:1] * count
    stage.hang(keys, picture, kind.prefix)
    with stage.set(at_once=at_once, collapsing=kind.collapsing):
        since_s = time.time()
        viewers = request_all(stage.url, asked, seed=count)
    stored = Counter(key for key, _ in stage.versions(kind.prefix))
    return Outcome(kind, at_once, viewers, stage.told(kind.prefix, since_s), stored)

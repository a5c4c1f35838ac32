"""Pictures that models are to look at: infer is asked through its queue, and its findings are waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...aws.archive import Archive, Noted
from ...aws.model import UNREADABLE
from ...aws.sqs import Queue
from ...errors import NoInference
from ...findings import ENDPOINT, FALLBACK
from ..infer.masters import Masters
from ..infer.merging import RANKS, rank
from ..infer.requests import Kind, Request
from .outcomes import Entry, Outcome
from .requests import Order


@dataclass(frozen=True)
class Analysis:
    """The operation. ``queue`` is infer's, None where nothing looks at pictures; ``best`` is who looks at them here."""

    archive: Archive
    masters: Masters
    queue: Queue | None
    generation: str
    tasks: Sequence[str]
    best: str = ENDPOINT

    def begin(self, key: str, order: Order) -> Entry:
        """Ask for ``key``, unless all has been found of its master in this generation. Raises DarkroomError."""
        if self.queue is None:
            raise NoInference
        present = self.masters.present(key)
        if present is None:
            return Entry(Outcome.MISSING)
        noted = self.archive.noted(key)
        if not order.again and self._complete(noted, present.etag):
            return _found(noted, Outcome.UNCHANGED)
        self.queue.send(Request(Kind.ANALYSE, key, again=True).message)
        return Entry(Outcome.ASKED, mark=str(noted.version))

    def look(self, key: str, mark: str) -> Entry | None:
        """What was found since ``mark``, a version of the index item."""
        noted = self.archive.noted(key)
        present = self.masters.present(key)
        if present is None:
            return Entry(Outcome.MISSING)
        if noted.version <= int(mark) or not noted.announced or not noted.speaks_of(self.generation, present.etag):
            return None
        return _found(noted, Outcome.DONE)

    def _complete(self, noted: Noted, etag: str) -> bool:
        if not noted.announced or not noted.speaks_of(self.generation, etag) or noted.findings is None:
            return False
        found = noted.findings.found
        wanted = self.tasks if self.best == ENDPOINT else found  # the small models cannot do all of it
        return bool(found) and all(rank(found.get(task)) >= RANKS[self.best] for task in wanted)


def _found(noted: Noted, outcome: Outcome) -> Entry:
    """The reason says what is less than it should be: who stood in for the endpoint, or that nobody can read it."""
    found = noted.findings.found.values() if noted.findings else ()
    if any(finding.error == UNREADABLE for finding in found):
        return Entry(Outcome.REFUSED, UNREADABLE)
    return Entry(outcome, FALLBACK if any(finding.origin == FALLBACK for finding in found) else "")

"""Compute the final state that a script must lead to, regardless of faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from .images import Content
from .script import Action, Operation


class ExpectedEnd(StrEnum):
    """Final state of a key's newest version."""

    READY = "ready"
    REFUSED = "refused"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ExpectedState:
    """Final state of one key.

    ``content`` is the newest upload, None if it was deleted. ``masters`` are the contents that may be served. If the
    newest upload is refused, these are the uploads since the last deletion; or none, if they were superseded before
    ingest processed them.
    """

    key: str
    end: ExpectedEnd
    content: Content | None
    masters: tuple[Content, ...]


def compute_expected(script: Sequence[Action]) -> dict[str, ExpectedState]:
    """Compute the expected state of every key in ``script``."""
    by_key = sorted(script, key=lambda action: action.key)  # stable: actions on one key keep their order
    return {key: _expected(key, list(actions)) for key, actions in groupby(by_key, lambda action: action.key)}


def _expected(key: str, actions: Sequence[Action]) -> ExpectedState:
    newest: Content | None = None
    good: list[Content] = []
    for action in actions:
        if action.operation is Operation.PUT:
            assert action.content is not None
            newest = action.content
            good += [action.content] if not action.content.code else []
        elif action.operation is Operation.DELETE:
            newest, good = None, []
    if newest is None:
        return ExpectedState(key, ExpectedEnd.REMOVED, None, ())
    if newest.code:
        return ExpectedState(key, ExpectedEnd.REFUSED, newest, tuple(good))
    return ExpectedState(key, ExpectedEnd.READY, newest, (newest,))

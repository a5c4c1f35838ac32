"""How a script must end, whatever happened on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from .pictures import Content
from .script import Action, Operation


class ExpectedEnd(StrEnum):
    """What has become of the newest state of a key."""

    READY = "ready"
    REFUSED = "refused"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ExpectedState:
    """The end of one key.

    ``content`` is the newest upload, None if it was deleted. ``masters`` are the contents that may be served: where the
    newest one is refused, those since the last deletion, or none, if they were overtaken before they were looked at.
    """

    key: str
    end: ExpectedEnd
    content: Content | None
    masters: tuple[Content, ...]


def compute_expected(script: Sequence[Action]) -> dict[str, ExpectedState]:
    """Of every key in ``script``."""
    by_key = sorted(script, key=lambda act: act.key)  # stable: acts on one key keep their order
    return {key: _expected(key, list(acts)) for key, acts in groupby(by_key, lambda act: act.key)}


def _expected(key: str, acts: Sequence[Action]) -> ExpectedState:
    newest: Content | None = None
    good: list[Content] = []
    for act in acts:
        if act.deed is Operation.PUT:
            assert act.content is not None
            newest = act.content
            good += [act.content] if not act.content.code else []
        elif act.deed is Operation.DELETE:
            newest, good = None, []
    if newest is None:
        return ExpectedState(key, ExpectedEnd.REMOVED, None, ())
    if newest.code:
        return ExpectedState(key, ExpectedEnd.REFUSED, newest, tuple(good))
    return ExpectedState(key, ExpectedEnd.READY, newest, (newest,))

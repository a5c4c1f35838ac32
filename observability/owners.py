"""Who owns which service level indicator: a table for docs/guides/operations/README.md, written by ``make alarms``.

An owner is a role. Owners agree to the limit of an alarm, and answer for the work that it causes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .alarm import Action, CompositeAlarm, MetricAlarm
from .alarms import ALARMS, COMPOSITES
from .marked_parts import insert_between

SERVICE, MODELS, COSTS, PRIVACY = "service owner", "model owner", "cost owner", "privacy owner"

OWNERS: Mapping[str, tuple[str, ...]] = {
    SERVICE: (
        *("viewers", "viewers-budget", "uploads", "uploads-refused", "uploads-budget"),
        *("analysis", "analysis-budget", "similar", "similar-budget"),
        *("breaker-open", "endpoint-slow", "gpu-busy"),
        *("ingest-age", "ingest-depth", "ingest-priority-age", "dead-letters"),
        *("infer-age", "infer-depth", "infer-priority-age", "infer-priority-depth", "infer-dead-letters"),
        *("purge-age", "purge-depth", "refine-age", "refine-dead-letters"),
        *("cache-hit-ratio", "cold-starts", "recursion-stopped", "recursion-stopped-infer"),
        *("configuration-invalid", "monitor-silent", "schedule-errors", "popular-errors"),
        *("check-cdn", "check-cost", "check-experiments", "check-remedy"),
    ),
    MODELS: (
        *("model-precision", "model-recall", "model-false-alarms", "quality-overdue", "drift", "drift-overdue"),
        *("check-drift", "check-rollout", "check-quality-due"),
    ),
    COSTS: ("cost-per-picture", "gpu-idle"),
    PRIVACY: ("erasure-incomplete",),
}
"""Alarms by their owner: all that notify."""

BEGIN = "<!-- owners, written by `make alarms`, do not edit -->"
END = "<!-- end of the owners -->"

_TOPICS: Mapping[Action, str] = {"page": "pages", "ticket": "tickets", "model": "models"}


def owned() -> dict[str, MetricAlarm | CompositeAlarm]:
    """Return the alarms that need an owner by name: those that notify."""
    acting: dict[str, MetricAlarm | CompositeAlarm] = {one.name: one for one in ALARMS if one.action}
    return acting | {one.name: one for one in COMPOSITES}


def find_owner(alarm: str) -> str:
    """Return the owner of an alarm. StopIteration for an unknown one."""
    return next(owner for owner, names in OWNERS.items() if alarm in names)


def owners_table() -> str:
    """Return the table as Markdown. KeyError for an owner of an unknown alarm."""
    return "\n".join(["| owner | alarm | condition | topic | runbook |", "| --- | --- | --- | --- | --- |", *_rows()])


def _rows() -> Iterator[str]:
    alarms = owned()
    for owner, names in OWNERS.items():
        for name in names:
            one = alarms[name]
            topic = _TOPICS[one.action]
            more = [runbook for _, runbook in one.runbooks] if isinstance(one, CompositeAlarm) else []
            named = dict.fromkeys([one.runbook, *more])
            links = ", ".join(f"[{runbook}](../runbooks/{runbook}.md)" for runbook in named)
            yield f"| {owner} | {name} | {one.description} | {topic} | {links} |"


def insert_owners(page: str) -> str:
    """Return ``page`` with the table between the marks replaced. ValueError unless each mark is there once."""
    return insert_between(page, BEGIN, END, owners_table() + "\n")

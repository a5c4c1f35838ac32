"""Reports of erasures, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

STATUSES = {
    "running": "being erased",
    "pending_invalidation": "erased here, not yet at the CDN",
    "complete": "erased",
    "failed": "NOT ERASED EVERYWHERE",
    "unknown": "no erasure is known",
    "refused": "not a key that an upload can have",
    "unavailable": "the state cannot be read at present",
}
"""The states of an erasure."""


def summarise(found: Mapping[str, Any]) -> str:
    """Describe what is known of a key before its erasure."""
    last = f"; the last erasure: {STATUSES[found['erasure']]}" if found["erasure"] else ""
    if found["status"] == "known":
        return f"{found['key']} is {found['state'] or 'not in the index'}; data in {', '.join(found['places'])}{last}"
    return f"{found['key']} is deleted, and nothing of it was found{last}"


def describe(report: Mapping[str, Any]) -> Iterator[str]:
    """Describe a report of the forget function, a line each."""
    yield f"{report['key']}: {STATUSES[report['status']]}"
    if "removed" not in report:
        yield from _table("state", {name: str(report[name]) for name in report if name not in ("key", "check_in_s")})
        return
    yield from _table("removed", {place: str(count) for place, count in report["removed"].items()})
    yield from _table("at the CDN", {"invalidation": report["invalidation"]})
    yield from _table("remains, until", {one["what"]: one["until"] for one in report["remains"]})
    if report["same_bytes"]:
        yield "the same image under other keys, which are to be forgotten by themselves"
        yield from (f"    {key}" for key in report["same_bytes"])
    if report["failed"]:
        yield from _table("failed", report["failed"])
        yield f"Run it again in {report['again_in_s']} s."
    elif report["check_in_s"]:
        yield f"Check it in {report['check_in_s']} s, by --check."


def _table(title: str, rows: Mapping[str, str]) -> Iterator[str]:
    yield title
    width = max(map(len, rows), default=0)
    yield from (f"    {name:<{width}}  {value}" for name, value in rows.items())

"""An erasure in the running stack: by the function that AWS would run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .aws import Cloud
from .errors import StartError

STATUSES = {
    "running": "being erased",
    "pending_invalidation": "erased here, not yet at the CDN",
    "complete": "erased",
    "failed": "NOT ERASED EVERYWHERE",
    "unknown": "no erasure is known",
    "refused": "not a key that an upload can have",
    "unavailable": "the state cannot be read at present",
}
"""What the states of an erasure mean."""


def forget(facts: Mapping[str, Any], key: str, *, check: bool = False) -> dict[str, Any]:
    """Have every trace of ``key`` removed, or ``check`` how far that is; the function's report. Raises CannotStart."""
    answer = Cloud(facts["aws_endpoint_url"]).functions.invoke(
        FunctionName=facts["functions"]["ForgetFunction"]["name"],
        Payload=json.dumps({"key": key, "check": check}).encode(),
    )
    document: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise StartError(f"The function failed: {document.get('errorMessage', document)}")
    return document


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """``report`` to be read by a person."""
    yield f"{report['key']}: {STATUSES[report['status']]}"
    if "removed" not in report:
        yield from _table("state", {name: str(report[name]) for name in report if name not in ("key", "check_in_s")})
        return
    yield from _table("removed", {place: str(count) for place, count in report["removed"].items()})
    yield from _table("at the CDN", {"invalidation": report["invalidation"]})
    yield from _table("remains, until", {one["what"]: one["until"] for one in report["remains"]})
    if report["same_bytes"]:
        yield "the same picture under other keys, which are to be forgotten by themselves"
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

"""What functions have written: log lines out of CloudWatch's logs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .traces import Document

SHOWN = 300
AT_ONCE = 10_000
"""Events of one FilterLogEvents."""

OWN_KEYS = frozenset({"level", "message", "timestamp", "service", "function_name", "code", "xray_trace_id"})


class LogReader:
    """The log lines of functions. ``functions`` are their names by their log groups."""

    def __init__(self, client: Any, functions: Mapping[str, str]) -> None:
        self._client = client
        self._functions = functions

    def newest(self, since_s: float, *, code: str = "", limit: int = SHOWN) -> list[Document]:
        """Lines since the Unix time ``since_s``, the newest first; those with ``code`` alone if it is given."""
        found = [
            line
            for group, function in self._functions.items()
            for line in self._of(group, function, since_s, f'"{code}"' if code else '"level"')
            if not code or line["code"] == code
        ]
        return sorted(found, key=lambda line: float(line["at_s"]), reverse=True)[:limit]

    def _of(self, group: str, function: str, since_s: float, pattern: str) -> Iterable[Document]:
        try:
            answer = self._client.filter_log_events(
                logGroupName=group, startTime=int(since_s * 1000), filterPattern=pattern, limit=AT_ONCE
            )
        except self._client.exceptions.ResourceNotFoundException:
            return []
        return shown(answer["events"], function)


def shown(events: Sequence[Mapping[str, Any]], function: str) -> Iterable[Document]:
    """Those of ``events`` that are structured lines."""
    for event in events:
        text = event["message"]
        try:
            line = json.loads(text[text.find("{") :])
            level, message = str(line["level"]), str(line["message"])
        except (ValueError, TypeError, KeyError):
            continue
        yield {
            "at_s": event["timestamp"] / 1000,
            "function": function,
            "level": level,
            "message": message,
            "code": str(line.get("code") or ""),
            "trace_id": root(str(line.get("xray_trace_id") or "")),
            "fields": {key: value for key, value in line.items() if key not in OWN_KEYS},
        }


def root(header: str) -> str:
    """The trace's id in a trace header, or in what is one already."""
    named = [part.removeprefix("Root=") for part in header.split(";") if part.startswith("Root=")]
    return named[0] if named else header.partition(";")[0]

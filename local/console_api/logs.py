"""Log lines of functions, read from CloudWatch Logs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .traces import Document

DEFAULT_LIMIT = 300
EVENTS_PER_CALL = 10_000
"""Maximum events of one FilterLogEvents call."""

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""From the least to the worst."""

OWN_KEYS = frozenset({"level", "message", "timestamp", "service", "function_name", "code", "xray_trace_id"})


class LogReader:
    """The log lines of functions. ``functions`` maps log groups to function names."""

    def __init__(self, client: Any, functions: Mapping[str, str]) -> None:
        self._client = client
        self._functions = functions

    def newest(
        self,
        since_s: float,
        *,
        code: str = "",
        message: str = "",
        levels: Collection[str] = (),
        key: str = "",
        limit: int = DEFAULT_LIMIT,
    ) -> list[Document]:
        """Return lines since the Unix time ``since_s``, newest first.

        Filters: ``code`` or ``message``, one of ``levels``, and a field that contains ``key``, that of an image.
        """
        found = [
            line
            for group, function in self._functions.items()
            for line in self._read_group(group, function, since_s, f'"{code or message or "level"}"')
            if (not code or line["code"] == code)
            and (not message or line["message"] == message)
            and (not levels or line["level"] in levels)
            and (not key or any(key in str(value) for value in line["fields"].values()))
        ]
        return sorted(found, key=lambda line: float(line["at_s"]), reverse=True)[:limit]

    def _read_group(self, group: str, function: str, since_s: float, pattern: str) -> Iterable[Document]:
        try:
            answer = self._client.filter_log_events(
                logGroupName=group, startTime=int(since_s * 1000), filterPattern=pattern, limit=EVENTS_PER_CALL
            )
        except self._client.exceptions.ResourceNotFoundException:
            return []
        return parse_events(answer["events"], function)


def parse_events(events: Sequence[Mapping[str, Any]], function: str) -> Iterable[Document]:
    """Yield the structured log lines among ``events``."""
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
            "trace_id": parse_trace_id(str(line.get("xray_trace_id") or "")),
            "fields": {key: value for key, value in line.items() if key not in OWN_KEYS},
        }


def parse_trace_id(header: str) -> str:
    """Return the trace id of a trace header, or the argument if it is a trace id already."""
    roots = [part.removeprefix("Root=") for part in header.split(";") if part.startswith("Root=")]
    return roots[0] if roots else header.partition(";")[0]

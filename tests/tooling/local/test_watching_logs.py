"""Log lines of functions, read from log groups of MiniStack."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.console_api.logs import LogReader

_numbers = itertools.count(1)

LINES = (
    {"level": "INFO", "message": "image sampled", "key": "a.jpg"},
    {"level": "INFO", "message": "upload expedited", "key": "image sampled"},
    {"level": "WARNING", "message": "upload refused", "code": "damaged", "key": "b.jpg"},
    {"_aws": {}, "Requests": [1]},
)


@pytest.fixture
def lines(aws: Callable[[str], Any]) -> LogReader:
    """The reader of a group with these lines, a second apart, and of one that does not exist."""
    logs, group = aws("logs"), f"/watched/{next(_numbers)}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    now_ms = int(time.time() * 1000)
    events = [
        {"timestamp": now_ms - 10_000 + 1000 * number, "message": json.dumps(line)} for number, line in enumerate(LINES)
    ]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)
    return LogReader(logs, {group: "infer", f"{group}-none": "ingest"})


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["upload refused", "upload expedited", "image sampled"]),
        ({"code": "damaged"}, ["upload refused"]),
        ({"message": "image sampled"}, ["image sampled"]),
        ({"message": "sampled"}, []),
        ({"limit": 1}, ["upload refused"]),
        ({"levels": ("WARNING", "ERROR")}, ["upload refused"]),
        ({"key": "a.j"}, ["image sampled"]),
        ({"key": "b.jpg", "levels": ("ERROR",)}, []),
    ],
)
def test_lines_are_filtered_newest_first(lines: LogReader, filters: dict[str, Any], expected: list[str]) -> None:
    found = lines.newest(time.time() - 3600, **filters)
    assert [line["message"] for line in found] == expected
    assert {line["function"] for line in found} <= {"infer"}

"""Requests to compare: those of access logs, the most frequent first."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from darkroom.errors import DarkroomError
from darkroom.operations.popular.access_log import LogReader
from darkroom.plan.canonical import canonical_path
from darkroom.plan.model import DATA_FORMATS, Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import Presets
from darkroom.plan.redaction import needs_findings

NEGOTIATED = "auto-webp"


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A URL without its signature, how often it was delivered, and its derivative: the canonical path and the key."""

    url: str
    count: int
    path: str
    key: str


def read_targets(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the path and query of each delivered image of log files, compressed or not. Raises OSError."""
    reader = LogReader()
    for path in paths:
        with path.open("rb") as plain:
            is_compressed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path) if is_compressed else path.open("rb") as log:
            yield from reader.targets(cast(BinaryIO, log))


def choose_requests(targets: Iterable[str], presets: Presets, most: int) -> tuple[list[LoggedRequest], int]:
    """Return the ``most`` frequent requests for images in native URLs, and how many targets were left out.

    Requests of dialects, for data, with watermarks, or that depend on findings are left out: they need more than a
    master. Negotiated formats are those of a viewer that accepts WebP.
    """
    chosen: list[LoggedRequest] = []
    left_out = 0
    for url, count in Counter(targets).most_common():
        plan = _parse(url, presets)
        if plan is None:
            left_out += count
        elif len(chosen) < most:
            chosen.append(LoggedRequest(url, count, canonical_path(plan), plan.key))
    return chosen, left_out


def _parse(url: str, presets: Presets) -> Plan | None:
    try:
        plan = parse_url(url, presets).plan
    except DarkroomError:
        return None
    if plan.format in DATA_FORMATS or needs_findings(plan) or plan.watermark is not None:
        return None
    return replace(plan, format=NEGOTIATED) if plan.format == "auto" else plan

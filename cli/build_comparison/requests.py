"""Requests to compare: those of access logs, the most frequent first."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from darkroom.errors import DarkroomError
from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.canonical import canonical_path
from darkroom.plan.model import DATA_FORMATS, MODEL_UPSCALE, Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.option_plugins import list_plugin_files, register_plugin
from darkroom.plan.presets import Presets
from darkroom.plan.redaction import needs_findings
from darkroom_pipeline.operations.popular.access_log import LogReader

register_plugin(OVERLAYS)

NEGOTIATED = "auto-webp"


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A URL without its signature, how often it was delivered, and its derivative: the canonical path and the key.

    ``overlays`` are the objects of the media bucket that its overlays are made of.
    """

    url: str
    count: int
    path: str
    key: str
    overlays: tuple[str, ...] = ()


def read_targets(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the path and query of each delivered image of log files, compressed or not. Raises OSError."""
    reader = LogReader()
    for path in paths:
        with path.open("rb") as plain:
            is_compressed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path) if is_compressed else path.open("rb") as log:
            yield from reader.targets(cast(BinaryIO, log))


def choose_requests(targets: Iterable[str], presets: Presets, most: int) -> tuple[list[LoggedRequest], Counter[str]]:
    """Return the ``most`` frequent requests for images in native URLs, and how many targets were left out, by reason.

    Left out are requests of dialects and experiments, for data, and those that need more than a master and images of
    overlays. Negotiated formats are those of a viewer that accepts WebP.
    """
    chosen: list[LoggedRequest] = []
    left_out: Counter[str] = Counter()
    for url, count in Counter(targets).most_common():
        try:
            plan = parse_url(url, presets).plan
            overlays = list_plugin_files(plan)
        except DarkroomError:
            left_out["experiment" if "exp=" in url.partition("?")[2] else "not a native URL"] += count
            continue
        if reason := _find_obstacle(plan):
            left_out[reason] += count
        elif len(chosen) < most:
            plan = replace(plan, format=NEGOTIATED) if plan.format == "auto" else plan
            chosen.append(LoggedRequest(url, count, canonical_path(plan), plan.key, overlays))
    return chosen, left_out


def _find_obstacle(plan: Plan) -> str:
    """Return why ``plan`` is not compared, "" if it is."""
    obstacles = {
        "data": plan.format in DATA_FORMATS,
        "watermark": plan.watermark is not None,
        "needs findings": needs_findings(plan),
        "upscaled by a model": plan.upscale == MODEL_UPSCALE,
    }
    return next((reason for reason, applies in obstacles.items() if applies), "")

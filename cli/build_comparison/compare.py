"""Render requests with two builds at once, and score the second result against the first."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import pyvips

from darkroom.imaging.quality.ssimulacra2 import MIN_SIDE_PX, Comparator

from .requests import LoggedRequest

WORKER = Path(__file__).with_name("worker.py")
SAME = 100.0
"""The score of equal bytes."""

type Fetch = Callable[[str], Path | None]
"""Returns the file with the content of a name, None if it is missing."""


@dataclass(frozen=True, slots=True)
class RenderedSide:
    """The result of one build: file, media type, size in bytes and CPU time in ms; ``error`` if there is none."""

    path: Path
    content_type: str = ""
    size_bytes: int = 0
    cpu_ms: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both results of a request. ``score`` is SSIMULACRA2 of the second against the first, None without one.

    ``reason`` says why there is none.
    """

    request: LoggedRequest
    before: RenderedSide
    after: RenderedSide
    score: float | None
    reason: str = ""

    @property
    def shared_error(self) -> str:
        """The error of both builds, "" unless they have the same one."""
        return self.before.error if self.before.error == self.after.error else ""

    @property
    def rank(self) -> float:
        """What sorts the worst first: results that cannot be compared come before all others, shared errors last."""
        if self.shared_error:
            return inf
        return -1000.0 if self.score is None else self.score


@dataclass(frozen=True, slots=True)
class Build:
    """A running worker of a build. ``name`` is that of the folder of its results."""

    name: str
    worker: subprocess.Popen[str]

    def render(self, request: LoggedRequest, master: Path, overlays: Mapping[str, Path], result: Path) -> RenderedSide:
        """Render ``request`` into ``result``. Raises BrokenPipeError or ValueError if the worker has ended."""
        assert self.worker.stdin is not None
        assert self.worker.stdout is not None
        files = {name: str(path) for name, path in overlays.items()}
        asked = {"path": request.path, "master": str(master), "overlays": files, "result": str(result)}
        self.worker.stdin.write(json.dumps(asked) + "\n")
        self.worker.stdin.flush()
        answer: dict[str, Any] = json.loads(self.worker.stdout.readline())
        if "error" in answer:
            return RenderedSide(result, error=answer["error"])
        return RenderedSide(result, answer["type"], answer["bytes"], answer["cpu_ms"])


@contextmanager
def start_build(name: str, checkout: Path) -> Iterator[Build]:
    """Start a worker of ``checkout`` until the context exits."""
    command = [sys.executable, "-P", str(WORKER), str(checkout.resolve())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:  # noqa: S603
        try:
            yield Build(name, worker)
        finally:
            assert worker.stdin is not None
            worker.stdin.close()


def compare_builds(
    requests: Iterable[LoggedRequest],
    builds: tuple[Build, Build],
    fetch_master: Fetch,
    fetch_overlay: Fetch,
    folder: Path,
) -> tuple[list[Comparison], Counter[str]]:
    """Render each request with both builds into ``folder``; return the results, and what was left out, by reason.

    ``fetch_master`` is called with keys, ``fetch_overlay`` with names of objects. Requests whose files are missing are
    left out.
    """
    compared: list[Comparison] = []
    left_out: Counter[str] = Counter()
    for number, request in enumerate(requests):
        master = fetch_master(request.key)
        overlays = {name: path for name in request.overlays if (path := fetch_overlay(name)) is not None}
        if master is None or len(overlays) < len(request.overlays):
            left_out["missing master" if master is None else "missing image of an overlay"] += request.count
            continue
        before, after = (build.render(request, master, overlays, folder / f"{number}-{build.name}") for build in builds)
        compared.append(compare_sides(request, before, after))
    return compared, left_out


def compare_sides(request: LoggedRequest, before: RenderedSide, after: RenderedSide) -> Comparison:
    """Score the second result of ``request`` against the first. Errors have no score, equal or not."""
    return Comparison(request, before, after, *_score(before, after))


def _score(before: RenderedSide, after: RenderedSide) -> tuple[float | None, str]:
    if before.error or after.error:
        return None, after.error or f"only the second build renders it: {before.error}"
    old, new = before.path.read_bytes(), after.path.read_bytes()
    if old == new:
        return SAME, ""
    if before.content_type != after.content_type:
        return None, f"{before.content_type} became {after.content_type}"
    first, second = (pyvips.Image.new_from_buffer(body, "") for body in (old, new))
    if (first.width, first.height) != (second.width, second.height):
        return None, f"{first.width} × {first.height} px became {second.width} × {second.height} px"
    if min(first.width, first.height) < MIN_SIDE_PX:
        return None, f"other bytes, too small for a score (below {MIN_SIDE_PX} px)"
    return Comparator(first).score(new), ""

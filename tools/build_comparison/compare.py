"""Render requests with two builds at once, and score the second result against the first."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyvips

from darkroom.imaging.quality.ssimulacra2 import MIN_SIDE_PX, Comparator

from .requests import LoggedRequest

WORKER = Path(__file__).with_name("worker.py")
SAME = 100.0
"""The score of equal bytes."""


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
    def rank(self) -> float:
        """What sorts the worst first: results that cannot be compared come before all others."""
        return -1000.0 if self.score is None else self.score


@dataclass(frozen=True, slots=True)
class Build:
    """A running worker of a build. ``name`` is that of the folder of its results."""

    name: str
    worker: subprocess.Popen[str]

    def render(self, request: LoggedRequest, master: Path, result: Path) -> RenderedSide:
        """Render ``request`` into ``result``. Raises BrokenPipeError or ValueError if the worker has ended."""
        assert self.worker.stdin is not None
        assert self.worker.stdout is not None
        asked = {"path": request.path, "master": str(master), "result": str(result)}
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
    fetch: Callable[[str], Path | None],
    folder: Path,
) -> Iterator[Comparison]:
    """Render each request with both builds into ``folder``. ``fetch`` returns the file of a key's master, or None.

    Requests whose master is missing are left out.
    """
    for number, request in enumerate(requests):
        master = fetch(request.key)
        if master is None:
            continue
        before, after = (build.render(request, master, folder / f"{number}-{build.name}") for build in builds)
        yield Comparison(request, before, after, *_score(before, after))


def _score(before: RenderedSide, after: RenderedSide) -> tuple[float | None, str]:
    if before.error or after.error:
        same = before.error == after.error
        return (SAME, "") if same else (None, after.error or f"only the second build renders it: {before.error}")
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

"""Run mutants, each in a forked process that shares imported libraries but nothing of the code under test."""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from .loading import install
from .packages import ROOT
from .plugin import MINISTACK_URL, Plugin

LIBRARIES = (
    *("hypothesis", "numpy", "scipy", "skimage.metrics", "pyvips", "PIL.Image", "pi_heif", "boto3", "obstore"),
    *("py_mini_racer", "tree_sitter_javascript", "yaml", "jsonschema", "aws_lambda_powertools"),
)
"""Imported before the first fork. None of them starts a thread on import."""

_LAYERS = ("darkroom", "darkroom_pipeline", "darkroom_dialects", "darkroom_analysis")
UNDER_TEST = (*_LAYERS, "functions", "tests", "local", "cloudfront_local")
START_S = 60.0
MOST_BYTES = 8 << 30
FAILED, SURVIVED = 1, 0


@dataclass(frozen=True)
class Job:
    """One process: ``text`` in place of ``path``, and stages of tests. Stop at the first failure if ``stop``."""

    number: int
    path: Path
    text: str
    stages: Sequence[Sequence[str]]
    stop: bool = True


@dataclass(frozen=True)
class Result:
    """The end of a job: ``failed`` tests and modules, or a process that did not end by itself."""

    number: int
    failed: tuple[str, ...]
    ended: str
    passed: int
    seconds: float
    output: str


def import_libraries() -> None:
    """Import what tests import, except the code under test."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in LIBRARIES:
        importlib.import_module(name)
    layers = (str(ROOT / "layers" / name) for name in ("darkroom", "pipeline", "dialects", "analysis"))
    sys.path[:0] = [str(ROOT), *layers, str(ROOT / "functions" / "transform")]


def run_jobs(
    jobs: Sequence[Job], durations: Mapping[str, float], workers: int, ministacks: Sequence[str]
) -> Iterator[Result]:
    """Run ``jobs``, ``workers`` at a time, and yield results as they come."""
    waiting = list(reversed(jobs))
    slots = list(range(workers))
    running: dict[int, tuple[Job, int, Path, float]] = {}
    try:
        while waiting or running:
            while waiting and slots:
                job, slot = waiting.pop(), slots.pop()
                folder = Path(tempfile.mkdtemp(prefix="mutant-"))
                url = ministacks[slot] if ministacks else ""
                pid = os.fork()
                if not pid:
                    _run(job, durations, url, folder)
                running[pid] = (job, slot, folder, time.monotonic())
            pid, status = os.wait()
            if pid not in running:
                continue
            job, slot, folder, began = running.pop(pid)
            _kill_group(pid)
            result = _read_result(job, folder, status, time.monotonic() - began)
            shutil.rmtree(folder, ignore_errors=True)
            slots.append(slot)
            yield result
    finally:
        for pid, (_, _, folder, _) in running.items():
            _kill_group(pid)
            shutil.rmtree(folder, ignore_errors=True)


def _kill_group(pid: int) -> None:
    """Kill what the tests of a process have left running."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _read_result(job: Job, folder: Path, status: int, seconds: float) -> Result:
    report = folder / "report.json"
    found: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {"failed": [], "passed": 0}
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        ended = "timeout" if number == signal.SIGALRM else signal.Signals(number).name
    else:
        ended = "failed" if os.WEXITSTATUS(status) else "survived"
    output = (folder / "output.txt").read_text(errors="replace")[-2000:]
    return Result(job.number, tuple(found["failed"]), ended, found["passed"], round(seconds, 2), output)


def _run(job: Job, durations: Mapping[str, float], url: str, folder: Path) -> NoReturn:
    status = FAILED
    try:
        os.setsid()
        os.chdir(ROOT)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
        signal.setitimer(signal.ITIMER_REAL, START_S)
        output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(output, stream)
        for name in [name for name in sys.modules if name.partition(".")[0] in UNDER_TEST]:
            del sys.modules[name]
        if url:
            os.environ[MINISTACK_URL] = url
            reset = urllib.request.Request(f"{url}/_ministack/reset", method="POST")  # noqa: S310
            urllib.request.urlopen(reset, timeout=30).close()  # noqa: S310
        install(job.path, job.text)
        status = _run_stages(job, durations, folder)
    finally:
        os._exit(status)


def _run_stages(job: Job, durations: Mapping[str, float], folder: Path) -> int:
    failed: list[str] = []
    passed = 0
    options = ["-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'files'}"]
    if job.stop:
        options.append("-x")
    for stage in job.stages:
        plugin = Plugin(stage, durations)
        files = list(dict.fromkeys(test.partition("::")[0] for test in stage))
        code = pytest.main([*options, *files], plugins=[plugin])
        failed += plugin.failed
        passed += plugin.passed
        (folder / "report.json").write_text(json.dumps({"failed": failed, "passed": passed}))
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and job.stop:
            return FAILED
    return FAILED if failed else SURVIVED

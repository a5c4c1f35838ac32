"""Specification of a worker process, and its start."""

from __future__ import annotations

import importlib.util
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from .attempts import SUFFIX, AttemptLog
from .crash_points import ROOT, CrashPoint, die_at


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """One life of one worker.

    ``function`` is the folder of its function, ``queue_url`` its queue. ``environment`` is the function's;
    ``timeout_s`` and ``batch`` limit an invocation. It does not crash if ``end`` is None.
    """

    worker_id: str
    life: int
    seed: int
    function: str
    environment: Mapping[str, str]
    folder: Path
    end: CrashPoint | None
    read_timeout_s: float
    timeout_s: float
    batch: int = 1
    direct_url: str = ""
    queue_url: str = ""
    keys: tuple[str, ...] = ()

    @property
    def attempts(self) -> AttemptLog:
        """Log of the receives of the worker's messages."""
        return AttemptLog(self.folder / f"{self.worker_id}{SUFFIX}")

    @property
    def crash_report(self) -> Path:
        """File to which the worker writes the line of its crash."""
        return self.folder / f"{self.worker_id}.{self.life}.died"


def begin(spec: WorkerSpec) -> Callable[[dict[str, Any], object], Any]:
    """Set up the environment, log and crash point of the process. Return the function's handler."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent()
    log = os.open(spec.folder / f"{spec.worker_id}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for name in [name for name in os.environ if name.startswith(("AWS_", "POWERTOOLS_"))]:
        del os.environ[name]
    os.environ.update(spec.environment)
    layers = (str(ROOT / "layers" / name) for name in ("darkroom", "pipeline"))
    sys.path[:0] = [*layers, str(ROOT / "functions" / spec.function)]
    _shorten_timeouts(spec.read_timeout_s)
    handler = _handler(spec.function)
    if spec.end is None:
        return handler
    begin_invocation = die_at(spec.end, lambda place: _write(spec.crash_report, place))

    def invoke(event: dict[str, Any], context: object) -> Any:
        begin_invocation()
        return handler(event, context)

    return invoke


def _write(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _shorten_timeouts(read_timeout_s: float) -> None:
    """Shorten the clients' read timeouts: 20 s each would be most of the run."""
    from darkroom.aws import s3_fast
    from darkroom_pipeline.aws import clients

    clients.READ_S = read_timeout_s
    s3_fast._CLIENT["timeout"] = timedelta(seconds=read_timeout_s)


def _handler(function: str) -> Callable[[dict[str, Any], object], Any]:
    specification = importlib.util.spec_from_file_location("app", ROOT / "functions" / function / "app.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["app"] = module
    specification.loader.exec_module(module)
    handler: Callable[[dict[str, Any], object], Any] = module.handler
    return handler

"""What a child process is sent to do, and how it begins."""

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

from .crash_points import ROOT, CrashPoint, die_at


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """One life of one worker.

    ``function`` is the folder of the function that it runs; ``queue_url`` the queue that it serves. ``environment`` is
    the function's, ``timeout_s`` and ``batch`` what an invocation may take and get. ``end`` None lets it live.
    """

    who: str
    life: int
    seed: int
    function: str
    environment: Mapping[str, str]
    folder: Path
    end: CrashPoint | None
    patience_s: float
    timeout_s: float
    batch: int = 1
    direct_url: str = ""
    queue_url: str = ""
    keys: tuple[str, ...] = ()

    @property
    def testament(self) -> Path:
        """Where it says at which line it died."""
        return self.folder / f"{self.who}.{self.life}.died"


def begin(errand: WorkerSpec) -> Callable[[dict[str, Any], object], Any]:
    """Become the worker: its environment, its log, its function, its end. Returns the function's handler."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent()
    log = os.open(errand.folder / f"{errand.who}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for name in [name for name in os.environ if name.startswith(("AWS_", "POWERTOOLS_"))]:
        del os.environ[name]
    os.environ.update(errand.environment)
    sys.path[:0] = [str(ROOT / "layers" / "darkroom"), str(ROOT / "functions" / errand.function)]
    _lose_patience(errand.patience_s)
    handler = _handler(errand.function)
    if errand.end is not None:
        die_at(errand.end, lambda place: _write(errand.testament, place))
    return handler


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


def _lose_patience(patience_s: float) -> None:
    """Shorten what clients wait for an answer: 20 s each would be most of the run."""
    from darkroom.aws import clients, s3_fast

    clients.READ_S = patience_s
    s3_fast._CLIENT["timeout"] = timedelta(seconds=patience_s)


def _handler(function: str) -> Callable[[dict[str, Any], object], Any]:
    specification = importlib.util.spec_from_file_location("app", ROOT / "functions" / function / "app.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["app"] = module
    specification.loader.exec_module(module)
    handler: Callable[[dict[str, Any], object], Any] = module.handler
    return handler

"""Run a process that repeats one job on request and reports its duration."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from . import processes
from .competitors.model import Competitor
from .machine import Core, on_core


class Worker:
    """A competitor's process on ``core``. Its command gets one more argument: the folder for its results."""

    def __init__(self, competitor: Competitor, core: Core) -> None:
        self.competitor = competitor
        self._folder = TemporaryDirectory()
        with on_core(core):
            self._process = subprocess.Popen(
                [*competitor.command, self._folder.name],
                cwd=competitor.folder,
                env=dict(competitor.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )

    def ms(self) -> float:
        """Run the job. Return its milliseconds. Raises RuntimeError if the process has failed."""
        [ms] = self.stages_ms()
        return ms

    def stages_ms(self) -> list[float]:
        """Run the job. Return the milliseconds of its stages. Raises RuntimeError if the process has failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.competitor.name} ended with status {self._process.wait()}")
        found = json.loads(answer)
        return list(found) if isinstance(found, list) else [found]

    def cpu_ms(self) -> float:
        """Return the CPU time of the process until now."""
        return processes.read_cpu_ms(self._process.pid)

    def made(self) -> dict[str, bytes]:
        """Return its last results by name."""
        return {path.name: path.read_bytes() for path in sorted(Path(self._folder.name).iterdir())}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._folder.cleanup()

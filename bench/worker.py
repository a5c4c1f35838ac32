"""A process that does one job again and again, each time it is asked, and says how long it took."""

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
    """A contender's process, on ``core`` alone. Its command takes one more word: the folder for what it makes."""

    def __init__(self, contender: Competitor, core: Core) -> None:
        self.contender = contender
        self._folder = TemporaryDirectory()
        with on_core(core):
            self._process = subprocess.Popen(
                [*contender.command, self._folder.name],
                cwd=contender.folder,
                env=dict(contender.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )

    def ms(self) -> float:
        """Do the job once; raises RuntimeError if the process has failed."""
        [ms] = self.stages_ms()
        return ms

    def stages_ms(self) -> list[float]:
        """Do the job once, in as many stages as it tells of; raises RuntimeError if the process has failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.contender.name} ended with status {self._process.wait()}")
        found = json.loads(answer)
        return list(found) if isinstance(found, list) else [found]

    def cpu_ms(self) -> float:
        """Processor time that the process has used until now."""
        return processes.read_cpu_ms(self._process.pid)

    def made(self) -> dict[str, bytes]:
        """What it made last, by name."""
        return {path.name: path.read_bytes() for path in sorted(Path(self._folder.name).iterdir())}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._folder.cleanup()

"""Run the analysis in a process with limited memory and time: it decodes bytes of anyone who may upload."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from darkroom.errors import TooSlow, Unavailable

MEMORY_BYTES = 2_000_000_000
"""Address space of the process; libraries take 0.6 GB of it, 64 megapixels of a progressive JPEG 0.5 GB."""

MAX_RESULT_BYTES = 4_000_000
"""Of the document, which goes into a response of 6 MB."""

_LIMITED = 'ulimit -v "$1" && ulimit -t "$2" || exit 99; shift 2; exec "$@"'
"""A shell sets the limits: code between fork and exec of a process with threads is unsafe."""


class AnalysisFailed(Exception):
    """The process exceeded its limits or crashed. The message is for the report."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Starts a process for each image. ``memory_bytes`` limits its address space, ``timeout_s`` its time."""

    timeout_s: float
    memory_bytes: int = MEMORY_BYTES

    def analyse(self, data: bytes, copies: Mapping[str, bytes]) -> dict[str, Any]:
        """Return the document of :func:`.analysis.analyse`. Raises AnalysisFailed, Unavailable."""
        with TemporaryDirectory(prefix="evidence-") as name:
            folder = Path(name)
            (folder / "original").write_bytes(data)
            for number, copy in enumerate(copies.values()):
                (folder / f"copy-{number}").write_bytes(copy)
            (folder / "request.json").write_text(json.dumps(list(copies)), encoding="utf-8")
            try:
                self._run(folder)
            except TooSlow as error:
                raise AnalysisFailed("The analysis took too long") from error
            result = (folder / "result.json").read_bytes()
        if len(result) > MAX_RESULT_BYTES:
            raise AnalysisFailed("The result of the analysis is too large")
        found: dict[str, Any] = json.loads(result)
        return found

    def _run(self, folder: Path) -> None:
        limits = (str(self.memory_bytes // 1024), str(round(self.timeout_s)))
        command = ["/bin/sh", "-c", _LIMITED, "sh", *limits, sys.executable, "-m", "evidence.worker", str(folder)]
        environment = {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PATH": os.environ.get("PATH", ""),
            "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
            "OPENBLAS_NUM_THREADS": "1",
            "VIPS_CONCURRENCY": "1",
            "VIPS_WARNING": "0",
            "MALLOC_ARENA_MAX": "1",
        }
        try:
            done = subprocess.run(  # noqa: S603 - no word of the command is a client's
                command, check=False, capture_output=True, timeout=self.timeout_s, env=environment, cwd=folder
            )
        except subprocess.TimeoutExpired as error:
            raise TooSlow from error
        except OSError as error:
            raise Unavailable(detail=f"the analysis could not be started: {error}") from error
        if done.returncode:
            raise AnalysisFailed(f"The analysis ended with {done.returncode}: the image exceeds its limits")

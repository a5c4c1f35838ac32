"""Sample a competitor's process with py-spy, from outside and without changing it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ..competitors.model import MissingCompetitor
from .stacks import Stack, parse

SAMPLES_PER_S = 500


def record(pid: int, duration_s: int, meanwhile: Callable[[], object]) -> Sequence[Stack]:
    """Record the stacks of process ``pid`` for ``duration_s`` while calling ``meanwhile`` repeatedly.

    Waiting threads count. Raises MissingCompetitor if py-spy is missing or not permitted to read processes.
    """
    tool = Path(sys.executable).with_name("py-spy")
    if not tool.exists():
        raise MissingCompetitor("Flame graph: py-spy is not installed")
    with TemporaryDirectory() as folder:
        output = Path(folder) / "stacks"
        options = ["--pid", pid, "--duration", duration_s, "--rate", SAMPLES_PER_S, "--output", output]
        command = [tool, "record", "--idle", "--threads", "--format", "raw", *options]
        with subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as spy:
            while spy.poll() is None:
                meanwhile()
            message = spy.stdout.read().decode(errors="replace") if spy.stdout else ""
        if spy.returncode or not output.exists():
            raise MissingCompetitor(f"Flame graph: py-spy could not read the process ({message.strip()[-200:]})")
        return list(parse(output.read_text(encoding="utf-8").splitlines()))

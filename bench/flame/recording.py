"""py-spy beside a contender's process: it reads the process's stacks from outside, so nothing in it is changed."""

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
    """The stacks of the process ``pid`` over ``duration_s``, during which ``meanwhile`` is called again and again.

    Waiting threads count too. Raises Missing if there is no py-spy, or if it may not look at processes.
    """
    tool = Path(sys.executable).with_name("py-spy")
    if not tool.exists():
        raise MissingCompetitor("The flame graph: py-spy is not installed")
    with TemporaryDirectory() as folder:
        output = Path(folder) / "stacks"
        options = ["--pid", pid, "--duration", duration_s, "--rate", SAMPLES_PER_S, "--output", output]
        command = [tool, "record", "--idle", "--threads", "--format", "raw", *options]
        with subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as spy:
            while spy.poll() is None:
                meanwhile()
            said = spy.stdout.read().decode(errors="replace") if spy.stdout else ""
        if spy.returncode or not output.exists():
            raise MissingCompetitor(f"The flame graph: py-spy could not look at the process ({said.strip()[-200:]})")
        return list(parse(output.read_text(encoding="utf-8").splitlines()))

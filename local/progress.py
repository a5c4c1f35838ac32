"""Progress of the local stack on standard output: lines with the time, and a spinner for each step on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Display
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from darkroom.visible_text import escape_controls

LONG_S = 3.0
"""A step of at least this duration prints it."""


class Progress:
    """Prints lines with the seconds since the start."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()
        self._console = Console(soft_wrap=True, highlight=False, markup=False)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        is_hidden = not self._console.is_terminal
        self._display = Display(*columns, console=self._console, transient=True, disable=is_hidden)

    def report(self, text: str) -> None:
        """Print one line at once, also into a log file."""
        self._console.print(f"[{time.monotonic() - self._started_s:6.1f} s] {escape_controls(text, keep='\n\t')}")

    @contextmanager
    def step(self, text: str) -> Iterator[Callable[[str], None]]:
        """Print a step and, if it took long, its duration. Steps may overlap.

        The context is a function that shows on a terminal what the step does at present.
        """
        self.report(f"{text} ...")
        started_s, task = time.monotonic(), self._display.add_task(text, total=None)
        self._display.start()
        try:
            yield lambda part: self._display.update(task, description=f"{text}: {part}" if part else text)
        finally:
            self._display.remove_task(task)
            if not self._display.tasks:
                self._display.stop()
        if (took_s := time.monotonic() - started_s) >= LONG_S:
            self.report(f"  done in {took_s:.0f} s")

"""A run's progress for whoever waits: a bar that moves, or lines where nobody sees it move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

from .machine import Figures

WIDTH = 30
LINE_EVERY_S = 15.0
"""How often a line is written into what is no terminal."""


def line(figures: Figures, now_s: float, *, width: int = WIDTH) -> str:
    """How far a run is: batches, and by the rate so far how long the rest takes."""
    if not figures.total:
        return "listing ..."
    filled = width * figures.over // figures.total
    passed_s = max(now_s - figures.started_s, 0.001)
    rate = figures.over / passed_s
    left = _duration((figures.total - figures.over) / rate) if rate else "?"
    bar = "#" * filled + "." * (width - filled)
    return (
        f"[{bar}] {figures.over:,}/{figures.total:,} batches, {figures.failed:,} failed, {figures.running:,} running, "
        f"{rate * 60:,.1f}/min, {left} left"
    )


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@dataclass
class Bar:
    """Written to ``to``."""

    to: TextIO
    _said_s: float = float("-inf")
    _length: int = 0

    def show(self, figures: Figures, now_s: float, *, last: bool = False) -> None:
        """Move the bar, or write a line if the last one is long enough ago, or this is the ``last``."""
        text = line(figures, now_s)
        if self.to.isatty():
            self.to.write("\r" + text.ljust(self._length))
            self._length = len(text)
        elif last or now_s - self._said_s >= LINE_EVERY_S:
            self.to.write(text + "\n")
            self._said_s = now_s
        self.to.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._length:
            self.to.write("\n")

"""Measure GPU utilisation with nvidia-smi."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean
from threading import Event, Thread

EVERY_S = 0.2
_QUERY = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits")


class Utilisation:
    """Samples of the first GPU in percent, one every :data:`EVERY_S`."""

    def __init__(self) -> None:
        self._samples: list[float] = []

    @property
    def percent(self) -> float | None:
        """The mean, None without a GPU."""
        return fmean(self._samples) if self._samples else None

    def take(self, until: Event) -> None:
        """Take samples until the event."""
        while not until.is_set():
            done = subprocess.run(_QUERY, capture_output=True, text=True, check=False)
            if done.returncode == 0 and done.stdout.strip():
                self._samples.append(float(done.stdout.splitlines()[0]))
            time.sleep(EVERY_S)


@contextmanager
def record_gpu() -> Iterator[Utilisation]:
    """Record the utilisation while the context is open."""
    found = Utilisation()
    if shutil.which(_QUERY[0]) is None:
        yield found
        return
    over = Event()
    thread = Thread(target=found.take, args=(over,))
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()

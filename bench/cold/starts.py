"""Measure starts with warm and dropped caches, competitors in turn, and what they read."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path
from typing import Literal

from ..cases import Case
from ..competitors.model import Competitor
from ..emulator import install_emulator
from ..machine import Core
from ..measure import Entry, Progress, order_turns
from ..runtime import Sandbox
from ..statistics import Spread
from .cache import drop_caches, drop_pages, resident_bytes
from .files import Reach, list_reach

type State = Literal["cached", "code dropped", "all dropped"]

STATES: tuple[State, ...] = ("all dropped", "cached", "code dropped")
"""States in measured order: a start with all dropped fills the cache of the next."""

DROPS = 5


@dataclass(frozen=True, slots=True)
class Read:
    """Bytes that a start read from disk, by file."""

    bytes_by_file: Mapping[Path, int]

    def mb(self, files: frozenset[Path]) -> float:
        """Return the megabytes of ``files``."""
        return sum(read for path, read in self.bytes_by_file.items() if path in files) / 1e6

    def count(self, files: frozenset[Path]) -> int:
        """Count the files of ``files`` that were read."""
        return sum(path in files for path in self.bytes_by_file)

    def largest(self, number: int) -> list[tuple[Path, int]]:
        """Return the files with the most bytes read."""
        return sorted(self.bytes_by_file.items(), key=lambda item: -item[1])[:number]


@dataclass(frozen=True, slots=True)
class Starts:
    """Start times of one competitor in ms by state, and what the last start with all dropped read.

    ``stayed_bytes`` could not be dropped because other processes had them mapped.
    """

    competitor: Competitor
    reach: Reach
    ms: Mapping[State, Spread]
    read: Read
    stayed_bytes: int


def measure_starts(
    case: Case, competitors: Sequence[Competitor], rounds: int, core: Core, progress: Progress
) -> list[Starts]:
    """Start each competitor ``rounds`` times in each state. Raises CompetitorError."""
    numbers = count(1)
    reaches = [_reach(competitor, case, next(numbers), core) for competitor in competitors]
    ms: dict[tuple[int, State], list[float]] = {key: [] for key in product(range(len(competitors)), STATES)}
    read: dict[int, Read] = {}
    stayed: dict[int, int] = {}
    for turn, at in product(range(rounds), range(len(competitors))):
        index = order_turns(len(competitors), turn)[at]
        entry, files = Entry(competitors[index]), reaches[index]
        for state in STATES:
            progress(f"{entry.competitor.name}: {state}, start {turn + 1}/{rounds}")
            _prepare(state, files)
            before = count_cached_bytes(files.all) if state == "all dropped" else {}
            with Sandbox(install_emulator(), entry.competitor, core) as sandbox:
                ms[index, state].append(sandbox.invoke(entry.event(case, next(numbers))).ms)
            if state == "all dropped":
                read[index] = Read(subtract_cached(before, count_cached_bytes(files.all)))
                stayed[index] = sum(before.values())
    return [
        Starts(
            competitor,
            reaches[index],
            {state: Spread.of(ms[index, state]) for state in STATES},
            read[index],
            stayed[index],
        )
        for index, competitor in enumerate(competitors)
    ]


def count_cached_bytes(files: frozenset[Path]) -> dict[Path, int]:
    """Return the cached bytes of each file."""
    return {path: resident_bytes(path) for path in files}


def subtract_cached(before: Mapping[Path, int], after: Mapping[Path, int]) -> dict[Path, int]:
    """Return the increase of each file, without files that did not change."""
    differences = {path: now - before[path] for path, now in after.items()}
    return {path: more for path, more in differences.items() if more > 0}


def measure_read_mb_per_s(file: Path) -> float:
    """Measure the disk's sequential throughput with ``file``."""
    drop_pages([file])
    started = time.perf_counter()
    size = len(file.read_bytes())
    return size / 1e6 / (time.perf_counter() - started)


def _prepare(state: State, files: Reach) -> None:
    """Bring the cache into ``state`` after a start of the same competitor.

    Dropping is repeated while code stays cached: the process of that start may still have it mapped.
    """
    if state == "cached":
        return
    for _ in range(DROPS):
        if state == "all dropped":
            drop_caches(files.all)
        else:
            drop_pages(files.code)
        if not any(count_cached_bytes(files.code).values()):
            return
        time.sleep(0.05)


def _reach(competitor: Competitor, case: Case, number: int, core: Core) -> Reach:
    with Sandbox(install_emulator(), competitor, core) as sandbox:
        sandbox.invoke(Entry(competitor).event(case, number))
        return list_reach(competitor, sandbox.mapped_files())

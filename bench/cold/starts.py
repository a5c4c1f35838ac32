"""Starts with warm and with dropped caches, contenders in turn, and what they read."""

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
"""In the order of starts: what a start with all dropped has read is cached for the next."""

DROPS = 5


@dataclass(frozen=True, slots=True)
class Read:
    """Bytes that a start took from the disc, by file."""

    bytes_by_file: Mapping[Path, int]

    def mb(self, files: frozenset[Path]) -> float:
        """Megabytes of ``files``."""
        return sum(read for path, read in self.bytes_by_file.items() if path in files) / 1e6

    def count(self, files: frozenset[Path]) -> int:
        """How many of ``files`` something was read of."""
        return sum(path in files for path in self.bytes_by_file)

    def largest(self, number: int) -> list[tuple[Path, int]]:
        """The files that most was read of."""
        return sorted(self.bytes_by_file.items(), key=lambda item: -item[1])[:number]


@dataclass(frozen=True, slots=True)
class Starts:
    """What one contender's starts took, in ms by state, and what the last with all dropped has read.

    ``stayed_bytes`` could not be dropped before that: other processes had it mapped.
    """

    contender: Competitor
    reach: Reach
    ms: Mapping[State, Spread]
    read: Read
    stayed_bytes: int


def measure_starts(
    case: Case, contenders: Sequence[Competitor], rounds: int, core: Core, progress: Progress
) -> list[Starts]:
    """Start each contender ``rounds`` times in each state; raises NoAnswer."""
    numbers = count(1)
    reaches = [_reach(contender, case, next(numbers), core) for contender in contenders]
    ms: dict[tuple[int, State], list[float]] = {key: [] for key in product(range(len(contenders)), STATES)}
    read: dict[int, Read] = {}
    stayed: dict[int, int] = {}
    for turn, at in product(range(rounds), range(len(contenders))):
        index = order_turns(len(contenders), turn)[at]
        entry, files = Entry(contenders[index]), reaches[index]
        for state in STATES:
            progress(f"{entry.contender.name}: {state}, start {turn + 1}/{rounds}")
            _prepare(state, files)
            before = count_cached_bytes(files.all) if state == "all dropped" else {}
            with Sandbox(install_emulator(), entry.contender, core) as sandbox:
                ms[index, state].append(sandbox.invoke(entry.event(case, next(numbers))).ms)
            if state == "all dropped":
                read[index] = Read(subtract_cached(before, count_cached_bytes(files.all)))
                stayed[index] = sum(before.values())
    return [
        Starts(
            contender,
            reaches[index],
            {state: Spread.of(ms[index, state]) for state in STATES},
            read[index],
            stayed[index],
        )
        for index, contender in enumerate(contenders)
    ]


def count_cached_bytes(files: frozenset[Path]) -> dict[Path, int]:
    """Bytes of each file that lie in the cache."""
    return {path: resident_bytes(path) for path in files}


def subtract_cached(before: Mapping[Path, int], after: Mapping[Path, int]) -> dict[Path, int]:
    """What came to each file, without those that nothing came to."""
    differences = {path: now - before[path] for path, now in after.items()}
    return {path: more for path, more in differences.items() if more > 0}


def measure_read_mb_per_s(file: Path) -> float:
    """How fast the disc gives ``file``, one part after the other."""
    drop_pages([file])
    started = time.perf_counter()
    size = len(file.read_bytes())
    return size / 1e6 / (time.perf_counter() - started)


def _prepare(state: State, files: Reach) -> None:
    """Bring the cache into ``state``, after a start of the same contender.

    Dropping is tried again while anything of the code is left: the process of that start may still have it mapped.
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


def _reach(contender: Competitor, case: Case, number: int, core: Core) -> Reach:
    with Sandbox(install_emulator(), contender, core) as sandbox:
        sandbox.invoke(Entry(contender).event(case, number))
        return list_reach(contender, sandbox.mapped_files())

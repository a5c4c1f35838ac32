"""Price misses of the CDN by when derivatives are stored: always, never, by chance, or by an oracle.

The chance is the function's own (:mod:`darkroom.services.serve.store_policy`), with the misses that its processes see.
The oracle knows all misses, and stores a derivative exactly where that is cheaper in the end.
"""

from __future__ import annotations

import gzip
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from darkroom.services.serve.store_policy import MissCosts, SeenMisses, compute_probability
from darkroom_pipeline.operations.popular.access_log import FIELDS, find_fields, parse_columns, parse_line, read_lines

from .shop import NEVER, Misses

DAYS_A_MONTH = 365 / 12

type Chooses = Callable[[int, float], bool]
"""Whether to store the derivative of this number, which is rendered on this day."""


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars: of a miss that renders (with a read of the store) or reads, of a PUT with its check, and of a month.

    ``stored_days``: after how many days derivatives expire.
    """

    render: float
    read: float
    put: float
    month: float
    stored_days: float = 90

    @property
    def miss_costs(self) -> MissCosts:
        """What the function's policy knows of them: storage for one month."""
        return MissCosts(self.render, self.put + self.month, self.read)

    def price_storing(self, day: float, last_day: float) -> float:
        """Return the price of a derivative that is stored on ``day``, until it expires, at most until ``last_day``."""
        return self.put + self.month * min(self.stored_days, last_day - day) / DAYS_A_MONTH


def price_misses(misses: Misses, prices: Prices, chooses: Chooses) -> float:
    """Return US dollars of ``misses``: reads, renders, and what ``chooses`` has stored."""
    last_day = float(misses.days[-1])
    expires: dict[int, float] = {}
    usd = 0.0
    for number, day, ingested in _list_rows(misses):
        if day < expires.get(number, ingested + prices.stored_days):
            usd += prices.read
            continue
        usd += prices.render
        if chooses(number, day):
            usd += prices.price_storing(day, last_day)
            expires[number] = day + prices.stored_days
    return usd


def price_unstored(misses: Misses, prices: Prices, is_preset: Callable[[int], bool]) -> float:
    """Return US dollars of ``misses`` if only ingest stores derivatives, those for which ``is_preset``.

    The CDN asks the function first for all others, which spares each of their renders the read of the store.
    """
    others = sum(not is_preset(number) for number in misses.derivatives.tolist())
    return price_misses(misses, prices, lambda *_: False) - prices.read * others


def price_oracle(misses: Misses, prices: Prices) -> float:
    """Return US dollars of ``misses`` if each derivative is stored exactly where that is cheaper in the end.

    The CDN asks the store first, as it does with ``auto``.
    """
    order = np.argsort(misses.derivatives, kind="stable")
    bounds = [0, *(np.flatnonzero(np.diff(misses.derivatives[order])) + 1).tolist(), len(order)]
    days, ingested = misses.days[order].tolist(), misses.ingested[order].tolist()
    last_day = float(misses.days[-1])
    return sum(
        _price_best(days[first:end], ingested[first], prices, last_day)
        for first, end in pairwise(bounds)
        if end > first
    )


def _price_best(days: list[float], ingested: float, prices: Prices, last_day: float) -> float:
    """Return the least price of a derivative that is missed on ``days``, from the last miss to the first."""
    kept = bisect_left(days, ingested + prices.stored_days)
    best = [0.0] * (len(days) + 1)
    for index in reversed(range(kept, len(days))):
        day = days[index]
        expired = bisect_left(days, day + prices.stored_days, index)
        storing = prices.price_storing(day, last_day) + prices.read * (expired - index - 1) + best[expired]
        best[index] = prices.render + min(best[index + 1], storing)
    return kept * prices.read + best[kept]


@dataclass(slots=True)
class Processes:
    """The function's processes, which store by chance: ``count`` at a time, each of which lives ``lifetime_days``.

    A miss reaches any of them. Each remembers the misses of ``most`` derivatives. ``is_preset``: whether a number is
    that of a preset's derivative, which is always stored.
    """

    costs: MissCosts
    random: np.random.Generator
    most: int
    is_preset: Callable[[int], bool] = lambda _: False
    count: int = 2
    lifetime_days: float = 4 / 24
    seen: dict[int, tuple[int, SeenMisses]] = field(default_factory=dict)

    def chooses(self, number: int, day: float) -> bool:
        """Draw whether a process stores the derivative."""
        if self.is_preset(number):
            return True
        index, drawn = int(self.random.integers(self.count)), float(self.random.random())
        life = int(day / self.lifetime_days + index / self.count)
        if self.seen.get(index, (-1,))[0] != life:
            self.seen[index] = life, SeenMisses(self.most)
        return drawn < compute_probability(self.costs, self.seen[index][1].add(number))


def expect_ratio(costs: MissCosts, times: int, chance: Callable[[int], float]) -> float:
    """Return the expected cost of a derivative that is missed ``times`` times, in units of an oracle's.

    ``chance``: the probability of storing it after so many earlier misses.
    """
    unstored, usd = 1.0, 0.0
    for probability in map(chance, range(times)):
        usd += unstored * (costs.render + probability * costs.storing) + (1 - unstored) * costs.read
        unstored *= 1 - probability
    return usd / min(times * costs.render, costs.render + costs.storing + (times - 1) * costs.read)


def read_misses(files: Iterable[Path]) -> Misses:
    """Read the misses of images in access logs, files that the CDN or its emulator has written, compressed or not.

    A derivative is a requested URL: one that is negotiated counts as one, though browsers get several formats.
    """
    rows = sorted(row for file in files for row in _read_file(file))
    numbers = {target: number for number, target in enumerate(dict.fromkeys(target for _, target in rows))}
    first = rows[0][0] if rows else 0.0
    return Misses(
        np.array([numbers[target] for _, target in rows], np.int64),
        np.array([(at_s - first) / 86_400 for at_s, _ in rows]),
        np.full(len(rows), float(NEVER)),
    )


def _read_file(file: Path) -> Iterator[tuple[float, str]]:
    """Yield time and target of each miss in one file."""
    with file.open("rb") as raw:
        is_gzip = raw.read(2) == b"\x1f\x8b"
    with gzip.open(file) if is_gzip else file.open("rb") as log:
        columns, times = None, list[int]()
        for line in read_lines(cast(BinaryIO, log)):
            if line.startswith("#"):
                if line.startswith(FIELDS):
                    columns, times = parse_columns(line), find_fields(line, ("date", "time"))
                continue
            target = parse_line(columns, line) if columns and times else None
            fields = line.split("\t")
            if target and columns and fields[columns.result] == "Miss":
                at = datetime.fromisoformat(f"{fields[times[0]]}T{fields[times[1]]}+00:00")
                yield at.timestamp(), target


def _list_rows(misses: Misses) -> Iterator[tuple[int, float, float]]:
    return zip(misses.derivatives.tolist(), misses.days.tolist(), misses.ingested.tolist(), strict=True)

"""Parse CloudFront's access logs (W3C extended format, tab-separated) and count the most requested images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from darkroom.plan.experiments import NAME
from darkroom.plan.options import OPTIONS_BY_NAME

MAX_LINE_BYTES = 65_536
"""CloudFront logs no request whose URL has more than 8 KB, or whose headers have more than 20 KB."""

MAX_TARGET_CHARACTERS = 2_500
"""Maximum of a path and a query: enough for any key and options but keys of hundreds of non-ASCII characters."""

SUCCESSFUL_RESULTS = frozenset({"Hit", "RefreshHit", "Miss", "OriginShieldHit"})
"""Values of ``x-edge-result-type`` for an image that was delivered."""

NOTHING = "-"
"""Value of an empty field."""

FIELDS = "#Fields:"
"""Begins the line with the names of the fields."""

_OUTSIDE_THE_PLAN = frozenset(name for name, option in OPTIONS_BY_NAME.items() if option.short in ("s", "exp"))


class Columns(NamedTuple):
    """Positions of the fields in a line, and how many it has."""

    method: int
    stem: int
    query: int
    status: int
    result: int
    total: int


_NAMES = ("cs-method", "cs-uri-stem", "cs-uri-query", "sc-status", "x-edge-result-type")


def parse_columns(header: str) -> Columns | None:
    """Parse a ``#Fields:`` line; None if a required field is missing."""
    places = find_fields(header, _NAMES)
    return Columns._make(places) if places else None


def find_fields(header: str, names: Sequence[str]) -> list[int]:
    """Return the positions of the fields ``names`` in a ``#Fields:`` line, and how many it has.

    Returns nothing if one is missing.
    """
    given = header.removeprefix(FIELDS).split()
    return [*map(given.index, names), len(given)] if set(names) <= set(given) else []


def parse_line(columns: Columns, line: str) -> str | None:
    """Parse the path and query of a delivered image; "" for any other request, None for a malformed line.

    The query is sorted and has no signature, so that all requests for a variant count together. The name of an
    experiment stays in it: the URL alone does not show which variant was delivered, and it is not the image without.
    """
    fields = line.split("\t")
    if len(fields) != columns.total:
        return None
    sent = fields[columns.status] == "200" and fields[columns.result] in SUCCESSFUL_RESULTS
    stem, query = fields[columns.stem], fields[columns.query]
    if fields[columns.method] != "GET" or not sent or len(stem) + len(query) > MAX_TARGET_CHARACTERS:
        return ""
    pairs = sorted(filter(_is_in_target, query.split("&"))) if query != NOTHING else []
    return f"{stem}?{'&'.join(pairs)}" if pairs else stem


def _is_in_target(pair: str) -> bool:
    name, _, value = pair.partition("=")
    return name not in _OUTSIDE_THE_PLAN or (name == "exp" and NAME.fullmatch(value) is not None)


@dataclass(slots=True)
class LogReader:
    """Reads one log file after the other. ``lines`` counts requests of any kind, ``unread`` malformed lines."""

    lines: int = 0
    unread: int = 0

    def targets(self, log: BinaryIO) -> Iterator[str]:
        """Yield the requested paths, line by line, in bounded memory. Raises what reading ``log`` does."""
        columns: Columns | None = None
        for line in read_lines(log):
            if line.startswith("#"):
                columns = parse_columns(line) if line.startswith(FIELDS) else columns
                continue
            self.lines += 1
            target = parse_line(columns, line) if columns else None
            if target is None:
                self.unread += 1
            elif target:
                yield target


def read_lines(log: BinaryIO) -> Iterator[str]:
    """Yield lines of at most MAX_LINE_BYTES: the rest of a longer one is skipped."""
    while piece := log.readline(MAX_LINE_BYTES):
        yield piece.decode("ascii", "replace").rstrip("\r\n")
        while piece and not piece.endswith(b"\n"):
            piece = log.readline(MAX_LINE_BYTES)


class FrequentItems:
    """Counts of at most ``most`` names (Misra and Gries, "Finding repeated elements", 1982).

    A count is never too high. It is too low by at most ``total / (most + 1)``, and only if there are more than ``most``
    names: every name that is more frequent than that is counted.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[str, int] = {}
        self.total = 0

    def add(self, name: str) -> None:
        """Count ``name`` once more."""
        self.total += 1
        if name in self._counts:
            self._counts[name] += 1
        elif len(self._counts) < self._most:
            self._counts[name] = 1
        else:
            self._counts = {name: count - 1 for name, count in self._counts.items() if count > 1}

    @property
    def counts(self) -> Mapping[str, int]:
        """Lower bound of the count of each name."""
        return self._counts

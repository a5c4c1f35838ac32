"""Lines of CloudFront's access logs (W3C extended format, tab-separated), and what they say was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from ...plan.options import OPTIONS_BY_NAME

MAX_LINE_BYTES = 65_536
"""CloudFront logs no request whose URL has more than 8 KB, or whose headers have more than 20 KB."""

MAX_TARGET_CHARACTERS = 2_500
"""Of a path and a query: more than any key and options need, but for keys of hundreds of characters beyond ASCII."""

SUCCESSFUL_RESULTS = frozenset({"Hit", "RefreshHit", "Miss", "OriginShieldHit"})
"""Values of ``x-edge-result-type`` for a picture that a viewer got, be it from the cache or through it."""

NOTHING = "-"
"""What stands in a field without a value."""

_FIELDS = "#Fields:"
_OUTSIDE_THE_PLAN = frozenset(name for name, option in OPTIONS_BY_NAME.items() if option.short in ("s", "exp"))


class Columns(NamedTuple):
    """Where in a line the fields are that count, and how many it has."""

    method: int
    stem: int
    query: int
    status: int
    result: int
    total: int


_NAMES = ("cs-method", "cs-uri-stem", "cs-uri-query", "sc-status", "x-edge-result-type")


def parse_columns(header: str) -> Columns | None:
    """The columns that a ``#Fields:`` line tells of; None if one that is needed is not among them."""
    names = header.removeprefix(_FIELDS).split()
    if not all(name in names for name in _NAMES):
        return None
    return Columns._make([*(names.index(name) for name in _NAMES), len(names)])


def parse_line(columns: Columns, line: str) -> str | None:
    """The path and query of a picture that was sent to a viewer; "" for any other request, None for no log line at all.

    The query is sorted and has no signature: all viewers of a picture count together.
    """
    fields = line.split("\t")
    if len(fields) != columns.total:
        return None
    sent = fields[columns.status] == "200" and fields[columns.result] in SUCCESSFUL_RESULTS
    stem, query = fields[columns.stem], fields[columns.query]
    if fields[columns.method] != "GET" or not sent or len(stem) + len(query) > MAX_TARGET_CHARACTERS:
        return ""
    return stem if query == NOTHING else f"{stem}?{_without_signature(query)}"


def _without_signature(query: str) -> str:
    pairs = (pair for pair in query.split("&") if pair.partition("=")[0] not in _OUTSIDE_THE_PLAN)
    return "&".join(sorted(pairs))


@dataclass(slots=True)
class LogReader:
    """Reads one log file after the other. ``lines`` are requests of any kind, ``unread`` those that made no sense."""

    lines: int = 0
    unread: int = 0

    def targets(self, log: BinaryIO) -> Iterator[str]:
        """What was asked for, line by line, in bounded memory. Raises what reading ``log`` does."""
        columns: Columns | None = None
        for piece in _read_lines(log):
            line = piece.decode("ascii", "replace").rstrip("\r\n")
            if line.startswith("#"):
                columns = parse_columns(line) if line.startswith(_FIELDS) else columns
                continue
            self.lines += 1
            target = parse_line(columns, line) if columns else None
            if target is None:
                self.unread += 1
            elif target:
                yield target


def _read_lines(log: BinaryIO) -> Iterator[bytes]:
    """Lines, of which none has more than MAX_LINE_BYTES: the rest of a longer one is left out."""
    while piece := log.readline(MAX_LINE_BYTES):
        yield piece
        while piece and not piece.endswith(b"\n"):
            piece = log.readline(MAX_LINE_BYTES)

"""Find the requests of experiments in CloudFront's access logs: beacons, and images with ``exp``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

from darkroom.plan.experiments import BEACON, NAME, VISITOR

from ..operations.popular.access_log import FIELDS, find_fields, read_lines

VIEW, CLICK = "view", "click"


@dataclass(frozen=True, slots=True)
class ExperimentRequest:
    """A request of ``experiment``: ``event`` is VIEW or CLICK for a beacon, "" for a delivered image.

    ``address`` is the client's.
    """

    experiment: str
    event: str
    visitor: str
    at_s: float
    address: str


class _Columns(NamedTuple):
    date: int
    time: int
    address: int
    method: int
    stem: int
    query: int
    status: int
    total: int


_NAMES = ("date", "time", "c-ip", "cs-method", "cs-uri-stem", "cs-uri-query", "sc-status")


def read_requests(log: BinaryIO) -> Iterator[ExperimentRequest]:
    """Yield the requests of experiments in ``log``, in bounded memory. Raises what reading does."""
    columns: _Columns | None = None
    for line in read_lines(log):
        if line.startswith("#"):
            if line.startswith(FIELDS):
                places = find_fields(line, _NAMES)
                columns = _Columns._make(places) if places else None
        elif columns is not None and "exp=" in line and (found := _parse_line(columns, line)):
            yield found


def _parse_line(columns: _Columns, line: str) -> ExperimentRequest | None:
    fields = line.split("\t")
    if len(fields) != columns.total or fields[columns.method] != "GET":
        return None
    query = dict(pair.partition("=")[::2] for pair in fields[columns.query].split("&"))
    experiment, event, visitor = query.get("exp", ""), query.get("event", ""), query.get("visitor", "")
    status, is_beacon = fields[columns.status], fields[columns.stem] == BEACON
    if not NAME.fullmatch(experiment):
        return None
    if is_beacon and (status != "204" or event not in (VIEW, CLICK) or not VISITOR.fullmatch(visitor)):
        return None
    if not is_beacon and status not in ("200", "304"):
        return None
    try:
        at = datetime.fromisoformat(f"{fields[columns.date]}T{fields[columns.time]}").replace(tzinfo=UTC)
    except ValueError:
        return None
    if not is_beacon:
        event = visitor = ""
    return ExperimentRequest(experiment, event, visitor, at.timestamp(), fields[columns.address])

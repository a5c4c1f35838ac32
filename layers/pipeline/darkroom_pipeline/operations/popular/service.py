"""Popularity flow (docs/explanation/architecture.md): find frequently requested derivatives in the CDN's access logs
and send those that were encoded fast to be re-encoded."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, cast

from darkroom.aws.telemetry import Observer
from darkroom.errors import BadOption
from darkroom.image_keys import DERIVATIVES, derivatives_prefix
from darkroom.plan.canonical import derivative_name
from darkroom.plan.forced_options import NOTHING_FORCED, ForcedOptions
from darkroom.plan.presets import Presets
from darkroom.services.caching import PACE

from ...aws.s3 import ListedObject, S3Bucket
from ...aws.sqs import Queue
from .access_log import FrequentItems, LogReader
from .requested_variant import RequestedVariant, filter_variants, parse_target

MAX_HOURS = 168

SETTLED_S = 300.0
"""Minimum age of a log file: S3 dates an object by the start of its upload, and lists it when that has ended."""

MAX_DELIVERY_DELAY_S = 25 * 3_600
"""Maximum delay of a log file after the hour in its name (CloudFront's guide: up to a day)."""

MAX_TARGETS = 20_000
"""Maximum of counted paths: one with 20 of 400,000 requests is always found."""

MAX_LOOKUPS = 1_000
"""Variants that a run looks up in the store, the most popular first; each costs a HEAD, or a listing."""

FILE_TIME_S = 60.0
"""Minimum remaining time for a further log file: a thousand look-ups take some 20 s."""

LOOKUP_TIME_S = 10.0
"""Minimum remaining time for a further look-up."""


@dataclass(frozen=True, slots=True)
class Window:
    """Log files that were delivered after ``since_s`` and until ``until_s``, Unix time."""

    since_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class ScanReport:
    """Result of a run. ``files_left``: for lack of time; ``files_unread``: no gzip, or truncated."""

    files: int = 0
    files_left: int = 0
    files_unread: int = 0
    lines: int = 0
    lines_unread: int = 0
    popular: int = 0
    sent: int = 0


def read_window(event: Mapping[str, Any], now_s: float) -> Window:
    """The hour before the ``time`` of a schedule's event, or before now; ``{"hours": 24}`` is longer. Raises BadOption.

    That of the schedule, however late it is: an event that is tried again means the same files, and the next one those
    that come after.
    """
    hours = event.get("hours", 1)
    if type(hours) is not int or not 1 <= hours <= MAX_HOURS:
        raise BadOption(f"hours is a whole number from 1 to {MAX_HOURS}", option="hours", detail=repr(hours)[:200])
    try:
        until_s = datetime.fromisoformat(event["time"]).timestamp() if "time" in event else now_s
    except (TypeError, ValueError) as error:
        raise BadOption("time is one of ISO 8601", option="time", detail=repr(error)[:200]) from error
    return Window(until_s - SETTLED_S - hours * 3_600, until_s - SETTLED_S)


def list_files(logs: S3Bucket, distribution_id: str, window: Window) -> list[ListedObject]:
    """List the files of the window. Their names have the hour, so that a listing need not start with the first."""
    first = datetime.fromtimestamp(window.since_s, UTC) - timedelta(seconds=MAX_DELIVERY_DELAY_S)
    prefix = f"{distribution_id}."
    pages = logs.list_pages(prefix, start_after=f"{prefix}{first:%Y-%m-%d-%H}")
    return [one for page in pages for one in page if window.since_s < one.modified_s <= window.until_s]


def read_file(logs: S3Bucket, file: ListedObject, read: Callable[[BinaryIO], None], observer: Observer) -> bool:
    """Call ``read`` with the content of ``file``; return whether all of it could be read."""
    opened = logs.open(file.key)
    if opened is None:  # it has expired since
        return False
    with opened.body as body:
        try:
            read(cast(BinaryIO, gzip.GzipFile(fileobj=cast(BinaryIO, body))))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            observer.log("WARNING", "access log unreadable", file=file.key, reason=repr(error))
            return False
    return True


@dataclass(frozen=True)
class PopularityScan:
    """``logs`` has the access logs of ``distribution_id``, ``media`` the derivatives. ``queue`` is that of refining.

    ``least_hits``: how many views within a window make an image popular. ``always`` is what the edge always redacts,
    ``presets`` those that URLs may name (those of the build by default).
    """

    logs: S3Bucket
    media: S3Bucket
    queue: Queue
    distribution_id: str
    least_hits: int
    observer: Observer
    always: ForcedOptions = NOTHING_FORCED
    presets: Presets | None = None

    def run(self, window: Window, remaining_s: Callable[[], float]) -> ScanReport:
        """Read the files of ``window`` and send what is popular in them; may be done again. Raises Unavailable."""
        tally, reader = FrequentItems(MAX_TARGETS), LogReader()
        files = list_files(self.logs, self.distribution_id, window)
        read = unread = 0
        for file in files:
            if remaining_s() < FILE_TIME_S:
                break
            with self.observer.step("read"):
                unread += not self._count(file, reader, tally)
            read += 1
        popular = _popular(tally, self.least_hits, self.presets)
        with self.observer.step("send"):
            sent = self.queue.send_many(self._messages(popular, remaining_s), delay_s=0)
        left = len(files) - read
        outcome = ScanReport(read - unread, left, unread, reader.lines, reader.unread, len(popular), sent)
        self._log_report(outcome)
        return outcome

    def _count(self, file: ListedObject, reader: LogReader, tally: FrequentItems) -> bool:
        """Count the requests of ``file``; return whether all of it could be read."""

        def count(log: BinaryIO) -> None:
            for target in reader.targets(log):
                tally.add(target)

        return read_file(self.logs, file, count, self.observer)

    def _messages(
        self, popular: list[tuple[tuple[RequestedVariant, ...], int]], remaining_s: Callable[[], float]
    ) -> Iterator[dict[str, object]]:
        for alternatives, hits in popular:
            if remaining_s() < LOOKUP_TIME_S:
                return
            for requested in alternatives:
                for name in self._fast_encoded(requested):
                    yield {"refine": name, "hits": hits}

    def _fast_encoded(self, requested: RequestedVariant) -> Iterator[str]:
        """Yield the stored derivatives of ``requested`` that were encoded fast."""
        for name in self._candidates(requested):
            kept = self.media.head(name)
            if kept is not None and kept.metadata.get(PACE) != "thorough":
                yield name

    def _candidates(self, requested: RequestedVariant) -> Iterator[str]:
        """Yield names that may be stored: for a viewer's URL, among the first thousand variants of its image."""
        if requested.negotiated:
            return iter((DERIVATIVES + derivative_name(requested.plan),))
        page = next(self.media.list_pages(derivatives_prefix(requested.plan.key)), [])
        names = (one.key.removeprefix(DERIVATIVES) for one in page)
        return (DERIVATIVES + name for name in filter_variants(names, requested, self.always))

    def _log_report(self, outcome: ScanReport) -> None:
        self.observer.log("INFO", "access logs read", **asdict(outcome))
        self.observer.count("Popular", outcome.sent)
        self.observer.count("LogLines", outcome.lines)
        self.observer.count("LogLinesUnread", outcome.lines_unread)
        self.observer.count("LogFilesUnread", outcome.files_unread + outcome.files_left)


def _popular(
    tally: FrequentItems, least_hits: int, presets: Presets | None
) -> list[tuple[tuple[RequestedVariant, ...], int]]:
    """Return variants with at least ``least_hits`` requests by any spelling, the most popular first, up to a limit."""
    hits: Counter[tuple[RequestedVariant, ...]] = Counter()
    for target, count in tally.counts.items():
        if alternatives := parse_target(target, presets):
            hits[alternatives] += count
    return [(requested, count) for requested, count in hits.most_common(MAX_LOOKUPS) if count >= least_hits]

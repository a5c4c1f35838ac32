"""Access logs on their way into the bucket that the distribution's configuration names."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .access_log import LogRecord, file_name, format_file, format_record
from .model import Distribution

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DELIVER_S = 10.0
"""Between two files. CloudFront delivers several an hour; nobody waits for that on a laptop."""

MOST_LINES = 100_000
"""Of a file that waits for a bucket. Logs are delivered as well as may be, and never fill the memory."""


class LogDelivery:
    """Lines that wait, by the hours that they belong to; nothing waits where the distribution asks for no logs."""

    def __init__(self, s3: S3Client, report: Callable[[str], None]) -> None:
        self._s3 = s3
        self._report = report
        self._waiting: dict[int, list[str]] = {}

    def note(self, distribution: Distribution, visit: LogRecord) -> None:
        """Write down one visit."""
        if distribution.log_bucket:
            lines = self._waiting.setdefault(int(visit.ended_s // 3_600), [])
            if len(lines) < MOST_LINES:
                lines.append(format_record(visit))

    async def keep(self, distribution: Callable[[], Distribution | None]) -> None:
        """For ever, and once more at the end: deliver what waits."""
        try:
            while True:
                await asyncio.sleep(DELIVER_S)
                await asyncio.to_thread(self._put, distribution(), self._taken())
        finally:
            self.deliver(distribution())

    def deliver(self, distribution: Distribution | None) -> None:
        """Put what waits into the bucket."""
        self._put(distribution, self._taken())

    def _taken(self) -> dict[int, list[str]]:
        waiting, self._waiting = self._waiting, {}
        return waiting

    def _put(self, distribution: Distribution | None, waiting: dict[int, list[str]]) -> None:
        """A fault is reported, and the lines of that hour are lost."""
        if distribution is None or not distribution.log_bucket:
            return
        for hour, lines in waiting.items():
            name = file_name(distribution.log_prefix, distribution.id, hour * 3_600, secrets.token_hex(4))
            try:
                self._s3.put_object(Bucket=distribution.log_bucket, Key=name, Body=format_file(lines))
            except (BotoCoreError, ClientError) as error:
                self._report(f"the CDN could not deliver an access log: {error!r}")

"""Delivery of access logs to the bucket that the distribution's configuration names."""

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

DELIVERY_INTERVAL_S = 10.0
"""Time between two files. CloudFront delivers several files an hour."""

MAX_LINES = 100_000
"""Maximum lines that wait for one file. Delivery is best effort and must not exhaust the memory."""


class LogDelivery:
    """Lines that wait for delivery, by hour. Nothing is recorded if the distribution has no logging."""

    def __init__(self, s3: S3Client, report: Callable[[str], None]) -> None:
        self._s3 = s3
        self._report = report
        self._waiting: dict[int, list[str]] = {}

    def note(self, distribution: Distribution, visit: LogRecord) -> None:
        """Record one request."""
        if distribution.log_bucket:
            lines = self._waiting.setdefault(int(visit.ended_s // 3_600), [])
            if len(lines) < MAX_LINES:
                lines.append(format_record(visit))

    async def run(self, distribution: Callable[[], Distribution | None]) -> None:
        """Deliver waiting lines periodically until cancelled, and once more at the end."""
        try:
            while True:
                await asyncio.sleep(DELIVERY_INTERVAL_S)
                await asyncio.to_thread(self._put, distribution(), self._drain())
        finally:
            self.deliver(distribution())

    def deliver(self, distribution: Distribution | None) -> None:
        """Deliver waiting lines."""
        self._put(distribution, self._drain())

    def _drain(self) -> dict[int, list[str]]:
        waiting, self._waiting = self._waiting, {}
        return waiting

    def _put(self, distribution: Distribution | None, waiting: dict[int, list[str]]) -> None:
        """Upload the lines. A failure is reported, and the lines of that hour are lost."""
        if distribution is None or not distribution.log_bucket:
            return
        for hour, lines in waiting.items():
            name = file_name(distribution.log_prefix, distribution.id, hour * 3_600, secrets.token_hex(4))
            try:
                self._s3.put_object(Bucket=distribution.log_bucket, Key=name, Body=format_file(lines))
            except (BotoCoreError, ClientError) as error:
                self._report(f"CDN: access log delivery failed: {error!r}")

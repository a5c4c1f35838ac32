"""Counters of presigned POSTs by upload token, in the index table: in total, and in the current minute.

A token is identified by the digest of its grant. DynamoDB deletes items after the token has expired.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from darkroom.errors import TokenUsedUp, TooManyUploads

from .clients import write_if

COUNTER = "upload#"
"""Prefix of the digest in the partition key."""

REQUESTS_A_MINUTE = 120
"""Requests per minute and token: 1 % of the limit of the API's stage (template.yaml)."""

REPORTS_A_MINUTE = 12
"""Requests with reports per minute and token. They are counted apart, so that they never keep a file from its form."""

WINDOW_S = 60
KEPT_S = 3600
"""Time until a counter may be deleted after its end: DynamoDB deletes within days."""


class UploadCounters:
    """Counters in ``table``. Every fault raises Unavailable."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def count_request(self, grant: str, now_s: float) -> None:
        """Count a request by the token of ``grant``; raises TooManyUploads above the rate."""
        self._count_in_minute(_digest(grant), REQUESTS_A_MINUTE, now_s)

    def count_report(self, grant: str, now_s: float) -> None:
        """Count a request with reports by the token of ``grant``; raises TooManyUploads above the rate."""
        self._count_in_minute(f"{_digest(grant)}#report", REPORTS_A_MINUTE, now_s)

    def _count_in_minute(self, name: str, most: int, now_s: float) -> None:
        window = int(now_s // WINDOW_S)
        ends_s = (window + 1) * WINDOW_S
        if not self._add(f"{name}#{window}", most, ends_s + KEPT_S):
            raise TooManyUploads(retry_after_s=max(1, int(ends_s - now_s) + 1))

    def count_file(self, grant: str, max_files: int, expires_s: int) -> None:
        """Count a file of ``max_files``; raises TokenUsedUp if that many were counted."""
        if not self._add(_digest(grant), max_files, expires_s + KEPT_S):
            raise TokenUsedUp

    def _add(self, name: str, most: int, expires_at_s: int) -> bool:
        """Add 1 to a counter unless it is ``most``; return whether it was added."""
        numbers = {":one": 1, ":most": most, ":expires": expires_at_s}
        return write_if(
            self._client.update_item,
            "upload counter update",
            TableName=self._table,
            Key={"pk": {"S": f"{COUNTER}{name}"}},
            UpdateExpression="ADD #count :one SET expires_at_s = :expires",
            ConditionExpression="attribute_not_exists(#count) OR #count < :most",
            ExpressionAttributeNames={"#count": "count"},
            ExpressionAttributeValues={place: {"N": str(number)} for place, number in numbers.items()},
        )


def _digest(grant: str) -> str:
    return sha256(grant.encode()).hexdigest()[:32]

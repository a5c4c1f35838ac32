"""Verdicts of moderation, which ingest reads from the items that inference writes to the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .clients import translate_errors
from .findings_store import item_name


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict on the upload with ``sha256_of``. ``source_etag`` is the ETag of its master, without quotes."""

    sha256_of: str
    source_etag: str
    flagged: bool


class VerdictTable:
    """Verdicts in ``table``. Every fault raises Unavailable."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key: str) -> Verdict | None:
        """Return the newest verdict on ``key``; None if there is none, as if no model could read the image."""
        with translate_errors(f"verdict on {key}"):
            found = self._client.get_item(
                TableName=self._table,
                Key={"pk": {"S": item_name(key)}},
                ProjectionExpression="sha256_of, source_etag, flagged",
                ConsistentRead=True,
            )
        item = found.get("Item", {})
        if "flagged" not in item or "sha256_of" not in item:
            return None
        return Verdict(item["sha256_of"]["S"], item.get("source_etag", {}).get("S", ""), bool(item["flagged"]["BOOL"]))

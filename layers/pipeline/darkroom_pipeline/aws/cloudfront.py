"""Invalidate paths of a CloudFront distribution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from darkroom.errors import DarkroomError, InvalidPath, TooManyInvalidations

from .clients import error_code, translate_errors

_REFUSED: dict[str, type[DarkroomError]] = {
    "InvalidArgument": InvalidPath,
    "TooManyInvalidationsInProgress": TooManyInvalidations,
}
"""Errors of CreateInvalidation (CloudFront API reference) that have their own class."""

MAX_WILDCARDS = 15
"""CloudFront's maximum of wildcard paths in progress, over all invalidations of a distribution."""


class Distribution:
    """One distribution. Every fault is Unavailable."""

    def __init__(self, client: Any, distribution_id: str) -> None:
        self._client = client
        self._id = distribution_id

    def count_wildcards_in_progress(self) -> int:
        """Count the wildcard paths whose invalidation is in progress."""
        return sum(path.endswith("*") for _, paths in self.list_in_progress() for path in paths)

    def list_in_progress(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the id and the paths of each invalidation in progress."""
        paginator = self._client.get_paginator("list_invalidations")
        pages = iter(paginator.paginate(DistributionId=self._id))
        while True:
            with translate_errors("list invalidations"):
                page = next(pages, None)
                listed = _items(page["InvalidationList"]) if page else []
            current = [one["Id"] for one in listed if one["Status"] == "InProgress"]
            if not current:  # the newest come first, so older pages have none either
                return
            for invalidation_id in current:
                yield str(invalidation_id), self._read_paths(invalidation_id)

    def _read_paths(self, invalidation_id: str) -> list[str]:
        with translate_errors(f"get invalidation {invalidation_id}"):
            answer = self._client.get_invalidation(DistributionId=self._id, Id=invalidation_id)
            return _items(answer["Invalidation"]["InvalidationBatch"]["Paths"])

    def is_complete(self, invalidation_id: str) -> bool:
        """Whether every edge location has completed an invalidation."""
        with translate_errors(f"get invalidation {invalidation_id}"):
            answer = self._client.get_invalidation(DistributionId=self._id, Id=invalidation_id)
            return bool(answer["Invalidation"]["Status"] == "Completed")

    def invalidate(self, paths: Sequence[str], reference: str) -> str:
        """Invalidate ``paths`` and return the invalidation's id.

        Paths start with a slash and are canonical, with encoded keys (``image_keys.encode_key``); a final ``*`` is a
        wildcard. A repeat with the same ``reference`` and paths starts no second invalidation. Raises
        TooManyInvalidations, and InvalidPath if CloudFront refuses a path: then none is invalidated, and the same
        request never succeeds.
        """
        items = [*dict.fromkeys(paths)]
        batch = {"Paths": {"Quantity": len(items), "Items": items}, "CallerReference": reference}
        with translate_errors(f"invalidate {len(items)} paths"):
            try:
                answer = self._client.create_invalidation(DistributionId=self._id, InvalidationBatch=batch)
            except ClientError as error:
                if refused := _REFUSED.get(error_code(error)):
                    raise refused(detail=f"invalidate {', '.join(items)[:500]}: {error!r}") from error
                raise
            return str(answer["Invalidation"]["Id"])


def _items(found: dict[str, Any]) -> list[Any]:
    """Read a list of CloudFront, which has no items if its quantity is 0."""
    return list(found["Items"]) if found["Quantity"] else []

"""Delete many objects or versions of S3, a thousand in a request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import batched
from typing import Any

from botocore.exceptions import ClientError

from darkroom.errors import ObjectChanged, Unavailable

from .clients import error_code, translate_errors

BATCH = 1000
"""S3's maximum of objects in one DeleteObjects."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 forbids, but S3 keys may have."""


CHANGED_CODES = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})
"""Codes of S3 for a condition on the entity tag that failed."""

_MISSING_CODES = frozenset({"404", "NoSuchKey"})


def delete_listed(client: Any, bucket: str, objects: Sequence[dict[str, str]]) -> int:
    """Delete ``objects`` (Key, and VersionId for a version); return how many.

    An object with an ETag is skipped if its entity tag has changed or it is deleted. Raises Unavailable if one was not
    deleted for another reason; others may have been.
    """
    deleted = 0
    alone = [one for one in objects if _NOT_IN_XML.search(one["Key"])]
    together = [one for one in objects if not _NOT_IN_XML.search(one["Key"])]
    for batch in batched(together, BATCH, strict=False):
        with translate_errors(f"delete {len(batch)} objects"):
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": list(batch)})
        conditional = {one["Key"] for one in batch if "ETag" in one}
        errors = answer.get("Errors", [])
        left = [one for one in errors if one["Key"] in conditional and one["Code"] in CHANGED_CODES | _MISSING_CODES]
        gone = len(answer.get("Deleted", []))
        if gone + len(left) != len(batch):
            raise Unavailable(detail=f"delete {len(batch)} objects: {errors[:3]}")
        deleted += gone
    for one in alone:
        with suppress(ObjectChanged):
            deleted += delete_one(client, bucket, **one)
    return deleted


def delete_one(client: Any, bucket: str, ETag: str = "", **one: str) -> bool:  # noqa: N803, as S3 spells it
    """Delete one object (Key, VersionId); return False if it was to have an ``ETag`` and is missing.

    Raises ObjectChanged, and deletes nothing, if it has another entity tag.
    """
    condition = {"IfMatch": ETag} if ETag else {}
    with translate_errors(f"delete {one['Key']!r}"):
        try:
            client.delete_object(Bucket=bucket, **one, **condition)
        except ClientError as error:
            if error_code(error) in CHANGED_CODES:
                raise ObjectChanged(detail=f"delete {one['Key']!r}: {error!r}") from error
            if ETag and error_code(error) in _MISSING_CODES:
                return False
            raise
    return True

"""Deleting many objects or versions of S3, a thousand in a request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import batched
from typing import Any

from ..errors import Unavailable
from .clients import asking

BATCH = 1000
"""S3's limit of one DeleteObjects."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold, but an S3 key can."""


def delete_listed(client: Any, bucket: str, objects: Sequence[dict[str, str]]) -> int:
    """Delete ``objects`` (Key, and VersionId if that version is meant); returns how many.

    Raises Unavailable if one was not deleted; others may have been.
    """
    alone = [one for one in objects if _NOT_IN_XML.search(one["Key"])]
    together = [one for one in objects if not _NOT_IN_XML.search(one["Key"])]
    for batch in batched(together, BATCH, strict=False):
        with asking(f"delete {len(batch)} objects"):
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": list(batch)})
        if len(answer.get("Deleted", [])) != len(batch):
            raise Unavailable(detail=f"delete {len(batch)} objects: {answer.get('Errors', [])[:3]}")
    for one in alone:
        with asking(f"delete {one['Key']!r}"):
            client.delete_object(Bucket=bucket, **one)
    return len(objects)

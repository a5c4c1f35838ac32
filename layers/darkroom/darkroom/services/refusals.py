"""Markers of refused sources: a picture that was damaged or over the limits is not decoded again for every request.

A marker lies among the source's derivatives, so that a purge of the source takes it along, and holds only for the
version of the source and the limits it was made under.
"""

from __future__ import annotations

from dataclasses import asdict

from ..aws.objects import Bucket
from ..errors import Damaged, DarkroomError, OverLimits
from ..key_encoding import encode_key
from ..plan.limits import Limits
from .caching import made_from

MARKED: tuple[type[DarkroomError], ...] = (Damaged, OverLimits)


def marker_key(prefix: str, key: str) -> str:
    """The marker's object key. Its last part is no canonical path, so no derivative can have this name."""
    return f"{prefix}{encode_key(key)}/_/refusal.json"


def read_marker(media: Bucket, name: str) -> dict[str, object]:
    """The marker ``name``, empty if there is none or it cannot be read."""
    import json

    found = media.open(name)
    if found is None:
        return {}
    try:
        document = json.loads(found.read())
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def recorded(marker: dict[str, object], source_etag: str, limits: Limits) -> DarkroomError | None:
    """The refusal that ``marker`` records for this version of the source under these limits."""
    if marker.get("source_etag") != source_etag or marker.get("limits") != asdict(limits):
        return None
    kinds = {kind.code: kind for kind in MARKED}
    kind = kinds.get(str(marker.get("code")))
    return kind(str(marker.get("detail"))) if kind else None


def write_marker(media: Bucket, name: str, error: DarkroomError, source_etag: str, limits: Limits) -> None:
    """Record ``error``; raises Unavailable."""
    import json

    document = {"code": error.code, "detail": error.message, "source_etag": source_etag, "limits": asdict(limits)}
    attributes = {"Content-Type": "application/json", **made_from(source_etag)}
    media.put(name, json.dumps(document).encode(), attributes)

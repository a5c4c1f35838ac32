"""Cache of refusals: sources that are damaged or over the limits are not decoded again for every request.

One marker object per source records refusals of the whole source and of single variants. It is among the source's
derivatives, so that a purge deletes it, and applies to one version of the source and one set of limits. Its size is
bounded: the oldest variants are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...aws.s3_fast import FastBucket
from ...errors import DamagedSource, DarkroomError, ObjectChanged, OverLimits, TooSlow
from ...image_keys import encode_key
from ...plan.limits import Limits
from ..caching import derivative_metadata

CACHED_ERRORS: tuple[type[DarkroomError], ...] = (DamagedSource, OverLimits, TooSlow)

MAX_VARIANTS = 512
"""Maximum of variants in a marker: more than the finite set of 60 presets; signed ones of 300 bytes take 200 kB."""


@dataclass(frozen=True, slots=True)
class RefusalMarker:
    """A marker. ``etag`` is "" if there is none."""

    etag: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)

    def applies_to(self, source_etag: str, limits: Limits) -> bool:
        """Whether it is of this version of the source and these limits."""
        return self.document.get("source_etag") == source_etag and self.document.get("limits") == asdict(limits)

    @property
    def variants(self) -> Mapping[str, Any]:
        """Refusals of single variants by their names, the oldest first."""
        found = self.document.get("variants")
        return found if isinstance(found, dict) else {}


def marker_key(prefix: str, key: str) -> str:
    """Return the marker's object key. Its last part is no canonical path, so no derivative has this name."""
    return f"{prefix}{encode_key(key)}/_/refusal.json"


def read_marker(media: FastBucket, name: str) -> RefusalMarker:
    """Read the marker ``name``; empty if there is none or it is malformed."""
    import json

    found = media.open(name)
    if found is None:
        return RefusalMarker()
    try:
        document = json.loads(found.read())
    except ValueError:
        document = None
    return RefusalMarker(found.etag, document if isinstance(document, dict) else {})


def find_refusal(marker: RefusalMarker, variant: str, source_etag: str, limits: Limits) -> DarkroomError | None:
    """Return the refusal of the source or of ``variant``, a derivative's name, if one is recorded."""
    if not marker.applies_to(source_etag, limits):
        return None
    kinds = {kind.code: kind for kind in CACHED_ERRORS}
    for refusal in (marker.document.get("source"), marker.variants.get(variant)):
        if isinstance(refusal, dict) and (kind := kinds.get(str(refusal.get("code")))):
            return kind(str(refusal.get("detail")))
    return None


def write_marker(
    media: FastBucket,
    name: str,
    marker: RefusalMarker,
    variant: str,
    error: DarkroomError,
    source_etag: str,
    limits: Limits,
) -> None:
    """Add ``error`` to ``marker``, the object ``name``: for the source, or for ``variant`` alone.

    Writes nothing if the marker has changed: the next request for the variant records it. Raises Unavailable.
    """
    import json

    refusal = {"code": error.code, "detail": error.message}
    variants = dict(marker.variants) if marker.applies_to(source_etag, limits) else {}
    document: dict[str, object] = {"source_etag": source_etag, "limits": asdict(limits)}
    if error.applies_to_source:
        document["source"] = refusal
    else:
        variants.pop(variant, None)
        document["variants"] = dict([*variants.items(), (variant, refusal)][-MAX_VARIANTS:])
    attributes = {"Content-Type": "application/json", **derivative_metadata(source_etag)}
    try:
        media.put(name, json.dumps(document).encode(), attributes, marker.etag)
    except ObjectChanged:
        return

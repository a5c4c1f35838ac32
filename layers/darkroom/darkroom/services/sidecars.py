"""Read the findings that images are rendered with: one JSON document per master.

The infer function writes them, by boto3, which a cold start for rendering does not import.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..aws.s3_fast import FastBucket
from ..aws.telemetry import log
from ..image_keys import encode_key

if TYPE_CHECKING:
    from ..findings import Findings


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar: its object key, its ETag ("" if there is none), and its findings."""

    name: str
    etag: str = ""
    findings: Findings | None = None

    def get_findings(self, master_etag: str, *, ours: bool) -> Findings | None:
        """Return the findings if they are of the master with this ETag. ``ours``: without client-supplied findings."""
        from ..findings import CLIENT

        found = self.findings
        if found is None or found.source_etag != master_etag.strip('"'):
            return None
        if not ours:
            return found
        return replace(
            found, found={task: finding for task, finding in found.found.items() if finding.origin != CLIENT}
        )

    def has_changed(self, media: FastBucket) -> bool:
        """Whether another sidecar replaced it; raises Unavailable."""
        return (media.etag(self.name) or "") != self.etag


def read_sidecar(media: FastBucket, generation: str, key: str) -> Sidecar:
    """Read the sidecar of ``generation`` of the image ``key``.

    An invalid document counts as none, so that forced redaction still applies. Raises Unavailable.
    """
    import json

    from ..findings import findings_from_document

    name = f"findings/{generation}/{encode_key(key)}.json"
    found = media.open(name)
    if found is None:
        return Sidecar(name)
    try:
        return Sidecar(name, found.etag, findings_from_document(json.loads(found.read())))
    except (ValueError, AttributeError, TypeError) as error:
        log("ERROR", "sidecar invalid", name=name, detail=repr(error))
        return Sidecar(name, found.etag)

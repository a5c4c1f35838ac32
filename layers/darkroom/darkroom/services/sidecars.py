"""The findings that pictures are made with: a JSON document beside the masters.

:mod:`darkroom.aws.findings_store` writes them. It comes with boto3, without which a render starts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..aws.s3_fast import FastBucket
from ..aws.telemetry import log
from ..key_encoding import encode_key

if TYPE_CHECKING:
    from ..findings import Findings


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar that was read: its object key, its entity tag ("" where there is none), and what it says."""

    name: str
    etag: str = ""
    findings: Findings | None = None

    def get_findings(self, master_etag: str, *, ours: bool) -> Findings | None:
        """The findings, if they are of the master with this entity tag. ``ours``: none that an uploader sent along."""
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
        """Whether another sidecar has taken its place since; raises Unavailable."""
        return (media.etag(self.name) or "") != self.etag


def read_sidecar(media: FastBucket, generation: str, key: str) -> Sidecar:
    """The sidecar of ``generation`` about the picture ``key``.

    One that is no document of findings counts as none, so that what is to be hidden stays so. Raises Unavailable.
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
        log("ERROR", "a sidecar cannot be read", name=name, detail=repr(error))
        return Sidecar(name, found.etag)

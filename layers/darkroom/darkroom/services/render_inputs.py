"""What a picture is made with beside its master, and whether that is still so when the picture has been made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..aws.s3_fast import FastBucket
from ..errors import BadOption
from ..plan.redaction import AlwaysRedact
from .serve.background import BackgroundCall
from .sidecars import Sidecar

if TYPE_CHECKING:
    from ..findings import Findings
    from ..plan.presets import Presets


def read_watermark(media: FastBucket, name: str, presets: Presets) -> bytes:
    """The file of the watermark ``name``; raises BadOption if ``presets`` have none of that name."""
    key = presets.watermarks.get(name)
    found = media.open(key) if key else None
    if found is None:
        raise BadOption(f"wm: there is no watermark {name!r}", option="wm", detail=f"object {key}")
    return found.read()


def trusted_findings(key: str, master_etag: str, sidecar: Sidecar | None, always: AlwaysRedact) -> Findings | None:
    """What is known of the master. Where the deployment hides something, an uploader's word does not count."""
    return sidecar.get_findings(master_etag, ours=bool(always.for_key(key))) if sidecar else None


def inputs_changed(
    source: FastBucket, master_name: str, master_etag: str, media: FastBucket, sidecar: Sidecar | None
) -> bool:
    """Whether the master, or what is known of it, has changed since it was read; raises Unavailable."""
    found = BackgroundCall(lambda: sidecar.has_changed(media)) if sidecar else None
    changed = source.etag(master_name) != master_etag
    return (found.result() if found else False) or changed


def delete_if_unchanged(media: FastBucket, name: str, etag: str) -> None:
    """Delete ``name`` if it still is what was just stored, with this entity tag; raises Unavailable."""
    if media.etag(name) == etag:
        media.delete(name)

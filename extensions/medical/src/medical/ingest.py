"""Ingest uploads: decode, remove patient data and text, store the master, delete the upload.

Logs, object names and error messages have digests of names and UIDs, since a file name may be that of a patient.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from darkroom.errors import DarkroomError, ModelUnavailable, NoInference, ObjectChanged, OverLimits, Unanalysable
from darkroom_pipeline.aws.s3 import ObjectHead, S3Bucket
from darkroom_pipeline.aws.sagemaker import Endpoint

from . import limits
from .header import read_header
from .instance import Instance, Scale, parse_presets
from .masters_bucket import Masters, Stored
from .process import PAGES, decode_upload, overlay_file
from .profile import SOP_CLASS
from .store import QUARANTINE
from .text import cover_masks, cover_pages, needs_search, read_by_endpoint
from .uids import digest_name, replace_uid

PEEK_BYTES = 65_536
"""Of an upload, to find its priority."""

URGENT = "STAT"
STORED = "stored"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an ingest: ``stored``, ``refused``, ``missing``, or the state of an image without pixels.

    ``upload`` is the digest of its name, ``id`` that of its name and content. ``code`` and ``reason`` are those of a
    refusal.
    """

    outcome: str
    upload: str
    study: str = ""
    series: str = ""
    instance: str = ""
    code: str = ""
    reason: str = ""
    pages: int = 0
    covered: int = 0
    id: str = ""
    etag: str = ""

    def to_event(self) -> dict[str, object]:
        """Return the detail of the event. ``id`` is the same whenever an upload is ingested again."""
        return {
            "id": self.id,
            "etag": self.etag,
            "outcome": self.outcome,
            "code": self.code,
            "reason": self.reason,
            "study": self.study,
            "series": self.series,
            "instance": self.instance,
            "pages": self.pages,
            "covered": self.covered,
        }

    def fields(self) -> dict[str, object]:
        """Return what a log line has."""
        names = ("outcome", "upload", "study", "series", "instance", "code", "reason", "pages", "covered")
        return {name: value for name in names if (value := getattr(self, name))}


def _publish_nothing(outcome: Outcome) -> None:
    """Announce nothing."""


@dataclass(frozen=True)
class Ingest:
    """Ingests uploads from the bucket ``uploads`` into ``masters``.

    ``s3`` is a boto3 client for S3, ``key`` returns the key of UIDs. Without an ``endpoint``, images that may have text
    are quarantined. ``publish`` announces an outcome before the upload is deleted; if it raises, the upload is ingested
    again.
    """

    s3: Any
    uploads: str
    masters: Masters
    key: Callable[[], str]
    endpoint: Endpoint | None = None
    publish: Callable[[Outcome], None] = _publish_nothing

    @cached_property
    def _uploads(self) -> S3Bucket:
        return S3Bucket(self.s3, self.uploads)

    def is_urgent(self, name: str) -> bool:
        """Return whether the header of the upload ``name`` has the priority STAT; False if that cannot be read."""
        try:
            found = self.s3.get_object(Bucket=self.uploads, Key=name, Range=f"bytes=0-{PEEK_BYTES - 1}")
            return read_header(bytes(found["Body"].read()), complete=False).priority == URGENT
        except Exception:  # a refusal comes from the ingest itself
            return False

    def ingest(self, name: str) -> Outcome:
        """Ingest the upload ``name``. A refusal is an outcome. Raises what a retry can help against.

        An upload that was replaced meanwhile stays: it has a message of its own.
        """
        digest = digest_name(name, self.key())
        upload = self._uploads.head(name)
        if upload is None:
            return Outcome("missing", digest)
        etag = upload.etag.strip('"')
        outcome = replace(self._try(upload, digest), etag=etag, id=digest_name(f"{name} {etag}", self.key()))
        if outcome.outcome != STORED:
            self._quarantine(upload, outcome)
        self.publish(outcome)
        with suppress(ObjectChanged):
            self._uploads.delete(name, upload.etag)
        return outcome

    def _try(self, upload: ObjectHead, digest: str) -> Outcome:
        try:
            return self._ingest(upload, digest)
        except NoInference as error:
            return Outcome("no-inference", digest, code=error.code, reason=error.message)
        except DarkroomError as error:
            if error.status >= 500 or error.retryable:
                raise
            return Outcome("refused", digest, code=error.code, reason=error.message)

    def _ingest(self, upload: ObjectHead, digest: str) -> Outcome:
        if upload.size_bytes > limits.MAX_FILE_BYTES:
            raise OverLimits(f"The file has {upload.size_bytes:,} bytes; the limit is {limits.MAX_FILE_BYTES:,}")
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            file = folder / "upload.dcm"
            self.s3.download_file(self.uploads, upload.key, str(file))
            found = decode_upload(file, folder)
            file.unlink()
            instance = build_instance(found, self.key())
            replaces = self.masters.find(instance)
            self._check_current(upload)
            if needs_search(found["modality"], found["burned_in"], found["sop_class"]):
                instance = self._remove_text(instance, folder, replaces)
            elif instance.overlays:
                instance = self._remove_text(instance, folder, replaces, only_overlays=True)
            instance = self.masters.store(instance, folder, replaces)
        names = (instance.study, instance.series, instance.instance)
        return Outcome(STORED, digest, *names, pages=instance.pages, covered=instance.covered)

    def _check_current(self, upload: ObjectHead) -> None:
        """Raise ObjectChanged unless what was decoded is ``upload``.

        It follows the search for a stored document: a newer upload that is ingested earlier changes that one.
        """
        current = self._uploads.head(upload.key)
        if current is None or current.etag != upload.etag:
            raise ObjectChanged(detail="the upload was replaced during its ingest")

    def _remove_text(
        self, instance: Instance, folder: Path, replaces: Stored, *, only_overlays: bool = False
    ) -> Instance:
        """Remove text from pages and overlays. If that fails, store the reason in place of the pixels, and raise it.

        Overlays of an image whose pixels are known to have no text are left out where there is no model.
        """
        if self.endpoint is None:
            if only_overlays:
                return replace(instance, overlays=())
            self.masters.store_state(instance, "no-inference", replaces)
            raise NoInference("The image may have text, and this deployment has no model that would find it")
        read = read_by_endpoint(self.endpoint, instance.instance[-32:])
        try:
            covered = 0 if only_overlays else _cover_pages(instance, folder, read)
            with _open_masks(instance, folder) as masks:
                covered += cover_masks(masks, read)
        except ModelUnavailable:
            self.masters.store_state(instance, "pending", replaces)
            raise
        except Unanalysable:
            self.masters.store_state(instance, "unanalysable", replaces)
            raise
        searched = {} if only_overlays else {"00280301": {"vr": "CS", "Value": ["NO"]}}
        return replace(instance, covered=covered, metadata={**instance.metadata, **searched})

    def _quarantine(self, upload: ObjectHead, outcome: Outcome) -> None:
        """Copy the upload to the quarantine, under its digest, beside a document with the reason.

        Raises ObjectChanged if it was replaced meanwhile: the reason is not that of the newer one.
        """
        target = f"{QUARANTINE}{outcome.upload}"
        copied = self._uploads.copy(self._uploads, upload.key, f"{target}.dcm", source_etag=upload.etag)
        if copied is None:
            raise ObjectChanged(detail="the upload was deleted during its ingest")
        body = json.dumps({"code": outcome.code, "reason": outcome.reason}).encode()
        self._uploads.put(f"{target}.json", body, headers={"Content-Type": "application/json"}, metadata={})


def build_instance(found: Mapping[str, Any], key: str) -> Instance:
    """Return the instance of what a decode ``found``, with replaced UIDs."""
    study, series, instance = (replace_uid(uid, key) for uid in found["uids"])
    return Instance(
        study=study,
        series=series,
        instance=instance,
        state="ready",
        width=found["width"],
        height=found["height"],
        pages=found["pages"],
        colour=found["colour"],
        inverted=found["inverted"],
        low=found["low"],
        high=found["high"],
        scales=tuple(Scale(*pair) for pair in found["scales"]),
        presets=parse_presets(found["presets"]),
        overlays=tuple(map(tuple, found["overlays"])),
        metadata={tag: _replace_values(int(tag, 16), element, key) for tag, element in found["metadata"].items()},
    )


def _replace_values(tag: int, element: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    if element["vr"] != "UI" or tag == SOP_CLASS:
        return element
    return {"vr": "UI", "Value": [replace_uid(uid, key) for uid in element["Value"]]}


def _cover_pages(instance: Instance, folder: Path, read: Any) -> int:
    shape: tuple[int, ...] = (instance.pages, instance.height, instance.width)
    kind = np.dtype("u1" if instance.colour else "<u2")
    pages = np.memmap(folder / PAGES, kind, "r+", shape=(*shape, 3) if instance.colour else shape)
    covered = cover_pages(pages, instance.scales, instance.presets, (instance.low, instance.high), read)
    pages.flush()
    return covered


@contextmanager
def _open_masks(instance: Instance, folder: Path) -> Iterator[list[Any]]:
    shape = (instance.height, instance.width)
    files = [overlay_file(folder, number) for number in range(len(instance.overlays))]
    masks = [np.memmap(file, np.uint8, "r+", shape=shape) for file in files]
    yield masks
    for mask in masks:
        mask.flush()

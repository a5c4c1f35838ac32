"""Ingest uploads: decode, remove patient data and text, store the master, delete the upload.

Logs, object names and error messages have digests of names and UIDs, since a file name may be that of a patient.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from darkroom.aws.sagemaker import Endpoint
from darkroom.errors import DarkroomError, ModelUnavailable, NoInference, OverLimits, Unanalysable

from . import limits
from .decode import PAGES
from .header import read_header
from .instance import Instance, Scale, State, parse_presets
from .master import MEDIA_TYPE, write_master, write_overlay
from .process import decode_upload
from .store import QUARANTINE, document_name, instance_prefix, overlay_name
from .text import cover_masks, cover_pages, needs_search, read_by_endpoint
from .uids import digest_name, replace_uid

PEEK_BYTES = 65_536
"""Of an upload, to find its priority."""

URGENT = "STAT"
STORED = "stored"


class Objects(Protocol):
    """Objects of both buckets, as boto3's client of S3 has them."""

    def head_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        """Return the size and other headers."""

    def get_object(self, *, Bucket: str, Key: str, Range: str = "") -> Mapping[str, Any]:  # noqa: N803
        """Return the body."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> object:  # noqa: N803
        """Write an object."""

    def download_file(self, bucket: str, key: str, filename: str) -> None:
        """Read an object into a file."""

    def upload_file(self, filename: str, bucket: str, key: str, ExtraArgs: Mapping[str, str]) -> None:  # noqa: N803
        """Write a file."""

    def copy(self, CopySource: Mapping[str, str], Bucket: str, Key: str) -> None:  # noqa: N803
        """Copy an object of any size."""

    def delete_object(self, *, Bucket: str, Key: str) -> object:  # noqa: N803
        """Delete an object."""

    def list_objects_v2(self, *, Bucket: str, Prefix: str) -> Mapping[str, Any]:  # noqa: N803
        """List objects."""


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

    ``key`` returns the key of UIDs. Without an ``endpoint``, images that may have text are quarantined. ``publish``
    announces an outcome before the upload is deleted; if it raises, the upload is ingested again.
    """

    objects: Objects
    uploads: str
    masters: str
    key: Callable[[], str]
    endpoint: Endpoint | None = None
    publish: Callable[[Outcome], None] = _publish_nothing

    def is_urgent(self, name: str) -> bool:
        """Return whether the header of the upload ``name`` has the priority STAT; False if that cannot be read."""
        try:
            found = self.objects.get_object(Bucket=self.uploads, Key=name, Range=f"bytes=0-{PEEK_BYTES - 1}")
            return read_header(bytes(found["Body"].read()), complete=False).priority == URGENT
        except Exception:  # a refusal comes from the ingest itself
            return False

    def ingest(self, name: str) -> Outcome:
        """Ingest the upload ``name``. A refusal is an outcome. Raises what a retry can help against."""
        digest = digest_name(name, self.key())
        head = self._find(name)
        if head is None:
            return Outcome("missing", digest)
        etag = str(head["ETag"]).strip('"')
        outcome = replace(self._try(name, digest, int(head["ContentLength"])), etag=etag)
        outcome = replace(outcome, id=digest_name(f"{name} {etag}", self.key()))
        if outcome.outcome != STORED:
            self._quarantine(name, outcome)
        self.publish(outcome)
        self.objects.delete_object(Bucket=self.uploads, Key=name)
        return outcome

    def _try(self, name: str, digest: str, size: int) -> Outcome:
        try:
            return self._ingest(name, digest, size)
        except NoInference as error:
            return Outcome("no-inference", digest, code=error.code, reason=error.message)
        except DarkroomError as error:
            if error.status >= 500 or error.retryable:
                raise
            return Outcome("refused", digest, code=error.code, reason=error.message)

    def _find(self, name: str) -> Mapping[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            return self.objects.head_object(Bucket=self.uploads, Key=name)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):
                return None
            raise

    def _ingest(self, name: str, digest: str, size: int) -> Outcome:
        if size > limits.MAX_FILE_BYTES:
            raise OverLimits(f"The file has {size:,} bytes; the limit is {limits.MAX_FILE_BYTES:,}")
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            upload = folder / "upload.dcm"
            self.objects.download_file(self.uploads, name, str(upload))
            found = decode_upload(upload, folder)
            upload.unlink()
            instance = build_instance(found, self.key())
            if needs_search(found["modality"], found["burned_in"]):
                instance = self._remove_text(instance, folder)
            elif instance.overlays:
                instance = self._remove_text(instance, folder, only_overlays=True)
            instance = self._store(instance, folder)
        names = (instance.study, instance.series, instance.instance)
        return Outcome(STORED, digest, *names, pages=instance.pages, covered=instance.covered)

    def _remove_text(self, instance: Instance, folder: Path, *, only_overlays: bool = False) -> Instance:
        """Remove text from pages and overlays. If that fails, store the reason in place of the pixels, and raise it.

        Overlays of an image whose pixels are known to have no text are left out where there is no model.
        """
        if self.endpoint is None:
            if only_overlays:
                return replace(instance, overlays=())
            self._store_state(instance, "no-inference")
            raise NoInference("The image may have text, and this deployment has no model that would find it")
        read = read_by_endpoint(self.endpoint, instance.instance[-32:])
        try:
            covered = 0 if only_overlays else _cover_pages(instance, folder, read)
            with _open_masks(instance, folder) as masks:
                covered += cover_masks(masks, read)
        except ModelUnavailable:
            self._store_state(instance, "pending")
            raise
        except Unanalysable:
            self._store_state(instance, "unanalysable")
            raise
        searched = {} if only_overlays else {"00280301": {"vr": "CS", "Value": ["NO"]}}
        return replace(instance, covered=covered, metadata={**instance.metadata, **searched})

    def _store_state(self, instance: Instance, state: State) -> None:
        """Store an instance without pixels, unless an earlier upload of it has some."""
        prefix = instance_prefix(instance.study, instance.series, instance.instance)
        if not self.objects.list_objects_v2(Bucket=self.masters, Prefix=f"{prefix}master-").get("Contents"):
            self._put_document(replace(instance, state=state, overlays=()))

    def _store(self, instance: Instance, folder: Path) -> Instance:
        """Write master, overlays, and then the document that names them; delete those of an earlier upload."""
        pages, target = folder / PAGES, folder / "master.tif"
        levels = write_master(
            *(pages, target),
            width=instance.width,
            height=instance.height,
            count=instance.pages,
            colour=instance.colour,
        )
        pages.unlink()
        prefix = instance_prefix(instance.study, instance.series, instance.instance)
        with target.open("rb") as file:
            master = f"{prefix}master-{hashlib.file_digest(file, 'sha256').hexdigest()[:32]}.tif"
        self.objects.upload_file(str(target), self.masters, master, {"ContentType": MEDIA_TYPE})
        kept = {master, document_name(instance.study, instance.series, instance.instance)}
        for number in range(len(instance.overlays)):
            overlay = overlay_name(master, number)
            body = write_overlay(folder / f"overlay-{number}.raw", instance.width, instance.height)
            self.objects.put_object(Bucket=self.masters, Key=overlay, Body=body, ContentType="image/png")
            kept.add(overlay)
        stored = replace(instance, state="ready", levels=levels, master=master)
        self._put_document(stored)
        for one in self.objects.list_objects_v2(Bucket=self.masters, Prefix=prefix).get("Contents", ()):
            if one["Key"] not in kept:
                self.objects.delete_object(Bucket=self.masters, Key=one["Key"])
        return stored

    def _put_document(self, instance: Instance) -> None:
        name = document_name(instance.study, instance.series, instance.instance)
        body = instance.to_json()
        self.objects.put_object(Bucket=self.masters, Key=name, Body=body, ContentType="application/json")

    def _quarantine(self, name: str, outcome: Outcome) -> None:
        """Copy the upload to the quarantine, under its digest, beside a document with the reason."""
        target = f"{QUARANTINE}{outcome.upload}"
        body = json.dumps({"code": outcome.code, "reason": outcome.reason}).encode()
        self.objects.copy({"Bucket": self.uploads, "Key": name}, self.uploads, f"{target}.dcm")
        self.objects.put_object(Bucket=self.uploads, Key=f"{target}.json", Body=body, ContentType="application/json")


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
        metadata={tag: _replace_values(element, key) for tag, element in found["metadata"].items()},
    )


def _replace_values(element: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    if element["vr"] != "UI":
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
    files = [folder / f"overlay-{number}.raw" for number in range(len(instance.overlays))]
    masks = [np.memmap(file, np.uint8, "r+", shape=shape) for file in files]
    yield masks
    for mask in masks:
        mask.flush()

"""Looking at an upload before anything is done about it: type, limits, checksums, every pixel."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from ...aws.checksums import ChecksumSet, compute_checksums
from ...aws.presigned_post import DECLARED_SHA256
from ...aws.s3 import ObjectHead, S3Bucket
from ...aws.scanner import Scanner
from ...aws.telemetry import Observer
from ...errors import ChecksumMismatch, InfectedUpload, OverLimits, TypeNotAllowed, Unavailable
from ...imaging.formats.probe import Header, probe
from ...imaging.formats.sniff import sniff
from ...imaging.master import Master, make_master
from ...imaging.render.render_many import BatchRender, decode_once
from ...imaging.rendered_image import RenderedImage
from ...imaging.source import HEAD_BYTES, Source
from ...plan.keys import check_key
from ...plan.limits import Limits
from ...plan.model import Plan
from ..deadline import INGEST, CpuLimit, Deadline


class Series(Protocol):
    """Pictures that are rendered when they are requested."""

    def render_all(self) -> Iterator[tuple[Plan, RenderedImage]]: ...


_CHUNK_BYTES = 1024 * 1024
_MAX_HASHED_BYTES = 1024**3
"""Largest refused upload whose hash is worth its download: what max_source_bytes may be at most. Of what may be a scene
it is needed."""

NO_FORMAT = "unknown"
"""What is none of the types that are let in, or was never looked into."""


@dataclass(frozen=True, slots=True)
class FetchedUpload:
    """An upload that has been fetched. ``data`` is None where it is over the limit of bytes, ``head`` its beginning.

    ``sums`` are then the checksums that it has to be compared with, as its bytes have them.
    """

    head: ObjectHead
    data: bytes | None
    sha256: str
    first_bytes: bytes = b""
    checksums: Mapping[str, str] = field(default_factory=dict)


def fetch_upload(uploads: S3Bucket, key: str, limits: Limits) -> FetchedUpload | None:
    """The current version of ``key``, None if there is none; raises Unavailable."""
    opened = uploads.open(key)
    if opened is None:
        return None
    kept, stream = opened
    try:
        if kept.size_bytes > max(_MAX_HASHED_BYTES, limits.max_scene_bytes):
            return FetchedUpload(kept, None, "")
        large = kept.size_bytes > limits.max_bytes
        digest, pieces, head = ChecksumSet({"sha256", *(_given(kept) if large else ())}), list[bytes](), b""
        while piece := stream.read(_CHUNK_BYTES):
            digest.update(piece)
            head = head or piece[:HEAD_BYTES]
            if not large:
                pieces.append(piece)
    finally:
        stream.close()
    sums = digest.finish()
    name = b64decode(sums["sha256"]).hex()
    if large:
        return FetchedUpload(kept, None, name, head, sums)
    data = b"".join(pieces)
    if len(data) != kept.size_bytes:
        raise Unavailable(detail=f"{key}: {len(data)} of {kept.size_bytes} bytes arrived")
    return FetchedUpload(kept, data, name, head)


def detect_format(upload: FetchedUpload) -> str:
    """The type of what may have been refused: one of ``SOURCE_FORMATS``, or :data:`NO_FORMAT`."""
    try:
        return sniff(upload.first_bytes)
    except TypeNotAllowed:
        return NO_FORMAT


@dataclass(frozen=True)
class UploadExaminer:
    """What uploads are held to. ``scanner`` None: none looks for viruses. ``cpu_limit`` is that of one upload."""

    limits: Limits
    observer: Observer
    scanner: Scanner | None = None
    cpu_limit: CpuLimit = INGEST

    def read_header(self, key: str, upload: FetchedUpload) -> tuple[Header, bytes]:
        """The header and the bytes of ``upload``, after everything that can be said without decoding it.

        Raises BadKey, OverLimits, TypeNotAllowed, Damaged, ChecksumMismatch.
        """
        check_key(key)
        if upload.data is None:
            size_bytes = upload.head.size_bytes
            raise OverLimits(f"The source has {size_bytes:,} bytes; the limit is {self.limits.max_bytes:,}")
        with self.observer.step("sniff"):
            sniff(upload.first_bytes)
        with self.observer.step("limits"):
            header = probe(Source.from_bytes(upload.data), self.limits)
        with self.observer.step("checksum"):
            check_checksums(upload)
        return header, upload.data

    def scan(self, data: bytes) -> None:
        """Raise Infected if the scanner knows something in ``data``, Unavailable if it does not answer."""
        if self.scanner is None:
            return
        with self.observer.step("scan"):
            found = self.scanner.scan(data)
        if found:
            raise InfectedUpload(detail=found)

    def decode(
        self, data: bytes, plans: Sequence[Plan], watermarks: Mapping[str, bytes], deadline: Deadline | None = None
    ) -> BatchRender:
        """Every pixel of ``data``, decoded once; raises Damaged, TooSlow."""
        with self.observer.step("decode"):
            return (deadline or Deadline(self.cpu_limit)).run(
                partial(decode_once, Source.from_bytes(data), plans, limits=self.limits, watermarks=watermarks)
            )

    def make_master(self, data: bytes, header: Header, deadline: Deadline) -> Master:
        """The master of ``data``, which has been decoded; raises what :func:`make_master` does, and TooSlow."""
        with self.observer.step("clean"):
            return deadline.run(partial(make_master, data, header, limits=self.limits))

    def render(self, series: Series, deadline: Deadline | None = None) -> list[tuple[Plan, RenderedImage]]:
        """All pictures of ``series``; raises what rendering one does, and TooSlow."""
        with self.observer.step("render"):
            return (deadline or Deadline(self.cpu_limit)).run(lambda: list(series.render_all()))


def _declared(kept: ObjectHead) -> dict[str, str]:
    """The checksum that an upload's form was asked for with, where the store did not check it."""
    return {"sha256": kept.metadata[DECLARED_SHA256]} if DECLARED_SHA256 in kept.metadata else {}


def _given(kept: ObjectHead) -> dict[str, str]:
    """All checksums that an upload is to have."""
    return {**_declared(kept), **kept.checksums}


def check_checksums(upload: FetchedUpload) -> None:
    """Raise ChecksumMismatch unless every checksum agrees."""
    given = _given(upload.head)
    ours = upload.checksums if upload.data is None else compute_checksums(upload.data, given)
    wrong = sorted(name for name in given if ours[name] != given[name])
    if wrong:
        raise ChecksumMismatch(f"The upload does not match its {', '.join(wrong)} checksum", detail=repr((given, ours)))

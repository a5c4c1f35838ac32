"""Validate an upload: type, limits, checksums, malware, and every pixel."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from darkroom.aws.telemetry import Observer
from darkroom.errors import ChecksumMismatch, InfectedUpload, OverLimits, TypeNotAllowed, Unavailable
from darkroom.image_keys import check_key
from darkroom.imaging.describe import ImageSummary
from darkroom.imaging.formats.metadata.rights import Rights
from darkroom.imaging.formats.probe import Header, probe, sniff
from darkroom.imaging.render.output import MezzanineOf, RenderedImage
from darkroom.imaging.source import HEAD_BYTES, Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import DEFAULT_QUALITY, SOURCE_FORMATS, DefaultQuality, Plan
from darkroom.services.deadline import INGEST, CpuLimit, Deadline

from ...aws.checksums import ChecksumSet, compute_checksums
from ...aws.s3 import ObjectHead, S3Bucket
from ...aws.s3_objects import DECLARED_SHA256, PRIORITY, URGENT
from ...imaging.master import Master, make_master
from ...imaging.render_many import BatchRender, decode_once

if TYPE_CHECKING:
    from ...aws.scanner import Scanner

type Rendition = tuple[Plan | MezzanineOf, RenderedImage]
"""A preset or a mezzanine."""


class ImageSource(Protocol):
    """Images that are rendered when they are requested."""

    def render_all(self) -> Iterator[Rendition]: ...


class UploadConverter(Protocol):
    """Converts uploads of formats that are not decoded here (:mod:`darkroom_pipeline.conversion`)."""

    def detect_format(self, first_bytes: bytes) -> str:
        """Return the name of the format if it is converted, else an empty text."""

    def read_header(self, data: bytes, limits: Limits) -> Header | None:
        """Return the header of an upload that is converted, None for others; raises what :func:`probe` does."""

    def convert(self, data: bytes, header: Header, limits: Limits) -> bytes:
        """Return ``data`` as a file of a format that is decoded here; raises what decoding does."""


_CHUNK_BYTES = 1024 * 1024
_MAX_HASHED_BYTES = 1024**3
"""Largest refused upload that is downloaded for its hash: the highest value of max_source_bytes. A possible large image
is always hashed."""

NO_FORMAT = "unknown"
"""Format of an upload that is of no accepted type, or whose bytes were not read."""


@dataclass(frozen=True, slots=True)
class FetchedUpload:
    """A downloaded upload. ``data`` is None above the limit of bytes; ``first_bytes`` is its beginning.

    ``checksums`` are then those of its bytes, by each algorithm that it must be compared with.
    """

    head: ObjectHead
    data: bytes | None
    sha256: str
    first_bytes: bytes = b""
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_urgent(self) -> bool:
        """Whether it was uploaded with an urgent token."""
        return self.head.metadata.get(PRIORITY) == URGENT


def fetch_upload(uploads: S3Bucket, key: str, limits: Limits) -> FetchedUpload | None:
    """Download the current version of ``key``; return None if there is none. Raises Unavailable."""
    opened = uploads.open(key)
    if opened is None:
        return None
    head, stream = opened
    try:
        if head.size_bytes > max(_MAX_HASHED_BYTES, limits.max_scene_bytes):
            return FetchedUpload(head, None, "")
        large = head.size_bytes > limits.max_bytes
        digest, pieces, first_bytes = ChecksumSet({"sha256", *(_expected(head) if large else ())}), list[bytes](), b""
        while piece := stream.read(_CHUNK_BYTES):
            digest.update(piece)
            first_bytes = first_bytes or piece[:HEAD_BYTES]
            if not large:
                pieces.append(piece)
    finally:
        stream.close()
    checksums = digest.finish()
    sha256 = b64decode(checksums["sha256"]).hex()
    if large:
        return FetchedUpload(head, None, sha256, first_bytes, checksums)
    data = b"".join(pieces)
    if len(data) != head.size_bytes:
        raise Unavailable(detail=f"{key}: {len(data)} of {head.size_bytes} bytes arrived")
    return FetchedUpload(head, data, sha256, first_bytes)


def detect_format(upload: FetchedUpload) -> str:
    """Return the format of an upload that may have been refused: one of ``SOURCE_FORMATS``, or :data:`NO_FORMAT`."""
    try:
        return sniff(upload.first_bytes)
    except TypeNotAllowed:
        return NO_FORMAT


@dataclass(frozen=True)
class UploadExaminer:
    """Checks of uploads. Without a ``scanner``, nothing is scanned. ``cpu_limit`` applies to one upload.

    ``converter``: formats that are converted first; without it they are refused. ``default_quality`` is that of presets
    without one.
    """

    limits: Limits
    observer: Observer
    scanner: Scanner | None = None
    cpu_limit: CpuLimit = INGEST
    converter: UploadConverter | None = None
    default_quality: DefaultQuality = DEFAULT_QUALITY

    def read_header(self, key: str, upload: FetchedUpload) -> tuple[Header, bytes]:
        """Return the header and the bytes of ``upload``, after all checks short of decoding.

        Raises BadKey, OverLimits, TypeNotAllowed, Damaged, ChecksumMismatch.
        """
        check_key(key)
        if upload.data is None:
            size_bytes = upload.head.size_bytes
            raise OverLimits(f"The source has {size_bytes:,} bytes; the limit is {self.limits.max_bytes:,}")
        header = self.converter.read_header(upload.data, self.limits) if self.converter else None
        if header is None:
            with self.observer.step("sniff"):
                sniff(upload.first_bytes)
            with self.observer.step("limits"):
                header = probe(Source.from_bytes(upload.data), self.limits)
        with self.observer.step("checksum"):
            check_checksums(upload)
        return header, upload.data

    def detect_converted_format(self, upload: FetchedUpload) -> str:
        """Return the name of the format if ``upload`` is to be converted, else an empty text."""
        return self.converter.detect_format(upload.first_bytes) if self.converter else ""

    def convert(self, data: bytes, header: Header, deadline: Deadline) -> tuple[bytes, Header]:
        """Return ``data`` in a format that is decoded here, with its header; raises what decoding does, OverLimits."""
        if self.converter is None or header.format in SOURCE_FORMATS:
            return data, header
        with self.observer.step("convert"):
            converted = deadline.run(partial(self.converter.convert, data, header, self.limits))
        return converted, probe(Source.from_bytes(converted), self.limits)

    def scan(self, data: bytes) -> None:
        """Raise InfectedUpload if the scanner finds malware in ``data``, Unavailable if it does not answer."""
        if self.scanner is None:
            return
        with self.observer.step("scan"):
            found = self.scanner.scan(data)
        if found:
            raise InfectedUpload(detail=found)

    def decode(
        self,
        data: bytes,
        plans: Sequence[Plan],
        watermarks: Mapping[str, bytes],
        deadline: Deadline | None = None,
        *,
        mezzanines: bool = False,
        rights: str = "",
    ) -> BatchRender:
        """Decode every pixel of ``data`` once, for all ``plans`` and mezzanines; raises DamagedSource, TooSlow."""
        source = Source.from_bytes(data)
        with self.observer.step("decode"):
            return (deadline or Deadline(self.cpu_limit)).run(
                partial(
                    decode_once,
                    source,
                    plans,
                    limits=self.limits,
                    watermarks=watermarks,
                    mezzanines=mezzanines,
                    rights=rights,
                    default_quality=self.default_quality,
                )
            )

    def make_master(self, data: bytes, header: Header, deadline: Deadline) -> Master:
        """Make the master of decoded ``data``; raises what :func:`make_master` does, and TooSlow."""
        with self.observer.step("clean"):
            return deadline.run(partial(make_master, data, header, limits=self.limits))

    def render(self, source: ImageSource, deadline: Deadline | None = None) -> list[Rendition]:
        """Render all images of ``source``; raises what rendering one does, and TooSlow."""
        with self.observer.step("render"):
            return (deadline or Deadline(self.cpu_limit)).run(lambda: list(source.render_all()))


def _declared(head: ObjectHead) -> dict[str, str]:
    """Return the checksum that the presigned POST was requested with: not every S3-compatible store checks it."""
    return {"sha256": head.metadata[DECLARED_SHA256]} if DECLARED_SHA256 in head.metadata else {}


def _expected(head: ObjectHead) -> dict[str, str]:
    """Return all checksums that an upload must have."""
    return {**_declared(head), **head.checksums}


def check_checksums(upload: FetchedUpload) -> None:
    """Raise ChecksumMismatch unless every checksum agrees."""
    expected = _expected(upload.head)
    actual = upload.checksums if upload.data is None else compute_checksums(upload.data, expected)
    wrong = sorted(name for name in expected if actual[name] != expected[name])
    if wrong:
        detail = repr((expected, actual))
        raise ChecksumMismatch(f"The upload does not match its {', '.join(wrong)} checksum", detail=detail)


class Description(NamedTuple):
    """The documents about an image in the index, and the manifest of its Content Credentials."""

    facts: Mapping[str, Any]
    provenance: Mapping[str, Any]
    manifest: bytes = b""

    @property
    def rights(self) -> str:
        """The text of the rights for the metadata of the master."""
        return Rights.from_provenance(self.provenance).text


def describe_pixels(pixels: ImageSummary) -> dict[str, Any]:
    """Return the facts that need pixels."""
    return {"thumbhash": pixels.thumbhash, "dominant": pixels.dominant, "perceptual_hash": pixels.perceptual_hash}


def keeps_gain_map(header: Header, master: Master) -> bool:
    """Return whether an upload that announces a gain map has a usable one in its ``master``."""
    from darkroom.imaging.formats.jpeg.ultrahdr import read_gain_map  # few uploads have one

    return header.gain_map and read_gain_map(master.body) is not None


def describe_header(header: Header, size_bytes: int) -> dict[str, Any]:
    """Return the facts that the header has. Sizes are in pixels, upright."""
    return {
        "format": header.format,
        "width": header.upright_width,
        "height": header.upright_height,
        "frames": header.frames,
        "size_bytes": size_bytes,
        "colour": header.colour,
        "bits": header.bits,
        "has_alpha": header.has_alpha,
        "gain_map": header.gain_map,
    }

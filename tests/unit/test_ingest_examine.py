"""Fetch an upload: bytes that are read, hashed and kept in memory, by size."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from dataclasses import replace
from typing import Any

import pytest

from darkroom.errors import ChecksumMismatch, InfectedUpload, OverLimits, Unavailable
from darkroom.imaging.formats.image_format import Header
from darkroom.plan.limits import Limits
from darkroom.services.deadline import INGEST, Deadline
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import ObjectHead
from darkroom_pipeline.aws.s3_objects import DECLARED_SHA256
from darkroom_pipeline.services.ingest.examine import (
    NO_FORMAT,
    FetchedUpload,
    UploadExaminer,
    check_checksums,
    detect_format,
    fetch_upload,
)
from tests.images.photographs import png_noise

from .ingest_stores import KEY, NOW_S

LARGEST_HASHED = 1_073_741_824
"""1 GiB: the most that the parameter MaxSourceBytes of the template allows."""

CHUNK_BYTES = 1_048_576
HEAD_BYTES = 65_536


class Stream(io.BytesIO):
    """Records the sizes of its reads; ``closed`` states whether it was closed."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[int | None] = []

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads.append(size)
        return super().read(size)


class Uploads:
    """A bucket with one upload, whose size is that of its S3 metadata."""

    def __init__(self, data: bytes, size_bytes: int | None = None, checksums: Any = None, metadata: Any = None) -> None:
        self.stream = Stream(data)
        size = len(data) if size_bytes is None else size_bytes
        self.kept = ObjectHead(KEY, '"e"', size, "v1", NOW_S, {}, metadata or {}, checksums or {})

    def open(self, key: str) -> tuple[ObjectHead, Stream] | None:
        return (self.kept, self.stream) if key == KEY else None


def fetch_from(uploads: Uploads, **limits: int) -> FetchedUpload:
    anything: Any = uploads
    upload = fetch_upload(anything, KEY, Limits(**limits))
    assert upload is not None
    assert uploads.stream.closed
    return upload


def test_a_missing_upload_is_none() -> None:
    anything: Any = Uploads(b"")
    assert fetch_upload(anything, "missing.jpg", Limits()) is None


@pytest.mark.parametrize(
    ("size_bytes", "max_scene_bytes", "hashed"),
    [
        (LARGEST_HASHED, 1000, True),
        (LARGEST_HASHED + 1, 1000, False),
        (LARGEST_HASHED + 1, LARGEST_HASHED + 1, True),
        (LARGEST_HASHED + 2, LARGEST_HASHED + 1, False),
        (5000, 1000, True),
    ],
)
def test_an_upload_is_hashed_up_to_1_gib_or_the_size_of_a_large_image(
    size_bytes: int, max_scene_bytes: int, hashed: bool
) -> None:
    uploads = Uploads(b"beginning", size_bytes)
    upload = fetch_from(uploads, max_bytes=1000, max_scene_bytes=max_scene_bytes)
    assert upload.data is None
    assert bool(uploads.stream.reads) is hashed
    assert upload.sha256 == (hashlib.sha256(b"beginning").hexdigest() if hashed else "")
    assert upload.first_bytes == (b"beginning" if hashed else b"")


@pytest.mark.parametrize(("size_bytes", "kept"), [(999, True), (1000, True), (1001, False)])
def test_an_upload_is_kept_in_memory_up_to_the_limit(size_bytes: int, kept: bool) -> None:
    data = bytes(range(200)) * 5 + b"x"
    upload = fetch_from(Uploads(data[:size_bytes]), max_bytes=1000)
    assert upload.data == (data[:size_bytes] if kept else None)
    assert upload.sha256 == hashlib.sha256(data[:size_bytes]).hexdigest()
    assert (upload.checksums == {}) is kept


@pytest.mark.parametrize("large", [False, True])
def test_an_upload_is_read_by_the_mebibyte(large: bool) -> None:
    """Of one over the limit, no more is in memory at once."""
    data = bytes(range(256)) * 8192 + b"the end"
    uploads = Uploads(data)
    upload = fetch_from(uploads, max_bytes=1000 if large else len(data))
    assert uploads.stream.reads == [CHUNK_BYTES] * 4
    assert upload.first_bytes == data[:HEAD_BYTES]
    assert upload.data == (None if large else data)
    assert upload.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("stated", [8, 10])
def test_an_upload_of_another_size_than_stated_is_fetched_again(stated: int) -> None:
    uploads = Uploads(b"nine byte", stated)
    with pytest.raises(Unavailable) as raised:
        fetch_from(uploads)
    assert f"9 of {stated} bytes" in raised.value.detail
    assert uploads.stream.closed


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("wrong", ["", "crc32", "declared", "sha256"])
@pytest.mark.parametrize("other", ["++++", "zzzz"], ids=["below", "above"])
def test_each_checksum_of_an_upload_is_compared(large: bool, wrong: str, other: str) -> None:
    data = b"the bytes"
    right = base64.b64encode(hashlib.sha256(data).digest()).decode()
    crc32 = base64.b64encode(zlib.crc32(data).to_bytes(4)).decode()
    checksums = {"crc32": other if wrong == "crc32" else crc32}
    metadata = {}
    if wrong == "sha256":
        checksums["sha256"] = other
    if wrong == "declared":
        metadata[DECLARED_SHA256] = other
    if not wrong:
        metadata[DECLARED_SHA256] = right
    upload = fetch_from(Uploads(data, None, checksums, metadata), max_bytes=1 if large else 100)
    if not wrong:
        check_checksums(upload)
        return
    with pytest.raises(ChecksumMismatch, match=wrong if wrong == "crc32" else "sha256"):
        check_checksums(upload)


def test_only_checksums_that_are_given_are_calculated() -> None:
    upload = fetch_from(Uploads(b"the bytes"), max_bytes=1)
    assert upload.checksums.keys() == {"sha256"}
    check_checksums(upload)


def test_what_is_no_image_has_no_format() -> None:
    kept = Uploads(b"").kept
    assert detect_format(FetchedUpload(kept, None, "", b"no image at all")) == NO_FORMAT
    assert detect_format(FetchedUpload(kept, None, "", b"\xff\xd8\xff\xe0 and so on")) == "jpeg"


class Scanner:
    """A scanner that finds ``found`` in everything."""

    def __init__(self, found: str) -> None:
        self.found = found
        self.scanned: list[bytes] = []

    def scan(self, data: bytes) -> str:
        self.scanned.append(data)
        return self.found


def build_examiner(scanner: Scanner | None = None, **limits: int) -> UploadExaminer:
    return UploadExaminer(Limits(**limits), PowertoolsObserver("ingest"), scanner)


def test_a_scanner_refuses_what_it_finds() -> None:
    clean, infected = Scanner(""), Scanner("Eicar-Signature")
    build_examiner(clean).scan(b"data")
    with pytest.raises(InfectedUpload) as raised:
        build_examiner(infected).scan(b"data")
    assert raised.value.detail == "Eicar-Signature"
    assert clean.scanned == infected.scanned == [b"data"]
    build_examiner().scan(b"data")


class Converter:
    """A converter of BMP to PNG; ``converted`` are the uploads that it got."""

    def __init__(self) -> None:
        self.converted: list[bytes] = []

    def convert(self, data: bytes, header: Header, limits: Limits) -> bytes:
        self.converted.append(data)
        return png_noise(header.width, header.height)


@pytest.mark.parametrize(("form", "is_converted"), [("bmp", True), ("png", False)])
def test_only_a_format_that_is_not_decoded_here_is_converted(form: str, is_converted: bool) -> None:
    anything: Any = Converter()
    examiner, header = replace(build_examiner(), converter=anything), Header(form, 5, 4)
    data, found = examiner.convert(b"upload", header, Deadline(INGEST))
    assert anything.converted == ([b"upload"] if is_converted else [])
    assert data == (png_noise(5, 4) if is_converted else b"upload")
    assert (found.format, found.width, found.height) == ("png", 5, 4)
    assert build_examiner().convert(b"upload", header, Deadline(INGEST)) == (b"upload", header)


def test_an_upload_that_was_not_kept_in_memory_is_over_the_limits() -> None:
    upload = FetchedUpload(Uploads(b"", 12_345).kept, None, "")
    with pytest.raises(OverLimits, match="12,345 bytes; the limit is 1,000"):
        build_examiner(max_bytes=1000).read_header(KEY, upload)

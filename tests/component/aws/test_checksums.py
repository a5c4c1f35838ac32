"""Checksums: the published check values, the definition of a CRC, and what S3 keeps."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_pipeline.aws.checksums import ALGORITHMS, ChecksumSet, compute_checksums
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.s3_objects import CHECKSUMS

CHECK_VALUES = {
    "crc32": "cbf43926",
    "crc32c": "e3069283",
    "crc64nvme": "ae8b14860a799888",
    "md5": "25f9e794323b453885f5181f1b624d0b",
    "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
}
"""Of the bytes ``123456789``. Source: Catalogue of parametrised CRC algorithms; RFC 1321 and 3174 algorithms."""

XXHASHES = {
    "xxhash64": "c500b0c912b376d8",
    "xxhash3": "b6acb9d84a38ff74",
    "xxhash128": "7351f89812f97382b91d05b31e04dd7f",
}
"""Checksums of ``Hello world``, in the byte order of AWS's aws-checksums library, from its tests."""

REFLECTED = {"crc32": (32, 0xEDB88320), "crc32c": (32, 0x82F63B78), "crc64nvme": (64, 0x9A6C9329AC4BC9B5)}
"""Width and reflected polynomial; all three start from ones and end inverted."""

DATA = bytes(range(256)) * 40


def hexadecimal(name: str, data: bytes) -> str:
    return base64.b64decode(compute_checksums(data, [name])[name]).hex()


def bit_by_bit(data: bytes, width: int, polynomial: int) -> str:
    ones = (1 << width) - 1
    register = ones
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (polynomial if register & 1 else 0)
    return f"{register ^ ones:0{width // 4}x}"


@pytest.mark.parametrize("name", CHECK_VALUES)
def test_the_check_value_is_the_published_one(name: str) -> None:
    assert hexadecimal(name, b"123456789") == CHECK_VALUES[name]


@pytest.mark.parametrize("name", XXHASHES)
def test_an_xxhash_has_its_bytes_in_the_order_of_aws(name: str) -> None:
    assert hexadecimal(name, b"Hello world") == XXHASHES[name]


@pytest.mark.slow
@given(data=st.binary(max_size=300), name=st.sampled_from(sorted(REFLECTED)))
def test_a_crc_follows_its_definition(data: bytes, name: str) -> None:
    assert hexadecimal(name, data) == bit_by_bit(data, *REFLECTED[name])


@pytest.mark.slow
@given(data=st.binary(max_size=300), name=st.sampled_from(["sha1", "sha256", "sha512", "md5"]))
def test_a_hash_is_hashlibs(data: bytes, name: str) -> None:
    assert hexadecimal(name, data) == hashlib.new(name, data).hexdigest()


@given(data=st.binary(max_size=300), cut=st.integers(0, 300), name=st.sampled_from(sorted(ALGORITHMS)))
def test_bytes_may_come_piece_by_piece(data: bytes, cut: int, name: str) -> None:
    begun = ChecksumSet([name])
    for piece in (data[:cut], data[cut:]):
        begun.update(piece)
    assert begun.finish() == compute_checksums(data, [name])


def test_every_checksum_of_s3_is_read_and_can_be_made(s3: Any) -> None:
    assert set(CHECKSUMS) == set(ALGORITHMS)
    known = s3.meta.service_model.shape_for("ChecksumAlgorithm").enum
    assert {name.upper() for name in ALGORITHMS} == set(known)
    assert compute_checksums(b"", []) == {}


@pytest.mark.parametrize("name", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
def test_what_s3_keeps_is_what_we_make(s3: Any, vault: S3Bucket, name: str) -> None:
    ours = compute_checksums(DATA, [name])
    s3.put_object(Bucket=vault.bucket, Key="a", Body=DATA, **{CHECKSUMS[name]: ours[name]})
    kept = vault.head("a")
    assert kept
    assert kept.checksums == ours
    opened = vault.open("a")
    assert opened
    with opened.body:
        assert opened.head.checksums == ours


@pytest.mark.parametrize("name", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
def test_s3_refuses_what_is_not_the_checksum(s3: Any, vault: S3Bucket, name: str) -> None:
    with pytest.raises(s3.exceptions.ClientError):
        s3.put_object(
            Bucket=vault.bucket, Key="a", Body=DATA, **{CHECKSUMS[name]: compute_checksums(b"other", [name])[name]}
        )


def test_a_checksum_of_parts_is_left_out(s3: Any, vault: S3Bucket) -> None:
    place = {"Bucket": vault.bucket, "Key": "a"}
    upload = s3.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")["UploadId"]
    part = s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=DATA, ChecksumAlgorithm="SHA256")
    parts = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}]
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
    raw = s3.head_object(**place, ChecksumMode="ENABLED")
    kept = vault.head("a")
    assert raw["ChecksumSHA256"].endswith("-1")
    assert kept
    assert kept.checksums == {}


def test_a_wrong_checksum_does_not_fail_the_read() -> None:
    """To compare is ours, so that it is a refusal and not a fault."""
    from darkroom_pipeline.aws import clients

    from .faulty import Reply, answering

    headers = {
        "ETag": '"e"',
        "Last-Modified": "Wed, 25 Nov 2026 00:00:00 GMT",
        "x-amz-checksum-crc32": compute_checksums(b"other", ["crc32"])["crc32"],
        "x-amz-checksum-type": "FULL_OBJECT",
    }
    with answering(Reply(200, DATA, headers)) as faulty:
        opened = S3Bucket(clients.create_client("s3", faulty.environment), "bucket").open("a")
        assert opened
        assert opened.body.read() == DATA
        assert opened.head.checksums == compute_checksums(b"other", ["crc32"])

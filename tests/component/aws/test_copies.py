"""Copies inside S3, against MiniStack."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from darkroom.errors import ObjectChanged
from darkroom_pipeline.aws import s3 as module
from darkroom_pipeline.aws.s3 import S3Bucket

from .stored import HEADERS, METADATA, keys, opened_body, put


def test_a_copy_keeps_headers_and_metadata(vault: S3Bucket, versioned: S3Bucket) -> None:
    etag = put(versioned, "a", headers=HEADERS, metadata=METADATA)
    assert vault.copy(versioned, "a", "b", source_etag=etag) == etag
    copied = vault.head("b")
    assert copied
    assert (copied.headers, copied.metadata) == (HEADERS, METADATA)


def test_a_copy_replaces_what_is_given(vault: S3Bucket) -> None:
    put(vault, "a", headers=HEADERS, metadata=METADATA)
    vault.copy(vault, "a", "b", headers={"Content-Type": "image/png"}, metadata={"code": "damaged"})
    vault.copy(vault, "a", "c", metadata={})
    vault.copy(vault, "a", "d", headers={"Content-Type": "image/png"})
    replaced, bare, retyped = vault.head("b"), vault.head("c"), vault.head("d")
    assert replaced
    assert bare
    assert retyped
    assert (replaced.headers, replaced.metadata) == ({"Content-Type": "image/png"}, {"code": "damaged"})
    assert (bare.headers, bare.metadata) == (HEADERS, {})
    assert (retyped.headers, retyped.metadata) == ({"Content-Type": "image/png"}, METADATA)


def test_an_object_may_be_copied_onto_itself(vault: S3Bucket) -> None:
    etag = put(vault, "a", metadata=METADATA)
    assert vault.copy(vault, "a", "a", metadata={"new": "1"}) == etag
    kept = vault.head("a")
    assert kept
    assert kept.metadata == {"new": "1"}


def test_a_source_that_has_changed_is_not_copied(vault: S3Bucket) -> None:
    etag = put(vault, "a", b"1")
    put(vault, "a", b"2")
    with pytest.raises(ObjectChanged):
        vault.copy(vault, "a", "b", source_etag=etag)
    assert vault.head("b") is None


def test_a_source_that_changes_meanwhile_is_not_copied(vault: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    put(vault, "a", b"1")
    look = S3Bucket.head

    def look_and_change(self: S3Bucket, key: str, version_id: str = "") -> Any:
        found = look(self, key, version_id)
        put(vault, "a", b"2")
        return found

    monkeypatch.setattr(S3Bucket, "head", look_and_change)
    with pytest.raises(ObjectChanged):
        vault.copy(vault, "a", "b")
    monkeypatch.undo()
    assert vault.head("b") is None


def test_tags_stay_behind(s3: Any, vault: S3Bucket) -> None:
    s3.put_object(Bucket=vault.bucket, Key="a", Body=b"x", Tagging="owner=a-team")
    vault.copy(vault, "a", "b")
    assert s3.get_object_tagging(Bucket=vault.bucket, Key="b")["TagSet"] == []


def test_large_objects_are_copied_in_parts(s3: Any, vault: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    data = secrets.token_bytes(11 * 1024 * 1024)
    put(vault, "a", data, headers=HEADERS, metadata=METADATA)
    monkeypatch.setattr(module, "COPY_LIMIT_BYTES", 6 * 1024 * 1024)
    monkeypatch.setattr(module, "PART_BYTES", 5 * 1024 * 1024)
    etag = vault.copy(vault, "a", "b", metadata={"new": "1"}, tiered=True)
    assert etag
    assert etag.endswith('-3"')
    kept = vault.head("b")
    assert kept
    assert (kept.etag, kept.headers, kept.metadata) == (etag, HEADERS, {"new": "1"})
    assert opened_body(vault, "b") == data
    assert s3.head_object(Bucket=vault.bucket, Key="b")["StorageClass"] == "INTELLIGENT_TIERING"


def test_a_copy_is_not_read(s3: Any, vault: S3Bucket, versioned: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The role of ingest may put to the quarantine bucket and do nothing else there."""
    put(versioned, "a", secrets.token_bytes(6 * 1024 * 1024))
    monkeypatch.setattr(module, "PART_BYTES", 5 * 1024 * 1024)
    sent: list[tuple[str, str]] = []
    note = lambda params, model, **_: sent.append((model.name, params["Bucket"]))  # noqa: E731
    s3.meta.events.register("provide-client-params.s3", note, unique_id="sent")
    try:
        for limit_bytes in (10 * 1024 * 1024, 1024 * 1024):
            monkeypatch.setattr(module, "COPY_LIMIT_BYTES", limit_bytes)
            assert vault.copy(versioned, "a", "b")
    finally:
        s3.meta.events.unregister("provide-client-params.s3", note, unique_id="sent")
    assert {name for name, bucket in sent if bucket == vault.bucket} == {
        "CopyObject",
        "CreateMultipartUpload",
        "UploadPartCopy",
        "CompleteMultipartUpload",
    }


def test_a_large_source_that_changes_meanwhile_leaves_no_parts(
    s3: Any, vault: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(vault, "a", secrets.token_bytes(6 * 1024 * 1024))
    monkeypatch.setattr(module, "COPY_LIMIT_BYTES", 1024)
    monkeypatch.setattr(module, "PART_BYTES", 5 * 1024 * 1024)
    read_head = S3Bucket.head

    def read_and_change(self: S3Bucket, key: str, version_id: str = "") -> Any:
        found = read_head(self, key, version_id)
        put(vault, "a", b"2" * 6 * 1024 * 1024)
        return found

    monkeypatch.setattr(S3Bucket, "head", read_and_change)
    with pytest.raises(ObjectChanged):
        vault.copy(vault, "a", "b")
    assert not s3.list_multipart_uploads(Bucket=vault.bucket).get("Uploads")


def test_the_storage_class_is_chosen(s3: Any, vault: S3Bucket) -> None:
    put(vault, "tiered", tiered=True)
    put(vault, "plain")
    vault.copy(vault, "plain", "copy", tiered=True)
    vault.copy(vault, "tiered", "back")
    classes = {key: s3.head_object(Bucket=vault.bucket, Key=key).get("StorageClass", "STANDARD") for key in keys(vault)}
    assert classes == {
        "tiered": "INTELLIGENT_TIERING",
        "plain": "STANDARD",
        "copy": "INTELLIGENT_TIERING",
        "back": "STANDARD",
    }


def test_an_older_version_can_be_copied(versioned: S3Bucket, vault: S3Bucket) -> None:
    etag = put(versioned, "a", b"1", metadata=METADATA)
    first = versioned.head("a")
    put(versioned, "a", b"2")
    assert first
    assert vault.copy(versioned, "a", "b", source_version_id=first.version_id) == etag
    versioned.delete("a")
    assert vault.copy(versioned, "a", "c", source_version_id=first.version_id) == etag
    assert vault.copy(versioned, "a", "c") is None

"""Objects and their versions, against MiniStack's S3."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest

from darkroom.errors import ObjectChanged, Unavailable
from darkroom_pipeline.aws import s3 as module
from darkroom_pipeline.aws import s3_objects
from darkroom_pipeline.aws.s3 import ListedObject, ObjectHead, S3Bucket

from .stored import HEADERS, METADATA, keys, opened_body, put

ODD_KEYS = [
    "plain.jpg",
    "with space.jpg",
    "plus+and%2Bpercent%.jpg",
    "übergröße/写真/🖼.jpg",
    "a//b/",
    "/leading",
    "a/../b/./c",
    "q?x=1&y=2#z",
    "quote\"'<>&;.jpg",
    "star*[tilde]~(x)!.jpg",
    "back\\slash|pipe^.jpg",
    "e\u0301 is not \u00e9",
]


def heads(vault: S3Bucket, *names: str) -> list[ObjectHead]:
    """Return the body of each of ``names``."""
    found = [vault.head(name) for name in names]
    return [head for head in found if head is not None]


def test_what_is_put_is_what_is_read(vault: S3Bucket) -> None:
    etag = put(vault, "a.webp", b"picture", headers=HEADERS, metadata=METADATA)
    opened = vault.open("a.webp")
    assert opened
    with opened.body as body:
        assert (body.read(3), body.read(), body.read(1)) == (b"pic", b"ture", b"")
    kept = vault.head("a.webp")
    assert kept == opened.head
    assert (kept.key, kept.etag, kept.size_bytes, kept.version_id) == ("a.webp", etag, 7, "")
    assert (kept.headers, kept.metadata) == (HEADERS, METADATA)
    assert etag.startswith('"')
    assert kept.modified_s > 1_700_000_000


def test_a_body_comes_in_chunks(vault: S3Bucket) -> None:
    data = secrets.token_bytes(600_000)
    put(vault, "large", data)
    opened = vault.open("large")
    assert opened
    chunks = list(opened.body)
    assert b"".join(chunks) == data
    assert len(chunks) > 1


def test_headers_that_were_not_given_are_not_there(vault: S3Bucket) -> None:
    put(vault, "bare")
    kept = vault.head("bare")
    assert kept
    assert set(kept.headers) <= {"Content-Type"}
    assert kept.metadata == {}


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_key_survives(versioned: S3Bucket, key: str) -> None:
    etag = put(versioned, key, b"body", metadata={"a": "b"})
    kept = versioned.head(key)
    assert kept
    assert keys(versioned) == [key]
    assert versioned.copy(versioned, key, f"copies/{key}") == etag
    copied = versioned.open(f"copies/{key}")
    assert copied
    assert copied.body.read() == b"body"
    assert versioned.delete_many(heads(versioned, f"copies/{key}")) == 1
    assert keys(versioned) == [key]
    assert versioned.erase(key) == 1
    assert versioned.erase_below("copies/") == 2
    assert keys(versioned) == []


def test_what_is_not_there_is_none(vault: S3Bucket) -> None:
    assert vault.head("missing") is None
    assert vault.open("missing") is None
    assert vault.copy(vault, "missing", "copy") is None
    vault.delete("missing")
    assert vault.erase("missing") == 0
    assert keys(vault) == []


def test_a_deleted_object_is_missing_though_its_versions_are_there(versioned: S3Bucket) -> None:
    put(versioned, "a")
    first = versioned.head("a")
    put(versioned, "a", b"y")
    second = versioned.head("a")
    assert first
    assert second
    assert first.version_id
    assert first.version_id != second.version_id
    versioned.delete("a")
    assert versioned.head("a") is None
    assert versioned.open("a") is None
    assert versioned.head("a", first.version_id) == first
    assert versioned.erase("a") == 3
    assert versioned.head("a", first.version_id) is None


def test_a_delete_marker_is_no_object(s3: Any, versioned: S3Bucket) -> None:
    marker = s3.delete_object(Bucket=versioned.bucket, Key="a")["VersionId"]
    assert versioned.head("a", marker) is None


@pytest.mark.parametrize("operation", ["open", "put", "copy", "pages", "delete_many", "erase"])
def test_a_missing_bucket_is_a_fault(s3: Any, vault: S3Bucket, operation: str) -> None:
    put(vault, "a")
    nowhere = S3Bucket(s3, "no-such-bucket")
    attempts = {
        "open": lambda: nowhere.open("a"),
        "put": lambda: put(nowhere, "a"),
        "copy": lambda: nowhere.copy(vault, "a", "a"),
        "pages": lambda: keys(nowhere),
        "delete_many": lambda: nowhere.delete_many([ListedObject("a", '"e"', 1, 0)]),
        "erase": lambda: nowhere.erase("a"),
    }
    with pytest.raises(Unavailable) as caught:
        attempts[operation]()  # type: ignore[no-untyped-call]
    assert "NoSuchBucket" in caught.value.detail
    assert "ucket" not in caught.value.message


def test_a_put_may_require_a_free_key(vault: S3Bucket) -> None:
    put(vault, "a", b"1", replaces="")
    with pytest.raises(ObjectChanged):
        put(vault, "a", b"2", replaces="")
    assert opened_body(vault, "a") == b"1"


def test_a_put_may_require_an_entity_tag(vault: S3Bucket) -> None:
    first = put(vault, "a", b"1")
    second = put(vault, "a", b"2", replaces=first)
    with pytest.raises(ObjectChanged):
        put(vault, "a", b"3", replaces=first)
    with pytest.raises(ObjectChanged):
        put(vault, "missing", b"3", replaces=first)
    assert opened_body(vault, "a") == b"2"
    assert vault.head("missing") is None
    assert put(vault, "a", b"4", replaces=second) != second


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three objects a page instead of a thousand, and two a deletion."""
    monkeypatch.setattr(module, "PAGE_SIZE", 3)
    monkeypatch.setattr(s3_objects, "BATCH", 2)


@pytest.mark.usefixtures("small_pages")
def test_listing_and_deleting_more_than_a_page(vault: S3Bucket) -> None:
    wanted = [f"derivatives/a/_/{number}" for number in range(7)]
    for key in [*wanted, "derivatives/ab", "other"]:
        put(vault, key)
    pages = list(vault.list_pages("derivatives/a/"))
    assert [[one.key for one in page] for page in pages] == [wanted[:3], wanted[3:6], wanted[6:]]
    assert keys(vault, "derivatives/a/", start_after=wanted[4]) == wanted[5:]
    one = pages[0][0]
    kept = vault.head(one.key)
    assert kept
    assert (one.etag, one.size_bytes) == (kept.etag, kept.size_bytes)
    assert one.modified_s == pytest.approx(kept.modified_s, abs=1)
    assert vault.delete_many([listed for page in pages for listed in page]) == 7
    assert keys(vault) == ["derivatives/ab", "other"]
    assert vault.delete_many([]) == 0
    assert vault.delete_many([one]) == 0


def test_a_full_batch_is_deleted_at_once(vault: S3Bucket) -> None:
    """As many keys as S3 takes, as long as they may be; most of them were never there."""
    put(vault, "a")
    [head] = heads(vault, "a")
    missing = [replace(head, key=f"{number:04}" + "\u20ac" * 340) for number in range(s3_objects.BATCH)]
    put(vault, missing[-1].key)
    assert vault.delete_many(missing) == 1
    assert keys(vault) == ["a"]


def test_what_has_changed_since_it_was_found_is_not_deleted(vault: S3Bucket) -> None:
    odd = "bell\x07"
    for key in ("same", "changed", "gone", odd):
        put(vault, key, b"old")
    found = heads(vault, "same", "changed", "gone", odd)
    for key in ("changed", odd):
        put(vault, key, b"new")
    vault.delete("gone")
    assert vault.delete_many(found) == 1
    assert sorted(keys(vault)) == sorted(["changed", odd])
    assert vault.delete_many(heads(vault, "changed", odd)) == 2


def test_one_that_has_changed_is_not_deleted(vault: S3Bucket) -> None:
    first = put(vault, "a", b"1")
    second = put(vault, "a", b"2")
    with pytest.raises(ObjectChanged):
        vault.delete("a", first)
    assert keys(vault) == ["a"]
    vault.delete("a", second)
    assert keys(vault) == []
    vault.delete("a", second)


def test_which_versions_are_deleted(versioned: S3Bucket) -> None:
    put(versioned, "a", b"1")
    [first] = heads(versioned, "a")
    versioned.delete("a")
    put(versioned, "a", b"2")
    put(versioned, "ab", b"other")
    [second, other] = heads(versioned, "a", "ab")
    versioned.delete("ab")
    put(versioned, "ab", b"other")
    deleted = [versioned.is_deleted("a", kept.version_id) for kept in (first, second)]
    assert deleted == [True, False]
    assert versioned.is_deleted("a", other.version_id)
    assert versioned.is_deleted("a", "never")
    assert versioned.is_deleted("ab", other.version_id)


def test_keys_that_no_xml_can_hold_are_deleted_too(versioned: S3Bucket) -> None:
    odd = ["bell\x07", "null\x01x", "tab\tand\nline", "return\r.jpg"]
    for key in odd:
        put(versioned, key)
    assert sorted(keys(versioned)) == sorted(odd)
    assert versioned.delete_many(heads(versioned, *odd)) == 4
    assert keys(versioned) == []
    assert versioned.erase_below("tab") == 2


def test_erasing_takes_every_version_of_exactly_one_key(versioned: S3Bucket) -> None:
    for key in ("a", "a", "a.jpg", "a/b", "b"):
        put(versioned, key)
    versioned.delete("a")
    put(versioned, "a")
    assert versioned.erase("a") == 4
    assert versioned.head("a") is None
    assert versioned.erase("a") == 0
    assert keys(versioned) == ["a.jpg", "a/b", "b"]


def test_erasing_below_a_prefix(versioned: S3Bucket) -> None:
    for key in ("q/a/_/1", "q/a/_/2", "q/a/_/2", "q/ab/_/1"):
        put(versioned, key)
    versioned.delete("q/a/_/1")
    assert versioned.erase_below("q/a/_/") == 4
    assert keys(versioned) == ["q/ab/_/1"]
    with pytest.raises(ValueError, match="whole bucket"):
        versioned.erase_below("")


@pytest.mark.usefixtures("small_pages")
def test_erasing_more_than_a_page_of_versions(versioned: S3Bucket) -> None:
    for _ in range(7):
        put(versioned, "a")
    put(versioned, "aa")
    assert versioned.erase("a") == 7
    assert keys(versioned) == ["aa"]


def test_erasing_where_there_are_no_versions(vault: S3Bucket) -> None:
    put(vault, "a")
    put(vault, "ab")
    assert vault.erase("a") == 1
    assert vault.erase_below("a") == 1
    assert keys(vault) == []


def test_a_key_that_is_longer_than_s3_allows_is_missing_without_a_request(s3: Any) -> None:
    """S3 answers KeyTooLongError, whatever the request. Here the bucket is missing, so that a request would fail."""
    vault, key = S3Bucket(s3, "no-such-bucket"), "é" * 512 + "x"
    assert (vault.head(key), vault.open(key), list(vault.list_pages(key))) == (None, None, [])
    assert (vault.erase(key), vault.erase_below(key)) == (0, 0)
    vault.delete(key)
    with pytest.raises(Unavailable):
        vault.erase(key[:-1])

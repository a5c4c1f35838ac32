"""Objects, versions and copies, against MiniStack's S3."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from darkroom.aws import deleting
from darkroom.aws import vault as module
from darkroom.aws.vault import Vault
from darkroom.errors import Changed, Unavailable

HEADERS = {
    "Content-Type": "image/webp",
    "Cache-Control": "max-age=60",
    "Content-Disposition": 'inline; filename="a.webp"',
}
METADATA = {"source-etag": "abc", "sequencer": "0055"}

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


def put(vault: Vault, key: str, body: bytes = b"x", **given: Any) -> str:
    return vault.put(key, body, **{"headers": {}, "metadata": {}, **given})


def keys(vault: Vault, prefix: str = "", start_after: str = "") -> list[str]:
    return [one.key for page in vault.pages(prefix, start_after) for one in page]


def test_what_is_put_is_what_is_read(vault: Vault) -> None:
    etag = put(vault, "a.webp", b"picture", headers=HEADERS, metadata=METADATA)
    opened = vault.open("a.webp")
    assert opened
    with opened.body as body:
        assert (body.read(3), body.read(), body.read(1)) == (b"pic", b"ture", b"")
    kept = vault.head("a.webp")
    assert kept == opened.kept
    assert (kept.key, kept.etag, kept.size_bytes, kept.version_id) == ("a.webp", etag, 7, "")
    assert (kept.headers, kept.metadata) == (HEADERS, METADATA)
    assert etag.startswith('"')
    assert kept.modified_s > 1_700_000_000


def test_a_body_comes_in_chunks(vault: Vault) -> None:
    data = secrets.token_bytes(600_000)
    put(vault, "large", data)
    opened = vault.open("large")
    assert opened
    chunks = list(opened.body)
    assert b"".join(chunks) == data
    assert len(chunks) > 1


def test_headers_that_were_not_given_are_not_there(vault: Vault) -> None:
    put(vault, "bare")
    kept = vault.head("bare")
    assert kept
    assert set(kept.headers) <= {"Content-Type"}
    assert kept.metadata == {}


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_key_survives(versioned: Vault, key: str) -> None:
    etag = put(versioned, key, b"body", metadata={"a": "b"})
    kept = versioned.head(key)
    assert kept
    assert keys(versioned) == [key]
    assert versioned.copy(versioned, key, f"copies/{key}") == etag
    copied = versioned.open(f"copies/{key}")
    assert copied
    assert copied.body.read() == b"body"
    assert versioned.delete_many([f"copies/{key}"]) == 1
    assert keys(versioned) == [key]
    assert versioned.erase(key) == 1
    assert versioned.erase_below("copies/") == 2
    assert keys(versioned) == []


def test_what_is_not_there_is_none(vault: Vault) -> None:
    assert vault.head("missing") is None
    assert vault.open("missing") is None
    assert vault.copy(vault, "missing", "copy") is None
    vault.delete("missing")
    assert vault.erase("missing") == 0
    assert keys(vault) == []


def test_a_deleted_object_is_missing_though_its_versions_are_there(versioned: Vault) -> None:
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


def test_an_older_version_can_be_copied(versioned: Vault, vault: Vault) -> None:
    etag = put(versioned, "a", b"1", metadata=METADATA)
    first = versioned.head("a")
    put(versioned, "a", b"2")
    assert first
    assert vault.copy(versioned, "a", "b", source_version_id=first.version_id) == etag
    versioned.delete("a")
    assert vault.copy(versioned, "a", "c", source_version_id=first.version_id) == etag
    assert vault.copy(versioned, "a", "c") is None


def test_a_delete_marker_is_no_object(s3: Any, versioned: Vault) -> None:
    marker = s3.delete_object(Bucket=versioned.bucket, Key="a")["VersionId"]
    assert versioned.head("a", marker) is None


@pytest.mark.parametrize("operation", ["open", "put", "copy", "pages", "delete_many", "erase"])
def test_a_missing_bucket_is_a_fault(s3: Any, vault: Vault, operation: str) -> None:
    put(vault, "a")
    nowhere = Vault(s3, "no-such-bucket")
    attempts = {
        "open": lambda: nowhere.open("a"),
        "put": lambda: put(nowhere, "a"),
        "copy": lambda: nowhere.copy(vault, "a", "a"),
        "pages": lambda: keys(nowhere),
        "delete_many": lambda: nowhere.delete_many(["a"]),
        "erase": lambda: nowhere.erase("a"),
    }
    with pytest.raises(Unavailable) as caught:
        attempts[operation]()  # type: ignore[no-untyped-call]
    assert "NoSuchBucket" in caught.value.detail
    assert "ucket" not in caught.value.message


def test_a_put_may_ask_for_a_free_key(vault: Vault) -> None:
    put(vault, "a", b"1", replaces="")
    with pytest.raises(Changed):
        put(vault, "a", b"2", replaces="")
    assert opened_body(vault, "a") == b"1"


def test_a_put_may_ask_for_what_it_replaces(vault: Vault) -> None:
    first = put(vault, "a", b"1")
    second = put(vault, "a", b"2", replaces=first)
    with pytest.raises(Changed):
        put(vault, "a", b"3", replaces=first)
    with pytest.raises(Changed):
        put(vault, "missing", b"3", replaces=first)
    assert opened_body(vault, "a") == b"2"
    assert vault.head("missing") is None
    assert put(vault, "a", b"4", replaces=second) != second


def opened_body(vault: Vault, key: str) -> bytes:
    opened = vault.open(key)
    assert opened
    return opened.body.read()


def test_a_copy_keeps_headers_and_metadata(vault: Vault, versioned: Vault) -> None:
    etag = put(versioned, "a", headers=HEADERS, metadata=METADATA)
    assert vault.copy(versioned, "a", "b", source_etag=etag) == etag
    copied = vault.head("b")
    assert copied
    assert (copied.headers, copied.metadata) == (HEADERS, METADATA)


def test_a_copy_replaces_what_is_given(vault: Vault) -> None:
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


def test_an_object_may_be_copied_onto_itself(vault: Vault) -> None:
    etag = put(vault, "a", metadata=METADATA)
    assert vault.copy(vault, "a", "a", metadata={"new": "1"}) == etag
    kept = vault.head("a")
    assert kept
    assert kept.metadata == {"new": "1"}


def test_a_source_that_has_changed_is_not_copied(vault: Vault) -> None:
    etag = put(vault, "a", b"1")
    put(vault, "a", b"2")
    with pytest.raises(Changed):
        vault.copy(vault, "a", "b", source_etag=etag)
    assert vault.head("b") is None


def test_a_source_that_changes_meanwhile_is_not_copied(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    put(vault, "a", b"1")
    look = Vault.head

    def look_and_change(self: Vault, key: str, version_id: str = "") -> Any:
        found = look(self, key, version_id)
        put(vault, "a", b"2")
        return found

    monkeypatch.setattr(Vault, "head", look_and_change)
    with pytest.raises(Changed):
        vault.copy(vault, "a", "b")
    monkeypatch.undo()
    assert vault.head("b") is None


def test_tags_stay_behind(s3: Any, vault: Vault) -> None:
    s3.put_object(Bucket=vault.bucket, Key="a", Body=b"x", Tagging="owner=somebody")
    vault.copy(vault, "a", "b")
    assert s3.get_object_tagging(Bucket=vault.bucket, Key="b")["TagSet"] == []


def test_large_objects_are_copied_in_parts(s3: Any, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_storage_class_is_chosen(s3: Any, vault: Vault) -> None:
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


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three objects a page instead of a thousand, and two a deletion."""
    monkeypatch.setattr(module, "PAGE", 3)
    monkeypatch.setattr(deleting, "BATCH", 2)


@pytest.mark.usefixtures("small_pages")
def test_listing_and_deleting_more_than_a_page(vault: Vault) -> None:
    wanted = [f"derivatives/a/_/{number}" for number in range(7)]
    for key in [*wanted, "derivatives/ab", "other"]:
        put(vault, key)
    pages = list(vault.pages("derivatives/a/"))
    assert [[one.key for one in page] for page in pages] == [wanted[:3], wanted[3:6], wanted[6:]]
    assert keys(vault, "derivatives/a/", start_after=wanted[4]) == wanted[5:]
    one = pages[0][0]
    kept = vault.head(one.key)
    assert kept
    assert (one.etag, one.size_bytes) == (kept.etag, kept.size_bytes)
    assert one.modified_s == pytest.approx(kept.modified_s, abs=1)
    assert vault.delete_many(wanted) == 7
    assert keys(vault) == ["derivatives/ab", "other"]
    assert vault.delete_many([]) == 0


def test_a_full_batch_is_deleted_at_once(vault: Vault) -> None:
    """As many keys as S3 takes, as long as they may be; most of them were never there."""
    missing = [f"{number:04}" + "\u20ac" * 340 for number in range(deleting.BATCH)]
    put(vault, missing[-1])
    assert vault.delete_many(missing) == 1000
    assert keys(vault) == []


def test_keys_that_no_xml_can_hold_are_deleted_too(versioned: Vault) -> None:
    odd = ["bell\x07", "null\x01x", "tab\tand\nline", "return\r.jpg"]
    for key in odd:
        put(versioned, key)
    assert sorted(keys(versioned)) == sorted(odd)
    assert versioned.delete_many(odd) == 4
    assert keys(versioned) == []
    assert versioned.erase_below("tab") == 2


def test_erasing_takes_every_version_of_exactly_one_key(versioned: Vault) -> None:
    for key in ("a", "a", "a.jpg", "a/b", "b"):
        put(versioned, key)
    versioned.delete("a")
    put(versioned, "a")
    assert versioned.erase("a") == 4
    assert versioned.head("a") is None
    assert versioned.erase("a") == 0
    assert keys(versioned) == ["a.jpg", "a/b", "b"]


def test_erasing_below_a_prefix(versioned: Vault) -> None:
    for key in ("q/a/_/1", "q/a/_/2", "q/a/_/2", "q/ab/_/1"):
        put(versioned, key)
    versioned.delete("q/a/_/1")
    assert versioned.erase_below("q/a/_/") == 4
    assert keys(versioned) == ["q/ab/_/1"]
    with pytest.raises(ValueError, match="whole bucket"):
        versioned.erase_below("")


@pytest.mark.usefixtures("small_pages")
def test_erasing_more_than_a_page_of_versions(versioned: Vault) -> None:
    for _ in range(7):
        put(versioned, "a")
    put(versioned, "aa")
    assert versioned.erase("a") == 7
    assert keys(versioned) == ["aa"]


def test_erasing_where_there_are_no_versions(vault: Vault) -> None:
    put(vault, "a")
    put(vault, "ab")
    assert vault.erase("a") == 1
    assert vault.erase_below("a") == 1
    assert keys(vault) == []

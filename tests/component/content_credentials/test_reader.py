"""Content Credentials of uploads: what is read of them, of changed files, and of files that are none."""

from __future__ import annotations

from threading import Event

import pytest

from darkroom.services.deadline import CpuLimit
from darkroom_pipeline.content_credentials import reader
from darkroom_pipeline.content_credentials.reader import UNCHECKED, UNREADABLE, describe_store, read_credentials
from tests.images.signed_files import (
    ISSUER,
    list_authorities,
    make_identity,
    needs_foreign,
    read_foreign,
    sign_upload,
    sign_with_expired_certificate,
    tamper,
)
from tests.images.sources import photo, saved

PHOTO = saved(photo(), "JPEG")


def test_a_signed_upload_is_valid_and_described() -> None:
    document, manifest = read_credentials(sign_upload(PHOTO), "image/jpeg")
    assert document == {
        "state": "valid",
        "ai": False,
        "issuer": ISSUER,
        "generator": "Example Camera 2.1",
        "actions": ["c2pa.created"],
        "digital_source_type": "digitalCapture",
    }
    assert b"jumb" in manifest


def test_one_of_a_trusted_issuer_is_trusted() -> None:
    _, root = make_identity()
    _, other = make_identity("Another Agency")
    body = sign_upload(PHOTO)
    assert read_credentials(body, "image/jpeg", root.encode()).document["state"] == "trusted"
    assert read_credentials(body, "image/jpeg", other.encode()).document["state"] == "valid"


@pytest.mark.parametrize(("name", "media_type"), [("PNG", "image/png"), ("WEBP", "image/webp"), ("TIFF", "image/tiff")])
def test_other_formats_have_them_too(name: str, media_type: str) -> None:
    body = sign_upload(saved(photo(), name), media_type)
    assert read_credentials(body, media_type).document["state"] == "valid"


def test_an_image_of_a_model_is_marked() -> None:
    document = read_credentials(sign_upload(PHOTO, ai=True), "image/jpeg").document
    assert (document["ai"], document["digital_source_type"]) == (True, "trainedAlgorithmicMedia")


def test_a_changed_file_is_invalid_and_says_why() -> None:
    document, manifest = read_credentials(tamper(sign_upload(PHOTO)), "image/jpeg")
    assert (document["state"], document["problems"]) == ("invalid", ["assertion.dataHash.mismatch"])
    assert document["issuer"] == ISSUER
    assert "digital_source_type" not in document
    assert manifest


def test_a_file_by_an_expired_certificate_is_not_called_changed() -> None:
    body, root = sign_with_expired_certificate(PHOTO)
    for anchors in (b"", root.encode()):
        document = read_credentials(body, "image/jpeg", anchors).document
        assert (document["state"], document["problems"]) == ("expired", ["signingCredential.expired"])
    document = read_credentials(tamper(body), "image/jpeg").document
    assert document["state"] == "invalid"
    assert set(document["problems"]) == {"signingCredential.expired", "assertion.dataHash.mismatch"}


@needs_foreign
def test_files_of_the_c2pas_own_issuer_are_read() -> None:
    signed = read_foreign("CII")
    issuer = "C2PA Test Signing Cert"
    document = read_credentials(signed, "image/jpeg").document
    assert (document["state"], document["issuer"]) == ("valid", issuer)
    assert str(document["signed_at"]).startswith("20")
    for anchor in list_authorities(signed):
        assert read_credentials(signed, "image/jpeg", anchor).document["state"] == "trusted"
    changed = read_credentials(read_foreign("E-sig-CA"), "image/jpeg").document
    assert (changed["state"], changed["problems"]) == ("invalid", ["claimSignature.mismatch"])


@pytest.mark.parametrize("body", [b"", b"\xff\xd8\xff", PHOTO, sign_upload(PHOTO)[:3_000]])
def test_what_cannot_be_read_is_unreadable(body: bytes) -> None:
    assert read_credentials(body, "image/jpeg") == ({"state": UNREADABLE}, b"")


def test_one_that_takes_too_long_is_unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    done = Event()
    monkeypatch.setattr(reader, "LIMIT", CpuLimit(cpu_s=5.0, wall_s=0.05))
    monkeypatch.setattr(reader, "_read", lambda *_: done.wait(10))
    assert read_credentials(PHOTO, "image/jpeg") == ({"state": UNCHECKED}, b"")
    done.set()


def test_a_manifest_that_is_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_MANIFEST_BYTES", 1_000)
    found = read_credentials(sign_upload(PHOTO), "image/jpeg")
    assert (found.document["state"], found.manifest) == ("valid", b"")


def test_texts_of_an_upload_are_bounded_and_of_one_line() -> None:
    actions = [{"action": f"com.example.{number}\n"} for number in range(50)]
    active = {
        "signature_info": {"issuer": "A\x00B\n" + "x" * 1_000},
        "claim_generator_info": [{"name": None, "version": 3}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}, {"label": "c2pa.hash.data"}],
    }
    store = {"active_manifest": "urn:1", "manifests": {"urn:1": active}}
    failed = [{"code": "a.b"}, {"code": "a.b"}, {"code": "signingCredential.untrusted"}]
    results = {
        "activeManifest": {"failure": failed},
        "ingredientDeltas": [{"validationDeltas": {"failure": [{"code": "c.d"}]}}],
    }
    document = describe_store(store, "invalid", results)
    assert document["issuer"] == "A B " + "x" * 496
    assert (document["generator"], document["problems"]) == ("3", ["a.b", "c.d"])
    assert document["actions"] == [f"com.example.{number}" for number in range(20)]


def test_a_store_with_little_in_it_is_described() -> None:
    store = {"active_manifest": "urn:1", "manifests": {"urn:1": {}}}
    assert describe_store(store, "valid", {}) == {"state": "valid", "ai": False}

"""Signed derivatives, validated by the C2PA's own library: formats, parents, manifests elsewhere, keys."""

from __future__ import annotations

import hashlib
import io
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from PIL import Image

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.secrets import Secret
from darkroom.errors import KeysInvalid, Unavailable
from darkroom.image_keys import derivatives_prefix
from darkroom.imaging.formats.metadata.locate import embed_rights
from darkroom.imaging.formats.metadata.rights import Rights
from darkroom.plan.model import Plan
from darkroom.settings import MAX_MANIFEST_BYTES
from darkroom.signing import InvalidSecret
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.content_credentials.reader import read_credentials
from darkroom_pipeline.content_credentials.signer import ManifestSigner, SigningKey, parse_signing_key
from darkroom_pipeline.services.manifests import MANIFEST_TYPE, Parent, SignedFile
from local.signing_certificate import issue_chain
from tests.images.exiftool import needs_exiftool
from tests.images.metadata_files import provenance_of
from tests.images.rights_files import read_by_exiftool
from tests.images.signed_files import (
    POSITION,
    list_action_names,
    make_identity,
    needs_foreign,
    read_foreign,
    read_manifest,
    sign_upload,
    tamper,
)
from tests.images.sources import photo, saved

KEY = "a b/photo.jpg"
PLAN = Plan(KEY, width=800, format="jpeg")
UPLOAD = sign_upload(saved(photo(), "JPEG"))
PARENT = Parent(hashlib.sha256(UPLOAD).hexdigest(), "image/jpeg", read_credentials(UPLOAD, "image/jpeg").manifest)
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif", "GIF": "image/gif"}
BODY = saved(photo(), "JPEG", quality=90)
SMALL = {name: saved(photo().resize((64, 48)), name) for name in FORMATS}


class Key:
    """The secret, read."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def get(self) -> SigningKey:
        return self._key


def no_kms() -> Any:
    raise AssertionError("the key is in the secret")


def make_signer(base_url: str = "", key: SigningKey | None = None, kms: Callable[[], Any] = no_kms) -> ManifestSigner:
    return ManifestSigner(Key(key or make_identity("Example Agency")[0]), kms, base_url)


def describe_parent(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    (parent,) = manifest["ingredients"]
    assert parent["relationship"] == "parentOf"
    return parent  # type: ignore[no-any-return]


@pytest.mark.parametrize(("name", "media_type"), FORMATS.items())
def test_each_format_validates_with_its_parent(name: str, media_type: str) -> None:
    body = saved(photo(), name)
    made = make_signer()(replace(PLAN, format=name.lower()), body, media_type, PARENT)
    state, manifest = read_manifest(made.body, media_type)
    assert state == "Valid"
    assert describe_parent(manifest)["active_manifest"] in manifest["store"]["manifests"]
    assert len(manifest["store"]["manifests"]) == 2
    assert manifest["signature_info"]["issuer"] == "Example Agency"
    assert list_action_names(manifest) == [
        "c2pa.opened",
        "c2pa.redacted",
        "c2pa.redacted",
        "c2pa.resized",
        "c2pa.transcoded",
    ]
    assert made.signed == str(len(made.body) - len(body))
    assert not made.manifest_name
    assert Image.open(io.BytesIO(made.body)).tobytes() == Image.open(io.BytesIO(body)).tobytes()


def test_a_changed_derivative_does_not_validate() -> None:
    made = make_signer()(PLAN, BODY, "image/jpeg", PARENT)
    assert read_manifest(tamper(made.body), "image/jpeg")[0] == "Invalid"


def test_an_upload_without_a_manifest_is_a_parent_by_its_hash() -> None:
    made = make_signer()(PLAN, BODY, "image/jpeg", PARENT._replace(manifest=b""))
    state, manifest = read_manifest(made.body, "image/jpeg")
    assert state == "Valid"
    assert describe_parent(manifest)["instance_id"] == f"urn:sha256:{PARENT.sha256}"
    assert list_action_names(manifest)[0] == "c2pa.opened"


def test_a_changed_upload_is_a_parent_whose_failure_is_recorded() -> None:
    changed = tamper(UPLOAD)
    parent = PARENT._replace(manifest=read_credentials(changed, "image/jpeg").manifest)
    state, manifest = read_manifest(make_signer()(PLAN, BODY, "image/jpeg", parent).body, "image/jpeg")
    assert state == "Valid"
    failures = describe_parent(manifest)["validation_results"]["activeManifest"]["failure"]
    assert "assertion.dataHash.mismatch" in [failure["code"] for failure in failures]


def test_the_manifest_names_neither_key_nor_image() -> None:
    made = make_signer()(PLAN, BODY, "image/jpeg", PARENT)
    assert b"a b/photo" not in made.body
    assert json.dumps(read_manifest(made.body, "image/jpeg")[1]).count("photo") == 0


@pytest.mark.parametrize("base_url", ["", "https://img.example.com"])
@pytest.mark.parametrize(("name", "media_type"), FORMATS.items())
def test_rights_and_credentials_are_in_one_file(name: str, media_type: str, base_url: str) -> None:
    body = embed_rights(SMALL[name], name.lower(), Rights(creator="Ann", copyright="© Ann"))
    made = make_signer(base_url)(replace(PLAN, format=name.lower()), body, media_type, PARENT)
    found = Rights.from_provenance(provenance_of(made.body))
    assert (found.creator, found.copyright, found.content_credentials) == ("Ann", "© Ann", True)
    assert bool(made.manifest_name) == (bool(base_url) and name != "GIF")
    assert read_manifest(made.body, media_type, made.manifest or None)[0] == "Valid"


@needs_exiftool
@pytest.mark.parametrize("base_url", ["", "https://img.example.com"])
def test_exiftool_finds_the_rights_in_signed_files(base_url: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"a.{name.lower()}" for name in FORMATS]
    for path, (name, media_type) in zip(paths, FORMATS.items(), strict=True):
        body = embed_rights(SMALL[name], name.lower(), Rights(creator="Ann", copyright="© Ann"))
        path.write_bytes(make_signer(base_url)(PLAN, body, media_type, PARENT).body)
    in_xmp = {"creator": "Ann", "copyright": "© Ann"}
    expected = {"exif artist": "Ann", "exif copyright": "© Ann"} | in_xmp
    for name, found in zip(FORMATS, read_by_exiftool(*paths), strict=True):
        assert {tag: found[tag] for tag in expected if tag in found} == (in_xmp if name == "GIF" else expected), name


def test_a_small_file_has_its_manifest_elsewhere() -> None:
    made = make_signer("https://img.example.com")(PLAN, BODY, "image/jpeg", PARENT)
    token = made.manifest_name.removeprefix(derivatives_prefix(KEY)).removesuffix(".c2pa")
    assert len(token) == 43
    assert provenance_of(made.body)["content_credentials"] == {
        "embedded": False,
        "url": f"https://img.example.com/_large/a.-20b/photo.jpg/_/{token}.c2pa",
    }
    assert made.signed == f"{len(made.body) - len(BODY)} remote"
    assert len(made.body) - len(BODY) < 1_000 < len(made.manifest)
    assert read_manifest(made.body, "image/jpeg", made.manifest)[0] == "Valid"
    assert read_manifest(tamper(made.body), "image/jpeg", made.manifest)[0] == "Invalid"


@pytest.mark.slow
def test_a_large_file_has_its_manifest_inside() -> None:
    body = saved(photo().resize((1600, 1200)), "PNG")
    made = make_signer("https://img.example.com")(PLAN, body, "image/png", PARENT)
    assert not made.manifest_name
    assert read_manifest(made.body, "image/png")[0] == "Valid"


def test_a_large_manifest_of_the_upload_stays_out_of_a_small_file() -> None:
    actions = [{"action": "c2pa.edited", "description": f"{number:0600}"} for number in range(120)]
    upload = sign_upload(saved(photo(), "JPEG"), further=actions)
    parent = PARENT._replace(manifest=read_credentials(upload, "image/jpeg").manifest)
    made = make_signer()(PLAN, BODY, "image/jpeg", parent)
    state, manifest = read_manifest(made.body, "image/jpeg")
    assert (state, len(manifest["store"]["manifests"])) == ("Valid", 1)
    assert describe_parent(manifest)["instance_id"] == f"urn:sha256:{PARENT.sha256}"
    elsewhere = make_signer("https://img.example.com")(PLAN, BODY, "image/jpeg", parent)
    state, manifest = read_manifest(elsewhere.body, "image/jpeg", elsewhere.manifest)
    assert (state, len(manifest["store"]["manifests"])) == ("Valid", 2)


def test_metadata_and_thumbnails_of_the_upload_are_redacted() -> None:
    assert POSITION.encode() in UPLOAD and UPLOAD.count(b"\xff\xd8\xff") == 2
    assert POSITION.encode() in PARENT.manifest and b"\xff\xd8\xff" in PARENT.manifest
    made = make_signer()(PLAN, BODY, "image/jpeg", PARENT)
    state, manifest = read_manifest(made.body, "image/jpeg")
    assert state == "Valid"
    assert POSITION.encode() not in made.body and made.body.count(b"\xff\xd8\xff") == 1
    assert len(made.body) - len(BODY) < 12_000
    names = {uri.rpartition("/")[2] for uri in manifest["redactions"]}
    assert names == {"stds.exif", "c2pa.thumbnail.claim"}


def test_a_manifest_that_cannot_be_an_ingredient_is_left_out() -> None:
    made = make_signer()(PLAN, BODY, "image/jpeg", PARENT._replace(manifest=b"no manifest"))
    state, manifest = read_manifest(made.body, "image/jpeg")
    assert (state, len(manifest["store"]["manifests"])) == ("Valid", 1)


@needs_foreign
@pytest.mark.parametrize("name", ["CII", "E-sig-CA"])
@pytest.mark.parametrize("media_type", ["image/jpeg", "image/webp"])
def test_the_manifest_of_another_issuer_is_kept(name: str, media_type: str) -> None:
    """Certificates, time stamps and ingredients make it larger than one of the tests' own."""
    upload = read_foreign(name)
    manifest = read_credentials(upload, "image/jpeg").manifest
    parent = Parent(hashlib.sha256(upload).hexdigest(), "image/jpeg", manifest)
    body = saved(photo(), media_type.removeprefix("image/").upper())
    made = make_signer()(PLAN, body, media_type, parent)
    state, found = read_manifest(made.body, media_type)
    assert state == "Valid"
    assert describe_parent(found)["active_manifest"] in found["store"]["manifests"]
    assert 20_000 < len(made.body) - len(body) <= MAX_MANIFEST_BYTES
    [known] = [one for one in found["store"]["manifests"].values() if one is not None and "C2PA Test" in str(one)]
    assert known["signature_info"]["issuer"] == "C2PA Test Signing Cert"
    without = replace(make_signer(), room_bytes=16_384)(PLAN, body, media_type, parent)
    assert "active_manifest" not in describe_parent(read_manifest(without.body, media_type)[1])


@needs_foreign
def test_the_manifest_of_another_issuer_is_kept_elsewhere() -> None:
    upload = read_foreign("CII")
    parent = Parent("0" * 64, "image/jpeg", read_credentials(upload, "image/jpeg").manifest)
    made = make_signer("https://img.example.com")(PLAN, SMALL["JPEG"], "image/jpeg", parent)
    assert len(made.body) - len(SMALL["JPEG"]) < 1_000
    assert "active_manifest" in describe_parent(read_manifest(made.body, "image/jpeg", made.manifest)[1])


@pytest.mark.parametrize("media_type", ["application/json", "image/svg+xml", MANIFEST_TYPE])
def test_other_types_stay_as_they_are(media_type: str) -> None:
    assert make_signer()(PLAN, b"{}", media_type, PARENT) == SignedFile(b"{}")


def connect_kms(key: ec.EllipticCurvePrivateKey, environment: Mapping[str, str]) -> Any:
    """Return boto3's client of a KMS that has one key: requests and responses pass through its model of the API.

    MiniStack has no KMS without further packages.
    """

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        asked = json.loads(request.body or b"")
        if asked["KeyId"] != "alias/known":
            return AWSResponse(request.url, 400, {}, Raw(b'{"__type": "NotFoundException"}'))
        assert (asked["MessageType"], asked["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
        signature = key.sign(b64decode(asked["Message"]), ec.ECDSA(Prehashed(hashes.SHA256())))
        body = json.dumps({"KeyId": "1", "Signature": b64encode(signature).decode(), **asked})
        return AWSResponse(request.url, 200, {}, Raw(body.encode()))

    kms = create_client("kms", environment)
    kms.meta.events.register("before-send.kms.Sign", answer)
    return kms


class Raw(io.BytesIO):
    """The body of a response."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def test_a_key_in_kms_signs(aws_environment: dict[str, str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    kms = connect_kms(private, aws_environment)
    key = SigningKey("es256", issue_chain(private.public_key())[0], kms_key_id="alias/known")
    made = make_signer(key=key, kms=lambda: kms)(PLAN, BODY, "image/jpeg", PARENT)
    assert read_manifest(made.body, "image/jpeg")[0] == "Valid"
    with pytest.raises(Unavailable):
        make_signer(key=replace(key, kms_key_id="alias/none"), kms=lambda: kms)(PLAN, BODY, "image/jpeg", PARENT)


def test_a_key_that_is_not_that_of_the_certificate_is_refused() -> None:
    key = replace(make_identity()[0], private_key=make_identity("Another Agency")[0].private_key)
    with pytest.raises(Unavailable):
        make_signer(key=key)(PLAN, BODY, "image/jpeg", PARENT)


def test_the_secret_is_read_once(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> None:
    key, name = make_identity()[0], f"credentials-{datetime.now(UTC).timestamp()}"
    document = {"certificates": key.certificates, "private_key": key.private_key}
    aws("secretsmanager").create_secret(Name=name, SecretString=json.dumps(document))
    secret = Secret(name, CredentialSource(aws_environment), parse_signing_key, aws_environment)
    assert secret.get() == key
    made = ManifestSigner(secret, no_kms)(PLAN, BODY, "image/jpeg", PARENT)
    assert read_manifest(made.body, "image/jpeg")[0] == "Valid"
    missing = Secret("none", CredentialSource(aws_environment), parse_signing_key, aws_environment)
    with pytest.raises(Unavailable):
        ManifestSigner(missing, no_kms)(PLAN, BODY, "image/jpeg", PARENT)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, "certificates: must be PEM; must have either private_key or kms_key_id"),
        ({"certificates": "-----BEGIN CERTIFICATE-----", "private_key": "a", "kms_key_id": "b"}, "either"),
        ({"certificates": "-----BEGIN CERTIFICATE-----", "kms_key_id": 3}, "kms_key_id: must be a text"),
        ({"certificates": "-----BEGIN CERTIFICATE-----", "kms_key_id": "b", "key": "c"}, "unknown field 'key'"),
        ({"certificates": "-----BEGIN CERTIFICATE-----", "kms_key_id": "b", "algorithm": "rs1"}, "es256, es384, ps256"),
    ],
)
def test_an_invalid_secret_says_what_is_wrong(document: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidSecret, match=problem):
        parse_signing_key(document)


def test_an_invalid_secret_is_rejected_without_its_values(
    aws: Callable[[str], Any], aws_environment: dict[str, str]
) -> None:
    name = f"invalid-{datetime.now(UTC).timestamp()}"
    aws("secretsmanager").create_secret(Name=name, SecretString=json.dumps({"private_key": "confidential"}))
    secret = Secret(name, CredentialSource(aws_environment), parse_signing_key, aws_environment)
    with pytest.raises(KeysInvalid) as found:
        secret.get()
    assert "certificates" in found.value.detail and "confidential" not in found.value.detail

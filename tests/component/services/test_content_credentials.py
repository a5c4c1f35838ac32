"""Content Credentials from the upload to its derivatives: index, event, manifest, signatures, removal and erasure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from obstore.store import MemoryStore

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.aws.telemetry import LightObserver
from darkroom.environment import CredentialsEnvironment
from darkroom.errors import Unavailable
from darkroom.image_keys import manifests_prefix
from darkroom.plan.presets import Presets
from darkroom.settings import parse_settings
from darkroom_pipeline.content_credentials import build_reader, build_signer
from darkroom_pipeline.content_credentials.reader import read_credentials
from darkroom_pipeline.content_credentials.signer import ManifestSigner, SigningKey
from darkroom_pipeline.reencode.service import ReencodeMessage, ReencodeOutcome, Reencoder
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.handler import handle_event
from darkroom_pipeline.services.manifests import MANIFEST_TYPE, SIGNED, TRUST_ANCHORS, Parent, SignedFile
from tests.images.metadata_files import provenance_of
from tests.images.photographs import jpeg_photo
from tests.images.signed_files import ISSUER, make_identity, read_manifest, sign_upload, tamper
from tests.images.sources import photo, saved

from .ingest_environment import IngestEnvironment

KEY, TWIN = "photo.jpg", "copy.jpg"
PHOTO = saved(photo(), "JPEG", quality=95)
SIGNED_PHOTO = sign_upload(PHOTO)
PRESETS = Presets({"small": {"w": "60", "f": "jpeg"}}, {}, ("small",))
PRESET = "w-60.jpeg"


class Key:
    def get(self) -> SigningKey:
        return make_identity("Example Agency")[0]


def make_signer(base_url: str = "") -> ManifestSigner:
    return ManifestSigner(Key(), lambda: None, base_url)


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    env = IngestEnvironment.build(aws)
    env.credentials = read_credentials
    return env


@pytest.fixture
def media(env: IngestEnvironment, aws_environment: dict[str, str]) -> FastBucket:
    return connect(env.names["media"], CredentialSource(aws_environment), aws_environment)


def ingest(env: IngestEnvironment, key: str, body: bytes) -> IngestOutcome:
    """Ingest with one preset."""
    return handle_event(replace(env.context, presets=PRESETS), env.change(key, env.upload(key, body)))


def manifests(env: IngestEnvironment) -> list[str]:
    return env.keys("media", "manifests/")


def name_of(body: bytes, key: str = KEY) -> str:
    return manifests_prefix(key) + sha256(body).hexdigest()


def test_index_and_event_have_the_state_and_the_manifest_is_kept(env: IngestEnvironment) -> None:
    assert env.created(KEY, SIGNED_PHOTO) is IngestOutcome.READY
    record = env.record(KEY)
    found = record.provenance["content_credentials"]
    assert {name: found[name] for name in ("embedded", "state", "issuer", "ai")} == {
        "embedded": True,
        "state": "valid",
        "issuer": ISSUER,
        "ai": False,
    }
    assert record.provenance["digital_source_type"] == "digitalCapture"
    ((_, detail),) = env.published()
    assert detail["provenance"]["content_credentials"] == found
    assert manifests(env) == [name_of(SIGNED_PHOTO)]
    head = env.vault("media").head(name_of(SIGNED_PHOTO))
    assert head is not None and head.headers["Content-Type"] == MANIFEST_TYPE
    assert b"c2pa" not in env.body("media", f"masters/{KEY}")


def test_a_changed_upload_is_served_and_marked(env: IngestEnvironment) -> None:
    assert env.created(KEY, tamper(SIGNED_PHOTO)) is IngestOutcome.READY
    found = env.record(KEY).provenance["content_credentials"]
    assert (found["state"], found["problems"]) == ("invalid", ["assertion.dataHash.mismatch"])
    assert "digital_source_type" not in env.record(KEY).provenance


def test_an_upload_without_any_costs_nothing(env: IngestEnvironment) -> None:
    env.credentials = lambda data, media_type: pytest.fail("it has none")
    assert env.created(KEY, PHOTO) is IngestOutcome.READY
    assert "content_credentials" not in env.record(KEY).provenance
    assert manifests(env) == []


def test_where_nothing_reads_them_they_are_unchecked(env: IngestEnvironment) -> None:
    env.credentials = None
    env.created(KEY, SIGNED_PHOTO)
    assert env.record(KEY).provenance["content_credentials"] == {"embedded": True, "state": "unchecked"}


def test_a_deployment_without_them_serves_uploads_unchecked_and_unsigned(
    env: IngestEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed = CredentialsEnvironment({"MEDIA_BUCKET": env.names["media"]})
    signing = parse_settings({"sign_derivatives": True})
    env.credentials = build_reader(deployed, env.vault("media").read)
    env.signer = build_signer(deployed, signing, LightObserver("ingest"))
    assert "sign_derivatives needs ContentCredentials=on" in capsys.readouterr().out
    assert ingest(env, KEY, SIGNED_PHOTO) is IngestOutcome.READY
    assert env.record(KEY).provenance["content_credentials"] == {"embedded": True, "state": "unchecked"}
    assert "content_credentials" not in provenance_of(env.body("media", f"derivatives/{KEY}/_/{PRESET}"))
    assert manifests(env) == []


def test_a_deployment_with_them_validates_by_its_trust_anchors(env: IngestEnvironment) -> None:
    deployed = CredentialsEnvironment({"MEDIA_BUCKET": env.names["media"], "CREDENTIALS_SECRET": "some"})
    env.credentials = build_reader(deployed, env.vault("media").read)
    env.vault("media").put(TRUST_ANCHORS, make_identity()[1].encode(), headers={}, metadata={})
    assert env.created(KEY, SIGNED_PHOTO) is IngestOutcome.READY
    assert env.record(KEY).provenance["content_credentials"]["state"] == "trusted"
    assert manifests(env) == [name_of(SIGNED_PHOTO)]


def test_settings_select_what_signs() -> None:
    deployed = CredentialsEnvironment({"MEDIA_BUCKET": "media", "CREDENTIALS_SECRET": "some"})
    observer = LightObserver("ingest")
    assert build_signer(deployed, parse_settings({}), observer) is None
    table = {"sign_derivatives": True, "manifest_base_url": "https://img.example", "max_manifest_bytes": 5000}
    found = build_signer(deployed, parse_settings(table), observer)
    assert isinstance(found, ManifestSigner)
    assert (found.base_url, found.room_bytes) == ("https://img.example", 5000)


def test_presets_are_signed_with_the_upload_as_their_parent(env: IngestEnvironment) -> None:
    env.signer = make_signer()
    assert ingest(env, KEY, SIGNED_PHOTO) is IngestOutcome.READY
    name = f"derivatives/{KEY}/_/{PRESET}"
    state, manifest = read_manifest(env.body("media", name), "image/jpeg")
    assert (state, manifest["signature_info"]["issuer"]) == ("Valid", "Example Agency")
    (parent,) = manifest["ingredients"]
    assert manifest["store"]["manifests"][parent["active_manifest"]]["signature_info"]["issuer"] == ISSUER
    head = env.vault("media").head(name)
    assert head is not None and int(head.metadata[SIGNED]) > 3_000


def test_without_a_signer_none_are(env: IngestEnvironment) -> None:
    ingest(env, KEY, SIGNED_PHOTO)
    assert "content_credentials" not in provenance_of(env.body("media", f"derivatives/{KEY}/_/{PRESET}"))


def test_without_a_valid_key_presets_are_served_unsigned(
    env: IngestEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> SignedFile:
        raise Unavailable(detail="no key")

    env.signer = fail
    assert ingest(env, KEY, PHOTO) is IngestOutcome.READY
    assert "content_credentials" not in provenance_of(env.body("media", f"derivatives/{KEY}/_/{PRESET}"))
    assert "derivative not signed" in capsys.readouterr().out


@pytest.mark.slow
def test_a_small_preset_has_its_manifest_beside_it_until_it_is_purged(env: IngestEnvironment) -> None:
    env.signer = make_signer("https://img.example.com")
    ingest(env, KEY, SIGNED_PHOTO)
    (name,) = [name for name in env.keys("media", f"derivatives/{KEY}/_/") if name.endswith(".c2pa")]
    body = env.body("media", f"derivatives/{KEY}/_/{PRESET}")
    assert read_manifest(body, "image/jpeg", env.body("media", name))[0] == "Valid"
    url = provenance_of(body)["content_credentials"]["url"]
    assert url == f"https://img.example.com/_large/{name.removeprefix('derivatives/')}"
    assert ingest(env, TWIN, SIGNED_PHOTO) is IngestOutcome.READY, "a copy would need the manifest of another key"
    env.signer = None
    ingest(env, KEY, saved(photo().rotate(180), "JPEG"))
    assert [name for name in env.keys("media", f"derivatives/{KEY}/_/") if name.endswith(".c2pa")] == []


@pytest.mark.slow
def test_a_copy_of_known_bytes_has_its_own_manifest(env: IngestEnvironment) -> None:
    env.signer = make_signer()
    ingest(env, KEY, SIGNED_PHOTO)
    assert ingest(env, TWIN, SIGNED_PHOTO) is IngestOutcome.DUPLICATE
    assert env.record(TWIN).provenance == env.record(KEY).provenance
    assert set(manifests(env)) == {name_of(SIGNED_PHOTO), name_of(SIGNED_PHOTO, TWIN)}
    for key in (KEY, TWIN):
        head = env.vault("media").head(f"derivatives/{key}/_/{PRESET}")
        assert head is not None and SIGNED in head.metadata
    env.signer = None
    assert ingest(env, "third.jpg", SIGNED_PHOTO) is IngestOutcome.READY, "its presets are not signed"


@pytest.mark.slow
def test_a_replaced_upload_takes_its_manifest_along(env: IngestEnvironment) -> None:
    env.created(KEY, SIGNED_PHOTO)
    other = sign_upload(saved(photo().rotate(180), "JPEG"))
    env.created(KEY, other)
    assert manifests(env) == [name_of(other)]
    env.created(KEY, saved(photo().rotate(90), "JPEG"))
    assert manifests(env) == []


def test_a_deleted_upload_takes_its_manifest_along(env: IngestEnvironment) -> None:
    env.created("photo.jpg.jpg", SIGNED_PHOTO)
    env.created(KEY, SIGNED_PHOTO)
    assert env.deleted(KEY) is IngestOutcome.REMOVED
    assert manifests(env) == [name_of(SIGNED_PHOTO, "photo.jpg.jpg")]


@pytest.mark.slow
def test_a_held_upload_keeps_its_manifest_beside_that_of_the_served_one(env: IngestEnvironment) -> None:
    env.created(KEY, SIGNED_PHOTO)
    env.blocks = True
    other = sign_upload(saved(photo().rotate(180), "JPEG"))
    assert env.created(KEY, other) is IngestOutcome.HELD
    assert set(manifests(env)) == {name_of(SIGNED_PHOTO), name_of(other)}
    assert env.released(KEY, other) is IngestOutcome.RELEASED
    assert env.record(KEY).provenance["content_credentials"]["state"] == "valid"
    assert manifests(env) == [name_of(other)]


@pytest.mark.slow
def test_a_held_upload_that_is_replaced_takes_its_manifest_along(env: IngestEnvironment) -> None:
    env.created(KEY, SIGNED_PHOTO)
    env.blocks = True
    other = sign_upload(saved(photo().rotate(180), "JPEG"))
    env.created(KEY, other)
    env.created(KEY, b"no image")
    assert manifests(env) == [name_of(SIGNED_PHOTO)]


def make_reencoder(media: FastBucket) -> Reencoder:
    return Reencoder(
        source=media, media=media, observer=LightObserver("refine"), signer=make_signer(), presets=lambda: PRESETS
    )


@pytest.fixture
def reencoder(media: FastBucket) -> Reencoder:
    return make_reencoder(media)


def attributes_of(media: FastBucket, name: str) -> tuple[bytes, dict[str, str]]:
    found = media.open(name)
    assert found is not None
    return found.read(), dict(found.attributes)


@pytest.mark.slow
def test_a_re_encoded_derivative_is_signed(env: IngestEnvironment, media: FastBucket, reencoder: Reencoder) -> None:
    env.signer = make_signer()
    presets = Presets({"wide": {"w": "640", "f": "webp"}}, {}, ("wide",))
    upload = sign_upload(jpeg_photo())
    handle_event(replace(env.context, presets=presets), env.change(KEY, env.upload(KEY, upload)))
    name = f"derivatives/{KEY}/_/w-640.webp"
    before, attributes = attributes_of(media, name)
    assert reencoder.handle(ReencodeMessage(name, 1)) is ReencodeOutcome.REFINED
    after, refined = attributes_of(media, name)
    assert len(after) < len(before)
    assert refined["pace"] == "thorough"
    state, manifest = read_manifest(after, "image/webp")
    assert (state, len(manifest["store"]["manifests"])) == ("Valid", 2)
    assert abs(int(refined[SIGNED]) - int(attributes[SIGNED])) < 100


def test_a_re_encoded_derivative_of_a_master_without_a_type_is_signed() -> None:
    media, name = FastBucket(MemoryStore()), f"derivatives/{KEY}/_/{PRESET}"
    etag = media.put(f"masters/{KEY}", PHOTO, {})
    body = saved(photo().resize((60, 45)), "JPEG")
    media.put(name, body, {"Content-Type": "image/jpeg", "source-etag": etag.strip('"')})
    assert make_reencoder(media).handle(ReencodeMessage(name, 1)) in (ReencodeOutcome.REFINED, ReencodeOutcome.KEPT)
    state, manifest = read_manifest(attributes_of(media, name)[0], "image/jpeg")
    assert (state, manifest["ingredients"][0]["format"]) == ("Valid", "application/octet-stream")


@pytest.mark.slow
def test_what_is_not_smaller_is_signed_once(env: IngestEnvironment, media: FastBucket, reencoder: Reencoder) -> None:
    """A derivative that was stored unsigned gets a signature, one that has one keeps its bytes."""
    name = f"derivatives/{KEY}/_/w-640.webp"
    upload = sign_upload(jpeg_photo())
    env.created(KEY, upload)
    master = media.etag(f"masters/{KEY}")
    assert master is not None
    presets = Presets({"wide": {"w": "640", "f": "webp"}}, {}, ("wide",))
    handle_event(replace(env.context, presets=presets), env.change("b.jpg", env.upload("b.jpg", jpeg_photo())))
    plain = env.body("media", "derivatives/b.jpg/_/w-640.webp")
    media.put(name, plain, {"Content-Type": "image/webp", "source-etag": master.strip('"')})
    assert replace(reencoder, signer=None).handle(ReencodeMessage(name, 1)) is ReencodeOutcome.REFINED
    best, attributes = attributes_of(media, name)
    assert SIGNED not in attributes
    media.put(name, best, {**attributes, "pace": "quick"})
    assert reencoder.handle(ReencodeMessage(name, 1)) is ReencodeOutcome.KEPT
    signed, attributes = attributes_of(media, name)
    assert read_manifest(signed, "image/webp")[0] == "Valid"
    assert int(attributes[SIGNED]) == len(signed) - len(best)
    media.put(name, signed, {**attributes, "pace": "quick"})
    assert reencoder.handle(ReencodeMessage(name, 1)) is ReencodeOutcome.KEPT
    assert attributes_of(media, name) == (signed, attributes)


@pytest.mark.slow
def test_a_re_encode_without_a_valid_key_is_tried_again(
    env: IngestEnvironment, media: FastBucket, reencoder: Reencoder
) -> None:
    def fail(*_: object, **__: object) -> SignedFile:
        raise Unavailable(detail="no key")

    presets = Presets({"wide": {"w": "640", "f": "webp"}}, {}, ("wide",))
    handle_event(replace(env.context, presets=presets), env.change(KEY, env.upload(KEY, jpeg_photo())))
    name = f"derivatives/{KEY}/_/w-640.webp"
    before = attributes_of(media, name)
    with pytest.raises(Unavailable):
        replace(reencoder, signer=fail).handle(ReencodeMessage(name, 1))
    assert attributes_of(media, name) == before


@pytest.mark.slow
def test_a_small_re_encoded_derivative_has_its_manifest_beside_it(
    env: IngestEnvironment, media: FastBucket, reencoder: Reencoder
) -> None:
    presets = Presets({"wide": {"w": "640", "f": "webp"}}, {}, ("wide",))
    handle_event(replace(env.context, presets=presets), env.change(KEY, env.upload(KEY, jpeg_photo())))
    name = f"derivatives/{KEY}/_/w-640.webp"
    remote = replace(reencoder, signer=make_signer("https://img.example.com"))
    assert remote.handle(ReencodeMessage(name, 1)) in (ReencodeOutcome.REFINED, ReencodeOutcome.KEPT)
    (manifest,) = [one for one in env.keys("media", f"derivatives/{KEY}/_/") if one.endswith(".c2pa")]
    body, attributes = attributes_of(media, name)
    assert read_manifest(body, "image/webp", env.body("media", manifest))[0] == "Valid"
    assert attributes[SIGNED].endswith(" remote")
    _, stored = attributes_of(media, manifest)
    assert (stored["Content-Type"], stored["source-etag"]) == (MANIFEST_TYPE, attributes["source-etag"])


def test_the_parent_of_an_upload_without_a_manifest_is_its_hash(env: IngestEnvironment) -> None:
    parents: list[Parent] = []

    def record(plan: object, body: bytes, content_type: str, parent: Parent) -> SignedFile:
        parents.append(parent)
        return SignedFile(body)

    env.signer = record
    ingest(env, KEY, PHOTO)
    assert parents == [Parent(sha256(PHOTO).hexdigest(), "image/jpeg", b"")]

"""Rights from the upload to the file: index, event, master, presets, renders, and uploads that change nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from obstore.store import MemoryStore
from PIL import Image

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.aws.telemetry import LightObserver
from darkroom.imaging.formats.metadata.locate import embed_rights
from darkroom.imaging.formats.metadata.rights import Rights
from darkroom.plan.presets import Presets
from darkroom.plan.variants import AccessMode
from darkroom.services.serve.answers import Answer, Rendered, Stored, TransformRequest
from darkroom.services.serve.transform import Transform
from darkroom_pipeline.aws.record import MasterRef
from darkroom_pipeline.reencode.service import ReencodeMessage, ReencodeOutcome, Reencoder
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.handler import handle_event
from tests.fixed_keys import FixedKeys
from tests.images.metadata_files import packet, provenance_of
from tests.images.mezzanines import large_photo, put_photo
from tests.images.rendering import seen
from tests.images.rights_files import RIGHTS, read_packets, rights_packet, with_rights
from tests.images.sources import photo, saved

from .ingest_environment import IngestEnvironment

KEY = "photo.jpg"
STATED = Rights.from_provenance(RIGHTS)
ANN = Rights(creator="Ann")
OTHER = packet("<dc:creator>Eve</dc:creator>")
PRESETS = Presets(
    {"plain": {"w": "60", "f": "jpeg"}, "named": {"w": "50", "f": "jpeg", "meta": "rights"}}, {}, ("plain", "named")
)


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


@pytest.fixture
def media(env: IngestEnvironment, aws_environment: dict[str, str]) -> FastBucket:
    return connect(env.names["media"], CredentialSource(aws_environment), aws_environment)


def make_service(bucket: FastBucket) -> Transform:
    return Transform(source=bucket, media=bucket, keys=FixedKeys(("key",)), mode=AccessMode.OPEN)


def body_of(answer: Answer) -> bytes:
    assert isinstance(answer, Rendered | Stored), answer
    assert answer.body is not None
    return answer.body


def get(bucket: FastBucket, name: str, key: str = KEY) -> bytes:
    return body_of(make_service(bucket).answer(TransformRequest(path=f"/{key}/_/{name}")))


def rights_of(body: bytes) -> Rights:
    return Rights.from_provenance(provenance_of(body))


def same_pixels(xmp: str) -> bytes:
    return saved(photo(), "JPEG", xmp=xmp.encode())


def test_index_event_and_master_have_them(env: IngestEnvironment) -> None:
    assert env.created(KEY, with_rights()) is IngestOutcome.READY
    record = env.record(KEY)
    assert {name: record.provenance[name] for name in RIGHTS} == RIGHTS
    head = env.vault("media").head(f"masters/{KEY}")
    assert head is not None
    assert head.metadata["rights"] == record.master.rights == STATED.text
    assert sum(len(name) + len(text) for name, text in head.metadata.items()) < 2_048
    ((kind, detail),) = env.published()
    assert kind == "ImageReady"
    assert {name: detail["provenance"][name] for name in RIGHTS} == RIGHTS
    assert b"Ann" not in env.body("media", f"masters/{KEY}")


def test_a_render_and_f_json_have_them_from_the_master(env: IngestEnvironment, media: FastBucket) -> None:
    env.created(KEY, with_rights())
    assert rights_of(get(media, "cr-1_w-100.webp")) == STATED
    assert read_packets(get(media, "w-100.webp")) == []
    assert json.loads(get(media, "full.json"))["rights"] == RIGHTS


def test_an_upload_without_any_has_none(env: IngestEnvironment, media: FastBucket) -> None:
    env.created(KEY, saved(photo(), "JPEG"))
    assert env.record(KEY).master.rights == "-"
    assert json.loads(get(media, "full.json"))["rights"] == {}
    assert get(media, "cr-1_w-100.webp") == get(media, "w-100.webp")


@pytest.mark.slow
@pytest.mark.parametrize(("default", "stated"), [("none", {"named"}), ("rights", {"plain", "named"})])
def test_presets_at_ingest_follow_the_setting(env: IngestEnvironment, default: str, stated: set[str]) -> None:
    context = replace(env.context, presets=PRESETS, metadata=default)
    handle_event(context, env.change(KEY, env.upload(KEY, with_rights())))
    names = {"plain": "w-60.jpeg", "named": "w-50.jpeg"}
    expected = {f"{KEY}/_/" + ("cr-1_" if name in stated else "") + rest for name, rest in names.items()}
    assert set(env.record(KEY).derivatives) == expected
    found = {name: rights_of(env.body("media", f"derivatives/{name}")) for name in expected}
    assert found == {name: STATED if "cr-1" in name else Rights() for name in expected}


@pytest.mark.slow
def test_other_rights_of_the_same_pixels_replace_what_states_them(env: IngestEnvironment, media: FastBucket) -> None:
    env.created(KEY, same_pixels(rights_packet()))
    before = env.record(KEY).master
    assert rights_of(get(media, "cr-1_w-100.webp")) == STATED
    get(media, "w-100.webp"), get(media, "full.json")
    assert env.created(KEY, same_pixels(OTHER)) is IngestOutcome.READY
    after = env.record(KEY).master
    assert (after.etag, after.rights) == (before.etag, Rights(creator="Eve").text)
    stored = {name.rpartition("/")[2] for name in env.keys("media", f"derivatives/{KEY}/_/")}
    assert {"cr-1_w-100.webp", "full.json", "w-100.webp"} & stored == {"w-100.webp"}
    assert rights_of(get(media, "cr-1_w-100.webp")) == Rights(creator="Eve")
    assert json.loads(get(media, "full.json"))["rights"] == {"creator": "Eve"}


@pytest.mark.slow
def test_a_derivative_that_was_stored_late_is_not_served(env: IngestEnvironment, media: FastBucket) -> None:
    """A render that began before the rights changed stores after the purge: the next one finds it stale."""
    env.created(KEY, same_pixels(rights_packet()))
    get(media, "cr-1_w-100.webp")
    name = f"derivatives/{KEY}/_/cr-1_w-100.webp"
    late = media.open(name)
    assert late is not None
    body, attributes = late.read(), dict(late.attributes)
    env.created(KEY, same_pixels(OTHER))
    media.put(name, body, {key: attributes[key] for key in ("Content-Type", "source-etag")})
    assert rights_of(get(media, "cr-1_w-100.webp")) == Rights(creator="Eve")


@pytest.mark.slow
def test_a_copy_of_known_bytes_has_them(env: IngestEnvironment, media: FastBucket) -> None:
    env.created(KEY, with_rights())
    assert env.created("copy.jpg", with_rights()) is IngestOutcome.DUPLICATE
    assert env.record("copy.jpg").master.rights == STATED.text
    assert rights_of(get(media, "cr-1_w-100.webp", "copy.jpg")) == STATED


@pytest.mark.slow
def test_bytes_of_an_earlier_version_are_ingested_again(env: IngestEnvironment) -> None:
    env.created(KEY, with_rights())
    record = env.record(KEY)
    env.index.put_record(replace(record, master=replace(record.master, rights="")))
    assert env.record(KEY).master.rights == ""
    assert env.created("copy.jpg", with_rights()) is IngestOutcome.READY
    assert env.created(KEY, with_rights()) is IngestOutcome.DUPLICATE, "of the copy"
    assert env.record(KEY).master.rights == STATED.text


def test_a_released_image_keeps_them(env: IngestEnvironment) -> None:
    env.blocks = True
    body = with_rights()
    assert env.created(KEY, body) is IngestOutcome.HELD
    held: MasterRef = env.record(KEY).held.master
    assert held.rights == STATED.text
    env.released(KEY, body)
    head = env.vault("media").head(f"masters/{KEY}")
    assert head is not None and head.metadata["rights"] == STATED.text


def test_a_render_from_a_mezzanine_has_those_of_the_master(bucket: FastBucket) -> None:
    put_photo(bucket, KEY, rights=STATED.text)
    body = get(bucket, "cr-1_w-400.webp")
    assert rights_of(body) == STATED
    mezzanine = bucket.open(f"derivatives/{KEY}/_/mezzanine-1280.jpg")
    assert mezzanine is not None
    assert read_packets(mezzanine.read()) == []


@pytest.mark.parametrize(
    ("text", "expected"), [(STATED.text, STATED), ("-", Rights()), ("", ANN), ("All rights reserved", ANN)]
)
def test_mezzanines_are_used_only_where_the_metadata_of_the_master_has_its_rights(text: str, expected: Rights) -> None:
    bucket = FastBucket(MemoryStore())
    other = saved(Image.new("RGB", (1280, 853), "red"), "JPEG")
    put_photo(bucket, KEY, other, master=embed_rights(large_photo(), "jpeg", ANN), rights=text)
    body = get(bucket, "cr-1_w-400.webp")
    assert rights_of(body) == expected
    from_mezzanine = seen(body).mean(axis=(0, 1))[1] < 5
    assert from_mezzanine == (expected != ANN)


@pytest.mark.slow
def test_a_re_encoded_derivative_keeps_them(env: IngestEnvironment, media: FastBucket) -> None:
    env.created(KEY, with_rights())
    get(media, "cr-1_w-320.webp")
    name = f"derivatives/{KEY}/_/cr-1_w-320.webp"
    reencoder = Reencoder(source=media, media=media, observer=LightObserver("refine"))
    assert reencoder.handle(ReencodeMessage(name, 1)) in (ReencodeOutcome.REFINED, ReencodeOutcome.KEPT)
    found = media.open(name)
    assert found is not None
    assert found.attributes["pace"] == "thorough"
    assert rights_of(found.read()) == STATED
    env.created(KEY, with_rights())
    assert media.open(name) is not None, "a repeated upload changes nothing"

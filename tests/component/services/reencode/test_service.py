"""The re-encoding service on S3 (MiniStack) and in memory: what it re-encodes, what it skips, and races."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import pytest
from PIL import Image

from darkroom.aws.s3_fast import FastBucket, StoredObject
from darkroom.aws.telemetry import LightObserver
from darkroom.errors import BadUpload, Unavailable
from darkroom.findings import ENDPOINT, FACES, Face, Finding, Findings, Region, findings_to_document
from darkroom.image_keys import encode_key
from darkroom.plan.canonical import derivative_name
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import Plan, Watermark
from darkroom.plan.presets import Presets
from darkroom.services.caching import PACE, SOURCE_ETAG, CachePolicy
from darkroom.services.serve.answers import Rendered
from darkroom.services.serve.transform import Transform
from darkroom_pipeline.reencode.service import (
    ReencodeMessage,
    ReencodeOutcome,
    Reencoder,
    parse_message,
    reencode_message,
)
from tests.component.services.emf_metrics import counted, of
from tests.component.services.test_transform import Keys, request
from tests.images.photographs import jpeg_photo, png_noise
from tests.images.rendering import seen
from tests.images.sources import saved

NAME = "derivatives/photo.jpg/_/w-640.webp"
CACHING = CachePolicy(refines=True)


@pytest.fixture
def transform(bucket: FastBucket) -> Transform:
    bucket.put("masters/photo.jpg", jpeg_photo(), {})
    return Transform(source=bucket, media=bucket, keys=Keys(), caching=CACHING, inference=True, clock=lambda: 0.0)


@pytest.fixture
def service(bucket: FastBucket) -> Reencoder:
    return Reencoder(source=bucket, media=bucket, observer=LightObserver("refine"), caching=CACHING)


@pytest.fixture
def stored(transform: Transform, bucket: FastBucket) -> StoredObject:
    """A derivative that was encoded fast, as it is stored."""
    assert isinstance(transform.answer(request("/photo.jpg?w=640&f=webp")), Rendered)
    return opened(bucket, NAME)


def opened(bucket: FastBucket, name: str) -> StoredObject:
    found = bucket.open(name)
    assert found is not None
    return found


@pytest.mark.slow
def test_a_derivative_is_put_over_by_a_smaller_one(
    service: Reencoder, stored: StoredObject, bucket: FastBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    assert service.handle(ReencodeMessage(NAME)) is ReencodeOutcome.REFINED
    found = opened(bucket, NAME)
    assert found.size_bytes < stored.size_bytes
    assert found.attributes[PACE] == "thorough"
    assert found.attributes[SOURCE_ETAG] == stored.attributes[SOURCE_ETAG]
    assert found.attributes["Content-Type"] == "image/webp"
    assert stored.attributes["Cache-Control"] != found.attributes["Cache-Control"] == CACHING.cache_control("photo.jpg")
    service.observer.flush()
    observed = counted(capsys.readouterr().out)
    assert of(observed, "Refined") == {"": 1, "webp": 1}
    assert of(observed, "BytesSaved") == {"": stored.size_bytes - found.size_bytes}


@pytest.mark.slow
def test_a_second_message_finds_nothing_to_do(
    service: Reencoder, stored: StoredObject, bucket: FastBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    """That of its own put, for one."""
    service.handle(ReencodeMessage(NAME))
    found = opened(bucket, NAME)
    assert service.handle(ReencodeMessage(NAME)) is ReencodeOutcome.THOROUGH
    assert opened(bucket, NAME).etag == found.etag != stored.etag
    service.observer.flush()
    assert of(counted(capsys.readouterr().out), "RefineSkipped") == {"thorough": 1}


@pytest.mark.slow
def test_what_is_as_small_as_it_gets_is_written_down(
    service: Reencoder, stored: StoredObject, bucket: FastBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    service.handle(ReencodeMessage(NAME))
    best = opened(bucket, NAME)
    body = best.read()
    bucket.put(NAME, body, {**best.attributes, PACE: "quick", "Cache-Control": "public, s-maxage=7200"})
    assert service.handle(ReencodeMessage(NAME)) is ReencodeOutcome.KEPT
    found = opened(bucket, NAME)
    assert found.attributes[PACE] == "thorough"
    assert found.attributes["Cache-Control"] == CACHING.cache_control("photo.jpg")
    assert found.read() == body
    service.observer.flush()
    assert of(counted(capsys.readouterr().out), "RefineSkipped") == {"kept": 1}


@pytest.mark.slow
def test_a_type_may_be_chosen_again_and_the_headers_name_it(
    service: Reencoder, transform: Transform, bucket: FastBucket
) -> None:
    name = "derivatives/photo.jpg/_/w-320.auto-avif"
    transform.answer(request("/photo.jpg?w=320", extension="auto-avif"))
    assert service.handle(ReencodeMessage(name)) is ReencodeOutcome.REFINED
    assert opened(bucket, name).attributes["Content-Type"] == "image/avif"


@pytest.mark.slow
def test_a_signed_derivative_is_re_encoded_when_it_is_popular(
    service: Reencoder, transform: Transform, bucket: FastBucket
) -> None:
    name = "derivatives/photo.jpg/_/w-321.webp"
    transform.answer(request("/photo.jpg?w=321&f=webp", key="key"))
    quick = opened(bucket, name)
    assert service.handle(ReencodeMessage(name)) is ReencodeOutcome.SIGNED
    assert opened(bucket, name).etag == quick.etag
    assert service.handle(ReencodeMessage(name, hits=20)) is ReencodeOutcome.REFINED
    assert opened(bucket, name).size_bytes < quick.size_bytes


@pytest.mark.slow
def test_both_watermarks_of_a_dialect_stay(service: Reencoder, transform: Transform, bucket: FastBucket) -> None:
    marks = {"red": (255, 0, 0), "blue": (0, 0, 255)}
    for name, colour in marks.items():
        bucket.put(f"masters/{name}.png", saved(Image.new("RGB", (90, 90), colour), "PNG"), {})
    presets = Presets({}, {name: f"masters/{name}.png" for name in marks})
    plan = Plan(
        "photo.jpg",
        width=640,
        format="webp",
        watermark=Watermark("red", "northwest"),
        second_watermark=Watermark("blue", "southeast"),
    )
    assert isinstance(replace(transform, presets=lambda: presets).serve(plan), Rendered)
    name = f"derivatives/{derivative_name(plan)}"
    assert replace(service, presets=lambda: presets).handle(ReencodeMessage(name, hits=20)) is ReencodeOutcome.REFINED
    shown = seen(opened(bucket, name).read()).astype(int)
    assert (shown[30, 30, 0] - shown[30, 30, 2]) > 150
    assert (shown[-30, -30, 2] - shown[-30, -30, 0]) > 150


@pytest.mark.parametrize(
    "name",
    [
        "derivatives/photo.jpg/_/full.json",
        "derivatives/photo.jpg/_/full.thumbhash",
        "derivatives/photo.jpg/_/refusal.json",
        "derivatives/photo.jpg/_/mezzanine-1280.jpg",
        "derivatives/photo.jpg/_/w-0640.webp",
        "derivatives/photo.jpg",
    ],
)
def test_only_images_are_re_encoded(service: Reencoder, bucket: FastBucket, name: str) -> None:
    bucket.put("masters/photo.jpg", jpeg_photo(), {})
    bucket.put(name, b"{}", {SOURCE_ETAG: str(bucket.etag("masters/photo.jpg")).strip('"')})
    assert service.handle(ReencodeMessage(name, hits=1000)) is ReencodeOutcome.NO_IMAGE


def test_what_was_purged_stays_away(service: Reencoder, stored: StoredObject, bucket: FastBucket) -> None:
    bucket.delete(NAME)
    assert service.handle(ReencodeMessage(NAME)) is ReencodeOutcome.GONE
    assert bucket.open(NAME) is None


@pytest.mark.parametrize("master", [None, png_noise(300, 200)])
def test_what_is_of_an_earlier_master_is_left_to_its_purge(
    service: Reencoder, stored: StoredObject, bucket: FastBucket, master: bytes | None
) -> None:
    bucket.delete("masters/photo.jpg") if master is None else bucket.put("masters/photo.jpg", master, {})
    assert service.handle(ReencodeMessage(NAME)) is ReencodeOutcome.STALE
    assert opened(bucket, NAME).etag == stored.etag


def test_a_derivative_without_its_source_tag_is_left(
    service: Reencoder, stored: StoredObject, bucket: FastBucket
) -> None:
    bucket.put(NAME, stored.read(), {"Content-Type": "image/webp"})
    assert service.handle(ReencodeMessage(NAME)) is ReencodeOutcome.STALE


@dataclass
class Interrupted(FastBucket):
    """``real``, with ``act`` just before something is put."""

    real: FastBucket
    act: Callable[[], object]

    def open(self, key: str) -> StoredObject | None:
        return self.real.open(key)

    def etag(self, key: str) -> str | None:
        return self.real.etag(key)

    def put(self, key: str, body: bytes, attributes: Mapping[str, str], replaces: str | None = None) -> str:
        self.act()
        return self.real.put(key, body, attributes, replaces)

    def delete(self, key: str) -> None:
        self.real.delete(key)


@pytest.mark.slow
def test_a_derivative_stored_meanwhile_wins(service: Reencoder, stored: StoredObject, bucket: FastBucket) -> None:
    late = replace(service, media=Interrupted(bucket, lambda: bucket.put(NAME, b"newer", {PACE: "quick"})))
    assert late.handle(ReencodeMessage(NAME)) is ReencodeOutcome.OVERTAKEN
    assert opened(bucket, NAME).read() == b"newer"


@pytest.mark.slow
def test_a_purge_meanwhile_is_not_undone(service: Reencoder, stored: StoredObject, bucket: FastBucket) -> None:
    late = replace(service, media=Interrupted(bucket, lambda: bucket.delete(NAME)))
    assert late.handle(ReencodeMessage(NAME)) is ReencodeOutcome.OVERTAKEN
    assert bucket.open(NAME) is None


@pytest.mark.slow
def test_what_was_made_of_a_master_that_went_meanwhile_is_deleted(
    service: Reencoder, stored: StoredObject, bucket: FastBucket
) -> None:
    def overwrite() -> None:
        bucket.put("masters/photo.jpg", png_noise(300, 200), {})

    late = replace(service, media=Interrupted(bucket, overwrite))
    assert late.handle(ReencodeMessage(NAME)) is ReencodeOutcome.OVERTAKEN
    assert bucket.open(NAME) is None


def test_a_source_that_is_refused_by_now_is_no_fault(
    service: Reencoder, stored: StoredObject, bucket: FastBucket
) -> None:
    stricter = replace(service, limits=replace(service.limits, max_pixels=1000))
    assert stricter.handle(ReencodeMessage(NAME)) is ReencodeOutcome.REFUSED
    assert opened(bucket, NAME).etag == stored.etag


def test_a_source_that_breaks_off_is_tried_again(service: Reencoder, stored: StoredObject, bucket: FastBucket) -> None:
    class Breaking(Interrupted):
        def open(self, key: str) -> StoredObject | None:
            found = self.real.open(key)

            def chunks() -> Iterator[bytes]:
                raise Unavailable(detail="the line went dead")
                yield b""

            return replace(found, chunks=chunks()) if found else None

    with pytest.raises(Unavailable):
        replace(service, source=Breaking(bucket, lambda: None)).handle(ReencodeMessage(NAME))
    assert opened(bucket, NAME).etag == stored.etag


@pytest.mark.slow
def test_faces_stay_hidden(service: Reencoder, transform: Transform, bucket: FastBucket) -> None:
    always = ForcedOptions.parse("=faces")
    finding = Finding(FACES, "model", "1", ENDPOINT, (Face(Region(0.4, 0.2, 0.2, 0.3), 0.9),))
    master = str(bucket.etag("masters/photo.jpg")).strip('"')
    document = findings_to_document(Findings("1", master, {FACES: finding}, ()))
    bucket.put("findings/1/photo.jpg.json", json.dumps(document).encode(), {})
    name = "derivatives/photo.jpg/_/fv-1_redact-faces_w-640.webp"
    hidden = replace(transform, always=always)
    path = request("/photo.jpg?w=640&f=webp")
    answer = hidden.answer(replace(path, path=f"/{name.removeprefix('derivatives/')}"))
    assert isinstance(answer, Rendered)
    refining = replace(service, always=always)
    assert service.handle(ReencodeMessage(name)) is ReencodeOutcome.SIGNED
    assert refining.handle(ReencodeMessage(name)) is ReencodeOutcome.REFINED
    from tests.images.rendering import apart, seen

    assert apart(seen(opened(bucket, name).read()), seen(answer.body)) < 3


# ------------------------------------------------------------------- orders


def test_an_order_is_read_from_an_event_or_a_message() -> None:
    event = {"detail-type": "Object Created", "detail": {"object": {"key": NAME, "size": 7}}}
    assert parse_message(json.dumps(event)) == ReencodeMessage(NAME)
    assert parse_message(json.dumps(reencode_message(NAME, 20))) == ReencodeMessage(NAME, 20)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"refine": 7}',
        '{"refine": "masters/a.jpg"}',
        '{"refine": "derivatives/a.jpg", "hits": "20"}',
        '{"detail": {"object": {}}}',
    ],
)
def test_what_names_no_derivative_is_no_order(body: str) -> None:
    with pytest.raises(BadUpload):
        parse_message(body)


@pytest.mark.parametrize("key", ["photo.jpg", "a b/ü+%.jpg", "deep/er/x"])
def test_the_key_is_decoded_from_the_name_of_an_object(key: str) -> None:
    plan = ReencodeMessage(f"derivatives/{encode_key(key)}/_/w-640.auto-webp").plan
    assert plan is not None
    assert (plan.key, plan.width, plan.format) == (key, 640, "auto-webp")

"""The transform service with findings: what it waits for, refuses and stores."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from darkroom.aws.s3_fast import FastBucket, StoredObject
from darkroom.errors import Unavailable
from darkroom.findings import (
    CLIENT,
    CUTOUT,
    ENDPOINT,
    FACES,
    FALLBACK,
    OBJECTS,
    TEXT,
    DetectedObject,
    Face,
    Finding,
    Findings,
    Region,
    TextLine,
    findings_to_document,
)
from darkroom.http.response import to_response
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.variants import AccessMode
from darkroom.services.serve.answers import Answer, Failed, Provisional, Rendered, Stored, TransformRequest
from darkroom.services.serve.store_policy import StorePolicy, load_unit_prices
from darkroom.services.serve.transform import Transform
from darkroom_pipeline.aws.findings_store import sidecar_name
from local.events import read_events
from tests.images.photographs import jpeg_photo, png_noise
from tests.images.rasters import encode, rectangle
from tests.images.rendering import rgba, seen

from .functions import Function, load
from .test_transform import Keys, code, request, status

ALWAYS = ForcedOptions.parse("private/=faces")
REDACTED, FACING = "/photo.jpg?w=300&redact=faces&f=png", "/photo.jpg?w=300&h=300&fit=cover&g=face&f=png"
FACE = Face(Region(0.4, 0.2, 0.2, 0.3), 0.9)


@pytest.fixture
def service(bucket: FastBucket) -> Transform:
    for key in ("photo.jpg", "private/photo.jpg"):
        bucket.put(f"masters/{key}", jpeg_photo(), {})
    return Transform(source=bucket, media=bucket, keys=Keys(), inference=True, always=ALWAYS, clock=lambda: 0.0)


def asked(url: str, *, generation: str = "1", key: str = "key") -> TransformRequest:
    """The request of the edge for ``url``: with forced redaction and the generation."""
    plain = request(url, key=key)
    plan = replace(ALWAYS.apply(parse_path(plain.path)), findings=generation)
    return replace(plain, path=canonical_path(plan))


def analyse(
    bucket: FastBucket,
    key: str = "photo.jpg",
    *,
    by: str = ENDPOINT,
    error: str = "",
    etag: str = "",
    pending: tuple[str, ...] = (),
) -> str:
    """Write a sidecar as inference does, and return its name."""
    finding = Finding(FACES, "model", "1", by, (FACE,), error=error)
    master = etag or str(bucket.etag(f"masters/{key}")).strip('"')
    name = sidecar_name("1", key)
    bucket.put(name, json.dumps(findings_to_document(Findings("1", master, {FACES: finding}, pending))).encode(), {})
    return name


def write_findings(bucket: FastBucket, *found: Finding, pending: tuple[str, ...] = ()) -> None:
    """Write a sidecar of ``found`` for photo.jpg."""
    etag = str(bucket.etag("masters/photo.jpg")).strip('"')
    findings = Findings("1", etag, {one.task: one for one in found}, pending)
    bucket.put(sidecar_name("1", "photo.jpg"), json.dumps(findings_to_document(findings)).encode(), {})


def text_of(*texts: str, classes: tuple[tuple[str, ...], ...] = ()) -> Finding:
    """Lines below each other in the left half, from a tenth of the height on; ``classes`` of personal data."""
    rows = [(0.1 + 0.2 * number, 0.2 + 0.2 * number) for number in range(len(texts))]
    return Finding(
        TEXT,
        "model",
        "1",
        lines=tuple(
            TextLine(((0.1, top), (0.4, top), (0.4, bottom), (0.1, bottom)), text, 0.9, personal)
            for text, (top, bottom), personal in zip(texts, rows, classes or ((),) * len(texts), strict=True)
        ),
    )


PLATE = Finding(
    OBJECTS,
    "squares",
    "1",
    objects=(DetectedObject("plate", Region(0.7, 0.7, 0.2, 0.2), 0.8),),
    classes=("car", "plate"),
)


def headers(answer: Answer) -> dict[str, str]:
    return to_response(answer, method="GET", viewer_url="/")["headers"]  # type: ignore[return-value]


def derivative(url: str) -> str:
    return "derivatives" + asked(url).path


def black(body: bytes) -> bool:
    """Whether the middle of the face is covered."""
    pixels = seen(body)
    return bool((pixels[round(pixels.shape[0] * 0.35), pixels.shape[1] // 2] == 0).all())


def test_an_image_without_analysis_is_not_served(service: Transform, bucket: FastBucket) -> None:
    answer = service.answer(asked(REDACTED))
    assert (code(answer), status(answer)) == ("findings-pending", 503)
    assert (headers(answer)["retry-after"], headers(answer)["cache-control"]) == ("5", "no-store")
    assert bucket.etag(derivative(REDACTED)) is None


def test_requested_areas_are_redacted(service: Transform, bucket: FastBucket) -> None:
    analyse(bucket)
    answer = service.answer(asked(REDACTED))
    assert isinstance(answer, Rendered)
    assert black(answer.body)
    stored = bucket.open("derivatives/photo.jpg/_/fv-1_redact-faces_w-300.png")
    assert stored is not None
    assert (stored.read(), stored.etag) == (answer.body, answer.derivative.etag)
    assert isinstance(service.answer(asked(REDACTED)), Stored)


def test_what_is_redacted_is_not_left_to_chance(service: Transform, bucket: FastBucket) -> None:
    analyse(bucket)
    policy = StorePolicy(lambda: load_unit_prices("x86_64"), draw=lambda: 1 - 2**-48)
    by_chance = replace(service, stores="auto", store_policy=policy)
    assert isinstance(by_chance.answer(asked(REDACTED)), Rendered)
    assert bucket.etag("derivatives/photo.jpg/_/fv-1_redact-faces_w-300.png") is not None
    assert len(policy.seen) == 0


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda bucket: analyse(bucket, etag="another"), id="of another master"),
        pytest.param(lambda bucket: bucket.put(sidecar_name("1", "photo.jpg"), b"{", {}), id="no JSON"),
        pytest.param(lambda bucket: bucket.put(sidecar_name("1", "photo.jpg"), b"[]", {}), id="no document"),
        pytest.param(lambda bucket: bucket.put(sidecar_name("1", "photo.jpg"), b'{"schema":9}', {}), id="a later one"),
        pytest.param(lambda bucket: analyse(bucket, "private/photo.jpg"), id="of another key"),
    ],
)
def test_findings_that_are_not_of_this_image_are_none(
    service: Transform, bucket: FastBucket, spoil: Callable[[FastBucket], object]
) -> None:
    spoil(bucket)
    assert code(service.answer(asked(REDACTED))) == "findings-pending"


def test_findings_of_another_generation_are_none(service: Transform, bucket: FastBucket) -> None:
    analyse(bucket)
    assert code(service.answer(asked(REDACTED, generation="2"))) == "findings-pending"


def test_findings_of_another_task_are_not_enough(service: Transform, bucket: FastBucket) -> None:
    analyse(bucket, pending=(TEXT,))
    assert code(service.answer(asked("/photo.jpg?w=300&redact=all&f=png"))) == "findings-pending"
    assert code(service.answer(asked(f"/photo.jpg?w=300&redact={TEXT}&f=png"))) == "findings-pending"


def test_a_task_that_is_not_configured_is_not_waited_for(
    service: Transform, bucket: FastBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    analyse(bucket)
    answer = service.answer(asked(f"/photo.jpg?w=300&redact={TEXT}&f=png"))
    assert (code(answer), status(answer)) == ("no-inference", 501)
    assert '"level": "ERROR"' not in capsys.readouterr().out


def test_what_a_model_cannot_read_is_refused_for_good(service: Transform, bucket: FastBucket) -> None:
    analyse(bucket, error="unreadable")
    answer = service.answer(asked(REDACTED))
    assert (code(answer), status(answer)) == ("unanalysable", 422)
    assert bucket.etag("derivatives/photo.jpg/_/refusal.json") is None, "a better model may read it"
    assert isinstance(service.answer(asked(FACING)), Rendered)


def test_client_findings_count_without_forced_redaction(service: Transform, bucket: FastBucket) -> None:
    for key in ("photo.jpg", "private/photo.jpg"):
        analyse(bucket, key, by=CLIENT)
    assert isinstance(service.answer(asked(REDACTED)), Rendered)
    private = asked("/private/photo.jpg?w=320&f=png", key="")
    assert code(service.answer(private)) == "findings-pending"
    analyse(bucket, "private/photo.jpg", by=FALLBACK)
    answer = service.answer(private)
    assert isinstance(answer, Rendered)
    assert black(answer.body)


@pytest.mark.parametrize("url", [REDACTED, FACING, "/private/photo.jpg?w=320&f=png"])
def test_without_inference_what_needs_findings_is_not_there(service: Transform, bucket: FastBucket, url: str) -> None:
    analyse(bucket)
    answer = replace(service, inference=False).answer(asked(url))
    assert (code(answer), status(answer)) == ("no-inference", 501)


@pytest.mark.parametrize("url", [REDACTED, FACING])
def test_a_plan_that_names_no_generation_is_refused(service: Transform, bucket: FastBucket, url: str) -> None:
    analyse(bucket)
    assert code(service.answer(request(url, key="key"))) == "bad-option"


@pytest.mark.parametrize(
    "path",
    [
        "/private/photo.jpg/_/w-320.png",
        "/private/photo.jpg/_/h-2560_w-2560.auto-webp",
        "/private/photo.jpg/_/fv-1_redact-text_w-320.png",
    ],
)
def test_a_path_without_what_is_always_hidden_is_refused(service: Transform, bucket: FastBucket, path: str) -> None:
    analyse(bucket, "private/photo.jpg")
    for mode in (service, replace(service, mode=type(service.mode).OPEN)):
        assert isinstance(mode.answer(TransformRequest(path)), Failed)
    assert bucket.etag("derivatives" + path) is None


def test_forced_redaction_needs_no_signature_and_requested_redaction_does(
    service: Transform, bucket: FastBucket
) -> None:
    analyse(bucket, "private/photo.jpg")
    analyse(bucket)
    assert isinstance(service.answer(asked("/private/photo.jpg?w=320&f=png", key="")), Rendered)
    assert code(service.answer(asked("/photo.jpg?w=320&redact=faces&f=png", key=""))) == "unsigned"
    assert isinstance(service.answer(asked("/private/photo.jpg?w=301&f=png")), Rendered)
    assert code(service.answer(asked("/private/photo.jpg?w=301&f=png", key="wrong"))) == "bad-signature"


def test_data_about_an_image_has_no_redaction(service: Transform) -> None:
    assert isinstance(service.answer(request("/private/photo.jpg?f=thumbhash")), Rendered)


def is_black(body: bytes, x: float, y: float) -> bool:
    """Whether the pixel at these fractions is covered."""
    pixels = seen(body)
    return bool((pixels[round(y * pixels.shape[0]), round(x * pixels.shape[1])] == 0).all())


def test_objects_of_a_class_are_redacted(service: Transform, bucket: FastBucket) -> None:
    url = "/photo.jpg?w=300&redact=plate&f=png"
    assert code(service.answer(asked(url))) == "findings-pending"
    write_findings(bucket, PLATE)
    answer = service.answer(asked(url))
    assert isinstance(answer, Rendered)
    assert is_black(answer.body, 0.8, 0.8)
    assert not is_black(answer.body, 0.4, 0.4)
    assert bucket.etag("derivatives/photo.jpg/_/fv-1_redact-plate_w-300.png") == answer.derivative.etag


def test_a_class_that_is_not_detected_is_refused_and_shows_nothing(service: Transform, bucket: FastBucket) -> None:
    write_findings(bucket, PLATE)
    answer = service.answer(asked("/photo.jpg?w=300&redact=plates&f=png"))
    assert (code(answer), status(answer)) == ("bad-option", 400)
    assert bucket.etag("derivatives/photo.jpg/_/fv-1_redact-plates_w-300.png") is None


def test_lines_with_personal_data_are_redacted(service: Transform, bucket: FastBucket) -> None:
    write_findings(bucket, text_of("Hello John", "4111 1111 1111 1111", "Regards", classes=((), ("card",), ())))
    answer = service.answer(asked("/photo.jpg?w=300&redact=pii&f=png"))
    assert isinstance(answer, Rendered)
    assert [is_black(answer.body, 0.2, y) for y in (0.15, 0.35, 0.55)] == [False, True, False]


@pytest.mark.parametrize("gravity", ["text", "obj:plate"])
def test_until_text_or_objects_are_known_another_part_stands_in(
    service: Transform, bucket: FastBucket, gravity: str
) -> None:
    url = f"/photo.jpg?w=100&h=300&fit=cover&g={gravity}&f=png"
    write_findings(bucket, Finding(FACES, "model", "1"), pending=(TEXT, OBJECTS))
    assert isinstance(service.answer(asked(url)), Provisional)
    assert bucket.etag(derivative(url)) is None
    write_findings(bucket, text_of("words"), PLATE)
    known = service.answer(asked(url))
    assert isinstance(known, Rendered)
    write_findings(bucket, Finding(FACES, "model", "1"))
    bucket.delete(derivative(url))
    answer = service.answer(asked(url))
    assert (code(answer), status(answer)) == ("no-inference", 501)


def boxes_of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer, Rendered | Provisional)
    document = json.loads(answer.body)
    assert (document["width"], document["format"]) == (900, "jpeg")
    return {name: document[name] for name in ("boxes", "pending", "unreadable")}


BOXES = "/photo.jpg?f=json&boxes=1"


def test_boxes_are_in_the_json(service: Transform, bucket: FastBucket) -> None:
    before = service.answer(asked(BOXES))
    assert isinstance(before, Provisional)
    assert boxes_of(before) == {"boxes": {}, "pending": ["faces", "text", "objects"], "unreadable": []}
    write_findings(bucket, Finding(FACES, "model", "1", faces=(FACE,)), pending=(TEXT,))
    partly = service.answer(asked(BOXES))
    assert isinstance(partly, Provisional)
    faces = {"faces": [{"box": [0.4, 0.2, 0.2, 0.3], "score": 0.9}]}
    assert boxes_of(partly) == {"boxes": faces, "pending": ["text"], "unreadable": []}
    unread = Finding(FACES, "model", "1", error="unreadable")
    write_findings(bucket, unread, text_of("hello", "john@example.com", classes=((), ("mail",))), PLATE)
    answer = service.answer(asked(BOXES))
    assert isinstance(answer, Rendered)
    found = boxes_of(answer)
    assert (found["pending"], found["unreadable"]) == ([], ["faces"])
    assert found["boxes"]["objects"] == [{"class": "plate", "box": [0.7, 0.7, 0.2, 0.2], "score": 0.8}]
    assert [line["personal"] for line in found["boxes"]["text"]] == [[], ["mail"]]
    assert b"hello" not in answer.body, "texts are not in it"
    assert bucket.etag("derivatives/photo.jpg/_/boxes-1_fv-1.json") == answer.derivative.etag


def test_boxes_need_a_signature_inference_and_a_generation(service: Transform, bucket: FastBucket) -> None:
    write_findings(bucket, PLATE)
    assert code(service.answer(asked(BOXES, key=""))) == "unsigned"
    assert code(replace(service, inference=False).answer(asked(BOXES))) == "no-inference"
    assert code(service.answer(request(BOXES, key="key"))) == "bad-option"
    plain = service.answer(request("/photo.jpg?f=json"))
    assert isinstance(plain, Rendered)
    assert "boxes" not in json.loads(plain.body)


def test_until_faces_are_known_another_part_stands_in(service: Transform, bucket: FastBucket) -> None:
    before = service.answer(asked(FACING))
    assert isinstance(before, Provisional)
    assert seen(before.body).shape == (300, 300, 3)
    assert headers(before)["cache-control"] == "public, max-age=0, s-maxage=30"
    assert "etag" not in headers(before)
    assert to_response(before, method="GET", viewer_url="/")["statusCode"] == 200
    assert bucket.etag(derivative(FACING)) is None
    analyse(bucket)
    after = service.answer(asked(FACING))
    assert isinstance(after, Rendered)
    assert bucket.etag(derivative(FACING)) == after.derivative.etag


@pytest.mark.slow
def test_an_image_cut_to_a_face_is_provisional_until_it_is_known(service: Transform, bucket: FastBucket) -> None:
    anyone = replace(service, mode=AccessMode.OPEN)
    wanted = TransformRequest("/photo.jpg/_/face-0-4_fv-1.png")
    before = anyone.answer(wanted)
    assert isinstance(before, Provisional)
    analyse(bucket)
    after = anyone.answer(wanted)
    assert isinstance(after, Rendered)
    assert seen(after.body).size < seen(before.body).size / 4


def test_what_stands_in_hides_as_well(service: Transform, bucket: FastBucket) -> None:
    both = "/photo.jpg?w=300&h=300&fit=cover&g=face&redact=text&f=png"
    assert code(service.answer(asked(both))) == "findings-pending"
    finding = Finding(TEXT, "model", "1")
    etag = str(bucket.etag("masters/photo.jpg")).strip('"')
    document = findings_to_document(Findings("1", etag, {TEXT: finding}, pending=(FACES,)))
    bucket.put(sidecar_name("1", "photo.jpg"), json.dumps(document).encode(), {})
    assert isinstance(service.answer(asked(both)), Provisional)


@pytest.mark.parametrize("by", [CLIENT, ENDPOINT])
def test_faces_that_are_known_are_waited_for_no_more(service: Transform, bucket: FastBucket, by: str) -> None:
    analyse(bucket, by=by)
    assert isinstance(service.answer(asked(FACING)), Rendered)


def test_missing_tasks_that_are_not_configured_are_not_waited_for(service: Transform, bucket: FastBucket) -> None:
    etag = str(bucket.etag("masters/photo.jpg")).strip('"')
    document = findings_to_document(Findings("1", etag, {TEXT: Finding(TEXT, "model", "1")}))
    bucket.put(sidecar_name("1", "photo.jpg"), json.dumps(document).encode(), {})
    assert isinstance(service.answer(asked(FACING)), Rendered)


@pytest.mark.slow
def test_a_result_too_large_for_a_response_has_no_placeholder(service: Transform, bucket: FastBucket) -> None:
    bucket.put("masters/noise.png", png_noise(1500, 1300), {})
    answer = service.answer(asked("/noise.png?w=1300&h=1200&fit=cover&g=face&f=png"))
    assert code(answer) == "findings-pending"


class ReanalysingBucket(FastBucket):
    """A bucket whose image is analysed again while it is read."""

    def __init__(self, real: FastBucket) -> None:
        self.real = real

    def open(self, key: str) -> StoredObject | None:
        found = self.real.open(key)
        assert found is not None

        def analysed_first() -> Iterator[bytes]:
            analyse(self.real, by=FALLBACK)
            yield from found.chunks

        return replace(found, chunks=analysed_first())

    def etag(self, key: str) -> str | None:
        return self.real.etag(key)


@pytest.mark.parametrize("url", [REDACTED, FACING])
def test_a_derivative_of_replaced_findings_is_deleted(service: Transform, bucket: FastBucket, url: str) -> None:
    analyse(bucket)
    answer = replace(service, source=ReanalysingBucket(bucket)).answer(asked(url))
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, Unavailable)
    assert bucket.etag(derivative(url)) is None


def test_a_redaction_is_verified_after_its_derivative_is_stored(
    service: Transform, bucket: FastBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Findings that change right after the PUT take the derivative back: a check beside the PUT would miss them."""
    analyse(bucket)
    before = set(threading.enumerate())
    real_put = FastBucket.put

    def put_then_reanalyse(self: FastBucket, key: str, *rest: Any) -> str:
        etag = real_put(self, key, *rest)
        if key.startswith("derivatives/"):
            for thread in set(threading.enumerate()) - before:
                thread.join()  # a check beside the PUT has its result by now
            monkeypatch.setattr(FastBucket, "put", real_put)
            analyse(bucket, by=FALLBACK)
        return etag

    monkeypatch.setattr(FastBucket, "put", put_then_reanalyse)
    answer = service.answer(asked(REDACTED))
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, Unavailable)
    assert bucket.etag(derivative(REDACTED)) is None


def loaded(mode: str, redacted: dict[str, str]) -> Function:
    """The function where AWS is not reachable, and no request has to be signed."""
    aws = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    names = {"MEDIA_BUCKET": "media", "SIGNING_KEYS_ARN": "arn", "AWS_REGION": "us-east-1", "INFERENCE_MODE": mode}
    return load("transform", aws | names, {"access_mode": "open", "always_redact": redacted})


@pytest.mark.parametrize(
    ("mode", "redacted", "name", "expected"),
    [
        ("off", {}, "redacted.json", 501),
        ("lambda", {}, "redacted.json", 503),
        ("endpoint", {"samples/": "faces"}, "redacted.json", 503),
        ("endpoint", {"samples/": "faces"}, "miss.json", 400),
        ("off", {"samples/": "faces"}, "miss.json", 501),
        ("endpoint", {"samples/": "text"}, "redacted.json", 400),
        ("off", {"private/": "faces"}, "miss.json", 503),
    ],
)
def test_the_function_follows_the_settings(mode: str, redacted: dict[str, str], name: str, expected: int) -> None:
    event = read_events("transform")[name]
    assert loaded(mode, redacted).invoke(event)["statusCode"] == expected


def test_a_function_that_does_not_understand_what_to_hide_answers_nothing() -> None:
    event = read_events("transform")["miss.json"]
    assert loaded("endpoint", {"people/": "Eyes"}).invoke(event)["statusCode"] == 503


CUT = "/shop/cup.png?w=300&cutout=1&f=png"


@pytest.fixture
def shop(service: Transform, bucket: FastBucket) -> Transform:
    """The service with a prefix of cut-outs, and an image below it."""
    bucket.put("masters/shop/cup.png", png_noise(320, 200), {})
    return replace(service, cutout_prefixes=("shop/",))


def cut_sidecar(bucket: FastBucket, **fields: Any) -> None:
    """Findings of a cut-out of the right half."""
    etag = (bucket.etag("masters/shop/cup.png") or "").strip('"')
    raster = encode(rectangle(320, 200, 160, 0, 320, 200))
    found = Findings("1", etag, {CUTOUT: Finding(CUTOUT, "m", "1", **({"raster": raster} | fields))})
    body = json.dumps(findings_to_document(found)).encode()
    bucket.put(sidecar_name("1", "shop/cup.png"), body, {}, bucket.etag(sidecar_name("1", "shop/cup.png")) or "")


def test_an_image_is_cut_out_once_it_is_analysed(shop: Transform, bucket: FastBucket) -> None:
    asked_for = asked(CUT, key="key")
    whole = shop.answer(asked_for)
    assert isinstance(whole, Provisional)
    assert rgba(whole.body)[..., 3].min() == 255
    cut_sidecar(bucket)
    answer = shop.answer(asked_for)
    assert isinstance(answer, Rendered)
    alpha = rgba(answer.body)[..., 3]
    assert (alpha[:, :140].max(), alpha[:, 160:].min()) == (0, 255)
    assert isinstance(shop.answer(asked_for), Stored)


def test_what_cannot_be_cut_out_is_refused_with_the_reason(shop: Transform, bucket: FastBucket) -> None:
    other = shop.answer(asked("/photo.jpg?w=300&cutout=1&f=png"))
    assert (code(other), status(other)) == ("bad-option", 400)
    cut_sidecar(bucket, raster=b"", error="unreadable")
    assert code(shop.answer(asked(CUT))) == "unanalysable"
    without = replace(shop, inference=False).answer(asked(CUT))
    assert (code(without), status(without)) == ("no-inference", 501)

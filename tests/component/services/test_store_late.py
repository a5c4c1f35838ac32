"""The transform service where calls run after the response: what is answered at once, and what is stored then."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from darkroom.aws import s3_fast
from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.aws.telemetry import LightObserver
from darkroom.http.response import to_response
from darkroom.services.serve.answers import Failed, NotModified, Rendered, Stored
from darkroom.services.serve.rendering import store_before_response
from darkroom.services.serve.transform import Transform
from tests.images.photographs import jpeg_photo, png_noise

from . import test_transform_findings as findings
from .put_gate import hold_puts
from .test_transform import Keys, OverwrittenBucket, StoredMeanwhile, request

WEBP, NAME = "/photo.jpg?w=320&f=webp", "derivatives/photo.jpg/_/w-320.webp"


@dataclass
class Later:
    """Holds the calls back until :meth:`run`, as the extension does until the handler has ended."""

    calls: list[Callable[[], None]] = field(default_factory=list)

    def defer(self, call: Callable[[], None]) -> bool:
        self.calls.append(call)
        return True

    def run(self) -> None:
        while self.calls:
            self.calls.pop(0)()


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def service(bucket: FastBucket, later: Later) -> Transform:
    bucket.put("masters/photo.jpg", jpeg_photo(), {})
    return Transform(source=bucket, media=bucket, keys=Keys(), defer=later.defer)


def stored(bucket: FastBucket, name: str = NAME) -> bytes | None:
    found = bucket.open(name)
    return found.read() if found else None


def test_the_response_precedes_the_store(service: Transform, bucket: FastBucket, later: Later) -> None:
    answer = service.answer(request(WEBP))
    assert isinstance(answer, Rendered)
    assert stored(bucket) is None
    later.run()
    assert stored(bucket) == answer.body
    again = service.answer(request(WEBP))
    assert isinstance(again, Stored)
    assert again.derivative.headers == answer.derivative.headers


@pytest.mark.parametrize("url", [WEBP, "/photo.jpg?f=json", "/photo.jpg?f=thumbhash"])
def test_the_computed_etag_is_that_of_s3(s3_bucket: FastBucket, later: Later, url: str) -> None:
    s3_bucket.put("masters/photo.jpg", jpeg_photo(), {})
    service = Transform(source=s3_bucket, media=s3_bucket, keys=Keys(), defer=later.defer)
    answer = service.answer(request(url))
    assert isinstance(answer, Rendered)
    later.run()
    assert s3_bucket.etag("derivatives" + request(url).path) == answer.derivative.etag


def test_a_copy_that_a_new_render_equals_is_not_sent_again(
    service: Transform, bucket: FastBucket, later: Later
) -> None:
    first = service.answer(request(WEBP))
    assert isinstance(first, Rendered)
    later.calls.clear()
    again = service.answer(request(WEBP, if_none_match=first.derivative.etag))
    assert isinstance(again, NotModified)
    later.run()
    assert stored(bucket) == first.body


def test_server_timing_has_no_store(service: Transform, bucket: FastBucket) -> None:
    answer = service.answer(request(WEBP))
    headers = to_response(answer, method="GET", viewer_url="")["headers"]
    assert isinstance(headers, dict)
    assert "encode;" in headers["server-timing"]
    assert "store;" not in headers["server-timing"]


def test_what_is_too_large_for_a_response_is_stored_before(
    service: Transform, bucket: FastBucket, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.services.serve.rendering.MAX_BODY_BYTES", 1000)
    answer = service.answer(request(WEBP))
    assert isinstance(answer, Stored)
    assert stored(bucket) is not None
    assert later.calls == []


@pytest.mark.parametrize("url", [findings.REDACTED, findings.FACING])
@pytest.mark.parametrize("key", ["photo.jpg", "private/photo.jpg"])
def test_what_depends_on_findings_is_stored_before(bucket: FastBucket, later: Later, url: str, key: str) -> None:
    bucket.put(f"masters/{key}", jpeg_photo(), {})
    findings.analyse(bucket, key)
    service = Transform(
        source=bucket, media=bucket, keys=Keys(), inference=True, always=findings.ALWAYS, defer=later.defer
    )
    asked = findings.asked(url.replace("photo.jpg", key))
    assert isinstance(service.answer(asked), Rendered)
    assert stored(bucket, "derivatives" + asked.path) is not None
    assert later.calls == []


@pytest.mark.parametrize("form", ["json", "thumbhash"])
def test_data_about_an_image_that_is_redacted_is_stored_before(bucket: FastBucket, later: Later, form: str) -> None:
    """Its path has no redaction and no findings: only its key shows that it is redacted."""
    for key in ("photo.jpg", "private/photo.jpg"):
        bucket.put(f"masters/{key}", jpeg_photo(), {})
    service = Transform(
        source=bucket, media=bucket, keys=Keys(), inference=True, always=findings.ALWAYS, defer=later.defer
    )
    hidden = request(f"/private/photo.jpg?f={form}")
    assert isinstance(service.answer(hidden), Rendered)
    assert stored(bucket, "derivatives" + hidden.path) is not None
    assert later.calls == []
    assert isinstance(service.answer(request(f"/photo.jpg?f={form}")), Rendered)
    assert len(later.calls) == 1


def test_without_an_extension_the_derivative_is_stored_before(service: Transform, bucket: FastBucket) -> None:
    assert isinstance(replace(service, defer=store_before_response).answer(request(WEBP)), Rendered)
    assert stored(bucket) is not None


def test_concurrent_misses_store_one_object(service: Transform, bucket: FastBucket, later: Later) -> None:
    answers = [service.answer(request(WEBP)) for _ in range(3)]
    bodies = {answer.body for answer in answers if isinstance(answer, Rendered)}
    later.calls[0]()
    first = bucket.etag(NAME)
    later.calls[1]()
    later.calls[2]()
    assert len(answers) == 3
    assert {stored(bucket)} == bodies
    assert bucket.etag(NAME) == first


def test_a_derivative_of_an_overwritten_master_does_not_stay(
    service: Transform, bucket: FastBucket, later: Later
) -> None:
    """Whether it is replaced during the render, or between response and PUT."""
    during = replace(service, source=OverwrittenBucket(bucket)).answer(request(WEBP))
    later.run()
    assert isinstance(during, Rendered)
    assert stored(bucket) is None
    assert isinstance(service.answer(request(WEBP)), Rendered)
    bucket.put("masters/photo.jpg", png_noise(400, 300), {})
    later.run()
    assert stored(bucket) is None


def test_a_derivative_of_a_deleted_master_does_not_stay(service: Transform, bucket: FastBucket, later: Later) -> None:
    assert isinstance(service.answer(request(WEBP)), Rendered)
    bucket.delete("masters/photo.jpg")
    later.run()
    assert stored(bucket) is None


@pytest.mark.parametrize("before", [{}, {"source-etag": "another"}])
def test_a_late_store_leaves_what_was_stored_meanwhile(
    service: Transform, bucket: FastBucket, later: Later, before: dict[str, str]
) -> None:
    bucket.put("masters/photo.jpg", jpeg_photo(), {"first": "yes"})
    if before:
        bucket.put(NAME, b"stale", before)
    assert isinstance(replace(service, source=StoredMeanwhile(bucket)).answer(request(WEBP)), Rendered)
    later.run()
    assert stored(bucket) == b"fresh"


def test_a_stale_derivative_is_replaced(service: Transform, bucket: FastBucket, later: Later) -> None:
    bucket.put(NAME, b"stale", {"source-etag": "another"})
    answer = service.answer(request(WEBP))
    assert isinstance(answer, Rendered)
    later.run()
    assert stored(bucket) == answer.body


class ReadOnly(FastBucket):
    """A bucket whose PUTs go to a bucket that cannot be reached."""

    def __init__(self, real: FastBucket, unreachable: FastBucket) -> None:
        self.open, self.etag, self.delete, self.put = real.open, real.etag, real.delete, unreachable.put


@pytest.mark.slow
def test_a_failure_is_logged_and_counted_with_the_id_of_its_request(
    service: Transform,
    bucket: FastBucket,
    unreachable: FastBucket,
    later: Later,
    capsys: pytest.CaptureFixture[str],
) -> None:
    observer = LightObserver("transform")
    failing = replace(service, media=ReadOnly(bucket, unreachable), observer=observer)
    with observer.message("answer", correlation_id="one"):
        first = failing.answer(request(WEBP))
    with observer.message("answer", correlation_id="two"):
        pass
    later.run()
    assert isinstance(first, Rendered)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [failure] = [line for line in lines if line.get("message") == "derivative not stored"]
    assert (failure["level"], failure["code"]) == ("ERROR", "unavailable")
    assert (failure["correlation_id"], failure["object"]) == ("one", NAME)
    assert [(line["StoreFailures"], line["Faults"]) for line in lines if "StoreFailures" in line] == [([1.0], [1.0])]
    assert len([line for line in lines if "StoreTime" in line]) == 1
    assert not isinstance(failing.answer(request(WEBP)), Failed)


def test_a_put_that_hangs_ends_with_the_timeouts_of_the_client(
    s3_bucket: FastBucket,
    ministack_url: str,
    aws_environment: dict[str, str],
    later: Later,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    s3_bucket.put("masters/photo.jpg", jpeg_photo(), {})
    monkeypatch.setitem(s3_fast._CLIENT, "timeout", timedelta(seconds=0.5))
    name = s3_bucket._store.config["bucket"]  # type: ignore[union-attr]
    with hold_puts(ministack_url) as gate:
        held = connect(name, CredentialSource(aws_environment), {**aws_environment, "AWS_ENDPOINT_URL": gate.url})
        service = Transform(source=s3_bucket, media=held, keys=Keys(), defer=later.defer)
        assert isinstance(service.answer(request(WEBP)), Rendered)
        later.run()
        assert gate.puts != []
        assert not gate.opened.is_set()
    assert "derivative not stored" in capsys.readouterr().out


def test_a_defect_of_a_late_store_is_logged(
    service: Transform, bucket: FastBucket, later: Later, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(service.answer(request(WEBP)), Rendered)
    bucket.put = None  # type: ignore[assignment,method-assign]
    later.run()
    assert "derivative not stored" in capsys.readouterr().out

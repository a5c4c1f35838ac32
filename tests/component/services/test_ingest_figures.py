"""Metrics of uploads for SLOs and dashboards, from the output of the function as SQS calls it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from darkroom.errors import BadUpload, DamagedSource, ObjectChanged, Unavailable
from darkroom.plan.limits import Limits
from darkroom.services.request_metrics import count_failure
from darkroom.slo import SLOW_MS
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.services.ingest.handler import handle_event
from tests.images.photographs import jpeg_photo

from .emf_metrics import Counted, counted, of
from .functions import Function, load
from .ingest_environment import IngestEnvironment
from .test_ingest_messages import MAX_RECEIVES, created, receive

COUNTS = ("Requests", "ClientErrors", "Faults")


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


@pytest.fixture
def function(env: IngestEnvironment, aws_environment: dict[str, str]) -> Function:
    names = env.names
    return load(
        "ingest",
        aws_environment
        | {
            "UPLOADS_BUCKET": names["uploads"],
            "MEDIA_BUCKET": names["media"],
            "QUARANTINE_BUCKET": names["quarantine"],
            "AUDIT_BUCKET": names["media"],
            "INDEX_TABLE": names["index"],
            "REVIEW_QUEUE_URL": names["reviews"],
            "REVIEW_DLQ_URL": names["undecided"],
            "REVIEW_MAX_RECEIVES": "20",
            "INGEST_QUEUE_URL": names["changes"],
            "INGEST_PRIORITY_QUEUE_URL": names["urgent"],
            "INGEST_DLQ_URL": names["dead"],
            "PURGE_QUEUE_URL": names["purges"],
            "EVENT_BUS": names["bus"],
            "STACK_NAME": "darkroom",
            "SIGNING_KEYS_ARN": "asked for nothing here",
            "LEASE_S": "125",
            "MAX_RECEIVES": str(MAX_RECEIVES),
        },
    )


def figures(output: str) -> dict[str, float]:
    """Requests, and failed ones by cause."""
    published = counted(output)
    return {name: of(published, name).get("", 0) for name in COUNTS}


@pytest.mark.slow
def test_an_upload_is_one_request(
    env: IngestEnvironment, function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    function.invoke(receive(env, {"x": created(env, "a.jpg", jpeg_photo())}))
    assert figures(capsys.readouterr().out) == {"Requests": 1, "ClientErrors": 0, "Faults": 0}


REFUSED: Mapping[str, tuple[bytes, str, str]] = {
    "no image": (b"no image", "type-not-allowed", "unknown"),
    "a type that is not let in": (b"%PDF-1.7\n", "type-not-allowed", "unknown"),
    "cut off": (jpeg_photo()[:20_000], "damaged", "jpeg"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_is_the_uploaders_fault(
    env: IngestEnvironment, function: Function, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    body, code, sniffed = REFUSED[what]
    function.invoke(receive(env, {"x": created(env, "a.jpg", body)}))
    output = capsys.readouterr().out
    assert figures(output) == {"Requests": 1, "ClientErrors": 1, "Faults": 0}
    published = counted(output)
    assert (of(published, "Errors"), of(published, "Refused")) == ({code: 1}, {code: 1})
    assert of(published, "RefusedByFormat") == {sniffed: 1}


def test_what_is_too_large_is_refused_by_its_format_too(
    env: IngestEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    env.limits = Limits(max_bytes=1000)
    context = env.context
    handle_event(context, env.change("a.jpg", env.upload("a.jpg", jpeg_photo())))
    context.observer.flush()
    assert of(counted(capsys.readouterr().out), "RefusedByFormat") == {"jpeg": 1}


@pytest.mark.parametrize("receives", [1, MAX_RECEIVES])
def test_each_attempt_that_fails_is_a_fault(
    env: IngestEnvironment, function: Function, capsys: pytest.CaptureFixture[str], receives: int
) -> None:
    body = created(env, "a.jpg", b"no image")
    env.clients["s3"].delete_bucket(Bucket=env.names["quarantine"])
    function.invoke(receive(env, {"x": body}, receives))
    output = capsys.readouterr().out
    assert figures(output) == {"Requests": 1, "ClientErrors": 0, "Faults": 1}
    assert of(counted(output), "Errors") == {"unavailable": 1}


def test_an_unreadable_file_is_a_client_error(
    env: IngestEnvironment, function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    function.invoke(receive(env, {"x": '{"what": "ever"}'}))
    output = capsys.readouterr().out
    assert figures(output) == {"Requests": 1, "ClientErrors": 1, "Faults": 0}
    assert of(counted(output), "Errors") == {"bad-upload": 1}


def test_a_wait_for_another_worker_is_not_counted_as_handled(
    env: IngestEnvironment, function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    body = created(env, "a.jpg", jpeg_photo())
    claimed = json.loads(body)["detail"]["object"]["sequencer"]
    env.index.claim("a.jpg", claimed, "another", now_s=4e9, lease_s=60)
    function.invoke(receive(env, {"x": body}))
    assert figures(capsys.readouterr().out) == dict.fromkeys(COUNTS, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("over_ms", "slow"), [(0, {}), (1, {"": 1})])
def test_an_upload_is_slow_by_its_objective(
    env: IngestEnvironment, capsys: pytest.CaptureFixture[str], over_ms: int, slow: dict[str, float]
) -> None:
    context, change = env.context, env.change("a.jpg", env.upload("a.jpg", jpeg_photo()))
    env.now_s = change.happened_at_s + (SLOW_MS["ingest"] + over_ms) / 1000
    handle_event(context, change)
    context.observer.flush()
    published: Counted = counted(capsys.readouterr().out)
    assert (of(published, "Timed"), of(published, "Slow")) == ({"": 1}, slow)


@pytest.mark.parametrize(
    ("error", "whose", "code"),
    [
        (BadUpload(), "ClientErrors", "bad-upload"),
        (DamagedSource(), "ClientErrors", "damaged"),
        (ObjectChanged(), "Faults", "changed"),
        (Unavailable(), "Faults", "unavailable"),
        (ZeroDivisionError(), "Faults", "defect"),
    ],
)
def test_whose_fault_an_error_is(error: Exception, whose: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    observer = PowertoolsObserver("ingest")
    count_failure(observer, error)
    observer.flush()
    published = counted(capsys.readouterr().out)
    assert published == {(whose, frozenset()): 1, ("Errors", frozenset({("code", code)})): 1}

"""Metrics and log lines of HTTP responses and attempts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from darkroom.aws.telemetry import LightObserver
from darkroom.errors import (
    BadKey,
    Busy,
    DarkroomError,
    FindingsPending,
    NoInference,
    NotIngested,
    SourceMissing,
    Unavailable,
)
from darkroom.http.response import json_response
from darkroom.services.request_metrics import count_attempt, log_image_request, log_request
from darkroom_pipeline.http.api import respond


@pytest.fixture
def observer() -> LightObserver:
    return LightObserver("upload")


def said(observer: LightObserver, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The sums of metrics by name and further dimension, and the log lines."""
    observer.flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted: dict[str, float] = {}
    for line in lines:
        for described in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            beside = [line["code"]] if "code" in described["Dimensions"][0] else []
            for metric in described["Metrics"]:
                name = ":".join([metric["Name"], *beside])
                counted[name] = counted.get(name, 0) + sum(line[metric["Name"]])
    return counted, [line for line in lines if "_aws" not in line]


@pytest.mark.parametrize(
    ("error", "counts", "level"),
    [
        (None, set(), "INFO"),
        (BadKey(), {"ClientErrors", "Errors:bad-key"}, "INFO"),
        (SourceMissing(), {"ClientErrors", "Errors:no-source"}, "INFO"),
        (NotIngested(), {"ClientErrors", "Errors:not-ingested"}, "INFO"),
        (FindingsPending(), {"Errors:findings-pending"}, "INFO"),
        (NoInference(), {"Errors:no-inference"}, "INFO"),
        (Busy(), {"Errors:busy"}, "INFO"),
        (Unavailable(), {"Faults", "Errors:unavailable"}, "ERROR"),
        (DarkroomError(), {"Faults", "Errors:internal"}, "ERROR"),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_answers_count_by_whose_fault_they_are(
    observer: LightObserver,
    capsys: pytest.CaptureFixture[str],
    error: DarkroomError | None,
    counts: set[str],
    level: str,
) -> None:
    log_request(observer, error.status if error else 200, error, route="GET /x")
    counted, [line] = said(observer, capsys)
    assert counted == dict.fromkeys(counts | {"Requests"}, 1)
    assert (line["level"], line["status"], line["route"]) == (level, error.status if error else 200, "GET /x")
    assert line.get("code") == (error.code if error else None)


@pytest.mark.parametrize(
    ("status", "took_s", "counts"),
    [
        (200, 0.5, {"Timed"}),
        (200, 0.501, {"Timed", "Slow"}),
        (302, 9.0, set()),
        (304, 9.0, set()),
    ],
)
def test_images_are_timed(
    observer: LightObserver, capsys: pytest.CaptureFixture[str], status: int, took_s: float, counts: set[str]
) -> None:
    log_image_request(observer, status, None, took_s)
    counted, [line] = said(observer, capsys)
    assert counted == dict.fromkeys(counts | {"Requests"}, 1)
    assert line["ms"] == took_s * 1000


def test_refusals_are_not_timed(observer: LightObserver, capsys: pytest.CaptureFixture[str]) -> None:
    log_image_request(observer, 404, SourceMissing(), 9.0)
    assert "Timed" not in said(observer, capsys)[0]


def test_a_response_is_passed_on(observer: LightObserver, capsys: pytest.CaptureFixture[str]) -> None:
    assert respond(observer, lambda: json_response(201, {}))["statusCode"] == 201
    assert said(observer, capsys)[0] == {"Requests": 1}


def test_what_is_raised_is_answered_as_a_problem(observer: LightObserver, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> Any:
        raise BadKey("no such thing")

    response = respond(observer, refuse)
    assert (response["statusCode"], json.loads(str(response["body"]))["detail"]) == (400, "no such thing")
    assert said(observer, capsys)[0].keys() == {"Requests", "ClientErrors", "Errors:bad-key"}


def test_a_defect_is_answered_without_its_message(observer: LightObserver, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> Any:
        raise RuntimeError("native words")

    response = respond(observer, fail)
    assert response["statusCode"] == 500
    assert "native" not in str(response["body"])
    counted, [line] = said(observer, capsys)
    assert counted == {"Requests": 1, "Faults": 1, "Errors:internal": 1}
    assert "RuntimeError: native words" in line["detail"]


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (BadKey(), {"ClientErrors", "Errors:bad-key"}),
        (Unavailable(), {"Faults", "Errors:unavailable"}),
        (RuntimeError(), {"Faults", "Errors:defect"}),
    ],
)
def test_attempts_that_raise_count_too(
    observer: LightObserver, capsys: pytest.CaptureFixture[str], error: Exception, counts: set[str]
) -> None:
    with pytest.raises(type(error)), count_attempt(observer):
        raise error
    assert said(observer, capsys)[0] == dict.fromkeys(counts | {"Requests"}, 1)


def test_an_attempt_that_ends_well_is_one(observer: LightObserver, capsys: pytest.CaptureFixture[str]) -> None:
    with count_attempt(observer):
        pass
    assert said(observer, capsys)[0] == {"Requests": 1}

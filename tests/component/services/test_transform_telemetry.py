"""Telemetry of the transform function for each response: trace, metrics, log line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.component.aws.observed_process import LAMBDA, PARENT, TRACE, Document, Observed, watch
from tests.images.photographs import jpeg_photo

EDGE = "kV0Jw1mM2yQxg3l8pRzUe7oQ2nA5sT9dC4hB6fE8iG0jK1lM2nO3pQ=="
BUCKET = "telling"

WORK = """
import json, sys
sys.path.insert(0, "functions/transform")
import app

class Context:
    aws_request_id = "8f5"

def ask(path, method="GET", **headers):
    http = {"method": method}
    event = {"rawPath": path, "headers": {"x-amz-cf-id": EDGE} | headers, "requestContext": {"http": http}}
    return app.handler(event, Context)["statusCode"]

EDGE = "EDGE-ID"
statuses = [
    ask("/a-users-key.jpg/_/w-320.auto-webp"),
    ask("/a-users-key.jpg/_/w-320.auto-webp"),
    ask("/a-users-key.jpg/_/full.json", method="HEAD"),
    ask("/none.jpg/_/w-320.auto-webp"),
    ask("/a-users-key.jpg/_/w-321.webp"),
    ask("/broken.jpg/_/w-320.auto-webp"),
    ask("/a-users-key.jpg/_/blur-x.webp", method="POST"),
]
app._media.open = None
statuses.append(ask("/a-users-key.jpg/_/w-640.auto-webp"))
third = sorted({name.partition(".")[0] for name in sys.modules} & set(THIRD))
print(json.dumps({"statuses": statuses, "third": third}))
"""

THIRD = ["aws_lambda_powertools", "aws_xray_sdk", "boto3", "botocore", "socket"]


@pytest.fixture(scope="module")
def observed(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> Observed:
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="masters/a-users-key.jpg", Body=jpeg_photo())
    s3.put_object(Bucket=BUCKET, Key="masters/broken.jpg", Body=jpeg_photo()[:500])
    environment = LAMBDA | {
        "POWERTOOLS_SERVICE_NAME": "transform",
        "MEDIA_BUCKET": BUCKET,
        "SIGNING_KEYS_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:keys",
        "VIPS_WARNING": "0",
    }
    script = WORK.replace("EDGE-ID", EDGE).replace("set(THIRD)", f"set({THIRD!r})")
    return watch(script, environment | aws_environment)


def answers(observed: Observed) -> list[Document]:
    return [line for line in observed.logs if line.get("message") == "answered"]


def outermost(observed: Observed) -> list[Document]:
    return [found for found in observed.received if found["parent_id"] == PARENT]


def below(observed: Observed, number: int) -> list[Document]:
    return [found for found in observed.received if found["parent_id"] == outermost(observed)[number]["id"]]


def summed(observed: Observed, metric: str, **dimensions: str) -> Any:
    wanted = {"function": "transform", "service": "transform", **dimensions}
    found = [
        value
        for line in observed.metrics
        if metric in line
        and line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [sorted(wanted)]
        and wanted.items() <= line.items()
        for value in line[metric]
    ]
    return sum(found)


def test_the_answers_are_those_that_are_recorded(observed: Observed) -> None:
    expected = [200, 200, 200, 404, 403, 422, 405, 500]
    assert json.loads(observed.lines[-1])["statuses"] == expected
    assert [line["status"] for line in answers(observed)] == expected
    assert [found["annotations"]["status"] for found in outermost(observed)] == expected


def test_there_is_one_line_an_answer_found_by_the_edges_id(observed: Observed) -> None:
    assert len(observed.logs) == len(answers(observed)) + 1  # and that of the test itself
    for line in answers(observed):
        assert (line["correlation_id"], line["xray_trace_id"]) == (EDGE, TRACE)
        assert line["function_request_id"] == "8f5"
    assert [line["cold_start"] for line in answers(observed)] == [True] + [False] * 7
    assert answers(observed)[0].keys() >= {"path", "ms", "stages_ms"}
    assert {"parse", "fetch", "decode", "transform", "encode", "store"} <= answers(observed)[0]["stages_ms"].keys()


def test_errors_have_their_code_and_log_level(observed: Observed) -> None:
    assert [(line["level"], line.get("code")) for line in answers(observed)] == [
        *[("INFO", None)] * 3,
        ("INFO", "no-source"),
        ("INFO", "unsigned"),
        ("INFO", "damaged"),
        ("INFO", "method-not-allowed"),
        ("ERROR", "internal"),
    ]
    assert "Traceback" in answers(observed)[-1]["detail"]


def test_a_trace_shows_the_stages_in_order(observed: Observed) -> None:
    stages = sorted(below(observed, 0), key=lambda found: found["start_time"])
    assert [found["name"] for found in stages] == ["parse", "fetch", "decode", "transform", "encode", "store"]
    assert [found["name"] for found in below(observed, 1)] == ["parse", "fetch"]


def test_a_trace_is_found_by_annotations_of_few_values_and_the_edges_id(observed: Observed) -> None:
    rendered, stored, data, missing, unsigned, *_ = outermost(observed)
    common = {"cold": False, "correlation_id": EDGE, "edge_request_id": EDGE}
    assert rendered["annotations"] == common | {"cold": True, "format": "webp", "status": 200}
    assert stored["annotations"] == common | {"format": "webp", "status": 200}
    assert data["annotations"] == common | {"format": "json", "status": 200}
    assert missing["annotations"] == common | {"code": "no-source", "status": 404}
    assert unsigned["annotations"] == common | {"code": "unsigned", "status": 403}
    assert [found["annotations"]["code"] for found in below(observed, 4)] == ["unsigned"]


def test_the_key_is_in_metadata_alone(observed: Observed) -> None:
    assert outermost(observed)[0]["metadata"]["default"]["key"] == "a-users-key.jpg"
    bare = [{name: part for name, part in found.items() if name != "metadata"} for found in observed.received]
    assert "a-users-key" not in json.dumps(bare)
    assert "a-users-key" not in json.dumps(observed.metrics)


def test_own_failures_are_faults_and_those_of_clients_errors(observed: Observed) -> None:
    marks = [{mark for mark in ("error", "fault") if found.get(mark)} for found in outermost(observed)]
    assert marks == [set()] * 3 + [{"error"}] * 4 + [{"fault"}]


@pytest.mark.parametrize(
    ("metric", "dimensions", "times"),
    [
        ("Requests", {}, 8),
        ("ClientErrors", {}, 4),
        ("Faults", {}, 1),
        ("Timed", {}, 3),
        ("Rendered", {}, 2),
        ("Rendered", {"format": "webp"}, 1),
        ("Rendered", {"format": "json"}, 1),
        ("FromStore", {}, 1),
        ("Errors", {"code": "no-source"}, 1),
        ("Errors", {"code": "unsigned"}, 1),
        ("Errors", {"code": "damaged"}, 1),
        ("Errors", {"code": "internal"}, 1),
        ("Errors", {}, 0),
    ],
)
def test_metrics_of_uploads(observed: Observed, metric: str, dimensions: dict[str, str], times: int) -> None:
    assert summed(observed, metric, **dimensions) == times


def test_every_answer_was_timed(observed: Observed) -> None:
    assert sum(len(line["AnswerTime"]) for line in observed.metrics if "AnswerTime" in line) == 8


def test_nothing_of_third_parties_was_needed(observed: Observed) -> None:
    assert json.loads(observed.lines[-1])["third"] == []

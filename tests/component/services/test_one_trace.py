"""The trace of one upload: ingest and infer as Lambda runs them, with queues, a bus and an X-Ray daemon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from darkroom_pipeline.aws.record import READY
from tests.component.aws import sagemaker
from tests.component.aws.observed_process import BEFORE, LAMBDA, SENDER, TRACE, Document, Observed, watch
from tests.component.aws.sagemaker import Runtime
from tests.images.photographs import jpeg_photo

from .inference.harness import make_vectors
from .ingest_environment import IngestEnvironment, event_text

FUNCTIONS = Path(__file__).parents[3] / "functions"
KEY = "trips/rome.jpg"

SCRIPT = """
import json, os, sys

sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
import app

class Context:
    aws_request_id = "8f1d6a0e-0c35-4a55-9a44-6a1d3b1c9f10"
    function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    memory_limit_in_mb = "1769"
    invoked_function_arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function_name}"

    def get_remaining_time_in_millis():
        return 120_000

assert app.handler(json.loads(os.environ["EVENT"]), Context) == {"batchItemFailures": []}
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A segment or subsegment, with the id of its parent."""

    document: Document
    parent_id: str

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def annotations(self) -> Mapping[str, Any]:
        return self.document.get("annotations", {})


def parts(documents: list[Document], parent_id: str = "") -> Iterator[Part]:
    """All parts of a trace, with separate and nested subsegments."""
    for document in documents:
        yield Part(document, document.get("parent_id", parent_id))
        yield from parts(document.get("subsegments", []), document["id"])


def one(trace: list[Part], name: str) -> Part:
    [found] = [part for part in trace if part.document["name"] == name]
    return found


def above(trace: list[Part], part: Part) -> list[str]:
    """The names from ``part`` up to a segment, or to a part of another service."""
    by_id = {one.id: one for one in trace}
    names = [part.document["name"]]
    while part.parent_id in by_id:
        part = by_id[part.parent_id]
        names.append(part.document["name"])
    return names


@dataclass(frozen=True)
class Upload:
    """One upload: the records of ingest and infer, the event between them, and the calls of the endpoint."""

    ingest: Observed
    infer: Observed
    event: Mapping[str, Any]
    runtime: Runtime
    image_id: str

    @property
    def trace(self) -> list[Part]:
        return list(parts(self.ingest.received + self.infer.received))


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with sagemaker.serving() as serving:
        yield serving


@pytest.fixture
def upload(aws: Callable[[str], Any], aws_environment: dict[str, str], runtime: Runtime) -> Upload:
    """The bus sends every event to the queue ``published``, which is the queue of infer."""
    runtime.attributes = "batch=1;timing=queue:3.0,decode:12.1,infer:80.2"
    env = IngestEnvironment.build(aws)
    make_vectors(env.clients["dynamodb"], env.names["index"] + "-vectors")
    environment = aws_environment | runtime.environment | variables(env)
    sequencer = env.upload(KEY, jpeg_photo())
    version_id = env.clients["s3"].head_object(Bucket=env.names["uploads"], Key=KEY)["VersionId"]
    env.clients["sqs"].send_message(
        QueueUrl=env.names["changes"],
        MessageBody=event_text(
            env.names["uploads"], KEY, sequencer, "Object Created", "PutObject", version_id=version_id
        ),
    )
    ingest = run("ingest", f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1", received(env, "changes"), environment)
    event = received(env, "published")
    infer = run("infer", f"Root={BEFORE};Parent={SENDER};Sampled=1", event, environment)
    record = env.record(KEY)
    assert record.state == READY
    return Upload(ingest, infer, event["Records"][0], runtime, record.image_id)


def variables(env: IngestEnvironment) -> dict[str, str]:
    names = env.names
    return {
        "UPLOADS_BUCKET": names["uploads"],
        "MEDIA_BUCKET": names["media"],
        "QUARANTINE_BUCKET": names["quarantine"],
        "AUDIT_BUCKET": names["media"],
        "INDEX_TABLE": names["index"],
        "VECTOR_TABLE": names["index"] + "-vectors",
        "REVIEW_QUEUE_URL": names["reviews"],
        "REVIEW_DLQ_URL": names["undecided"],
        "REVIEW_MAX_RECEIVES": "20",
        "INGEST_QUEUE_URL": names["changes"],
        "INGEST_PRIORITY_QUEUE_URL": names["urgent"],
        "INGEST_DLQ_URL": names["dead"],
        "INFER_QUEUE_URL": names["published"],
        "INFER_PRIORITY_QUEUE_URL": names["published"],
        "INFER_DLQ_URL": names["dead"],
        "PURGE_QUEUE_URL": names["purges"],
        "EVENT_BUS": names["bus"],
        "STACK_NAME": "darkroom",
        "SIGNING_KEYS_ARN": "asked for nothing here",
        "INFERENCE_MODE": "endpoint",
        "ENDPOINT_NAME": sagemaker.NAME,
        "LEASE_S": "125",
        "MAX_RECEIVES": "3",
    }


def received(env: IngestEnvironment, queue: str) -> dict[str, Any]:
    """The one message in ``queue`` as Lambda passes it on."""
    sqs, url = env.clients["sqs"], env.names[queue]
    [message] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])[
        "Messages"
    ]
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{url.rpartition('/')[2]}",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


def run(function: str, header: str, event: Mapping[str, Any], environment: Mapping[str, str]) -> Observed:
    """An invocation of its own process, as Lambda traces it."""
    named = {
        "LAMBDA_TASK_ROOT": str(FUNCTIONS / function),
        "AWS_LAMBDA_FUNCTION_NAME": f"darkroom-{function}",
        "POWERTOOLS_SERVICE_NAME": function,
        "_X_AMZN_TRACE_ID": header,
        "EVENT": json.dumps(event),
    }
    return watch(SCRIPT, LAMBDA | dict(environment) | named)


def test_an_uploads_trace_goes_from_ingest_by_infer_to_the_endpoint(upload: Upload) -> None:
    trace = upload.trace
    assert {document["trace_id"] for document in upload.ingest.received} == {TRACE}
    segment = one(trace, "darkroom-infer")
    assert segment.document["trace_id"] == TRACE
    [announced] = [part for part in trace if part.id == segment.parent_id]
    assert above(trace, announced) == ["announce", "change"]
    assert above(trace, one(trace, "endpoint")) == [
        "endpoint", "invoke", "darkroom-infer", "announce", "change",
    ]  # fmt: skip
    assert one(trace, "endpoint").document["namespace"] == "remote"
    [queue] = [part for part in trace if part.document["name"] == "queue"]
    assert above(trace, queue)[:2] == ["queue", "endpoint"]
    below = {part.document["name"] for part in trace if part.parent_id == segment.id}
    assert {"prepare", "invoke", "store", "announce"} <= below
    change = one(trace, "change")
    steps = {part.document["name"] for part in trace if part.parent_id == change.id}
    assert {"sniff", "limits", "checksum", "decode", "clean", "master", "presets", "index", "announce"} <= steps


@pytest.mark.slow
def test_reading_the_endpoints_answer_is_a_stage_of_the_call(upload: Upload) -> None:
    trace = upload.trace
    invoke = one(trace, "invoke")
    stages = [part.document for part in trace if part.parent_id == invoke.id and part.document["name"] != "sagemaker"]
    assert {stage["name"] for stage in stages} >= {"endpoint", "decode"}
    endpoint = one(trace, "endpoint")
    inside = [part.document for part in trace if part.parent_id == endpoint.id]
    took_ms = {stage["name"]: (stage["end_time"] - stage["start_time"]) * 1000 for stage in inside}
    assert took_ms == pytest.approx({"queue": 3.0, "decode": 12.1, "infer": 80.2}, abs=0.01)


@pytest.mark.slow
def test_all_parts_use_one_id_of_the_image(upload: Upload) -> None:
    [call] = upload.runtime.calls
    assert (call.headers["x-amzn-sagemaker-inference-id"], call.trace) == (upload.image_id, TRACE)
    for observed, segment in ((upload.ingest, "change"), (upload.infer, "darkroom-infer")):
        [handled] = [line for line in observed.logs if line["message"] == "handled"]
        assert (handled["correlation_id"], handled["xray_trace_id"]) == (upload.image_id, TRACE)
        assert one(upload.trace, segment).annotations["correlation_id"] == upload.image_id


@pytest.mark.slow
def test_what_can_be_searched_for_has_few_values_and_is_no_key(upload: Upload) -> None:
    found = {name: one(upload.trace, name).annotations for name in ("change", "darkroom-infer")}
    unbounded = {"correlation_id": upload.image_id}
    assert found["change"] == unbounded | {"cold": True, "format": "jpeg", "outcome": "ready"}
    assert found["darkroom-infer"] == unbounded | {
        "cold": True,
        "outcome": "analysed",
        "variant": "main",
        "model_version": "gpu-faces/2 gpu-likeness/2 gpu-moderation/2 gpu-similarity/2 gpu-tags/2 gpu-text/2",
    }
    for part in upload.trace:
        assert KEY not in json.dumps({name: text for name, text in part.document.items() if name not in _HOLDING})
    assert one(upload.trace, "change").document["metadata"]["default"]["key"] == KEY
    assert one(upload.trace, "darkroom-infer").document["metadata"]["default"]["key"] == KEY


_HOLDING = ("metadata", "subsegments")
"""Where keys may be, and fields with checks of their own."""


@pytest.mark.slow
def test_a_dlq_message_stays_in_its_trace(
    aws: Callable[[str], Any], aws_environment: dict[str, str], runtime: Runtime
) -> None:
    env = IngestEnvironment.build(aws)
    env.clients["sqs"].send_message(QueueUrl=env.names["changes"], MessageBody='{"what": "ever"}')
    header = f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1"
    observed = run("ingest", header, received(env, "changes"), aws_environment | variables(env))
    [change] = [part for part in parts(observed.received) if part.document["name"] == "change"]
    assert (change.document.get("error"), change.annotations["code"]) == (True, "bad-upload")
    dead = received(env, "dead")["Records"][0]
    assert dead["attributes"]["AWSTraceHeader"] == f"Root={TRACE};Parent={change.id};Sampled=1"

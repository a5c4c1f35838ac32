"""The ingest functions of medical images: DICOM uploads become masters without patient data."""

from __future__ import annotations

from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.secrets import Secret
from darkroom.aws.telemetry import LightObserver
from darkroom.environment import EventEnvironment
from darkroom.signing import parse_signing_keys
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.sagemaker import Endpoint
from darkroom_pipeline.aws.sqs import Queue
from medical.ingest import Ingest, Outcome
from medical.masters_bucket import Masters
from medical.messages import consume


class MedicalIngestEnvironment(EventEnvironment):
    """Variables of the function. ``media_bucket`` is the stack's bucket of masters.

    ``queue_url`` is that of the function's own queue. ``stat_queue_url`` is empty in the function that consumes this
    queue. Without ``endpoint_name``, images that may have text are not served.
    """

    uploads_bucket: str
    uid_key_arn: str
    queue_url: str
    endpoint_name: str = ""
    stat_queue_url: str = ""


_env = MedicalIngestEnvironment()
_observer = LightObserver("medical_ingest")
_uid_key = Secret(_env.uid_key_arn, CredentialSource(), parse_signing_keys, observer=_observer)
_events = EventBus(create_client("events"), _env.event_bus, _env.stack_name, _observer.trace_header)


def _publish(outcome: Outcome) -> None:
    _events.publish("MedicalImageIngested", outcome.to_event())


_s3 = create_client("s3")
_ingest = Ingest(
    _s3,
    _env.uploads_bucket,
    Masters(_s3, _env.media_bucket),
    lambda: _uid_key.get()[0],
    Endpoint(create_client("sagemaker-runtime"), _env.endpoint_name) if _env.endpoint_name else None,
    _publish,
)
_sqs = create_client("sqs")
_queue = Queue(_sqs, _env.queue_url)


def _send_urgent(body: str) -> None:
    _sqs.send_message(QueueUrl=_env.stat_queue_url, MessageBody=body)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Consume messages with event notifications of S3; return those that failed."""
    _observer.begin(context)
    with _observer.message("ingest"):
        return consume(
            event,
            _ingest,
            _observer,
            lambda: context.get_remaining_time_in_millis() / 1000,
            _queue.set_visibility_timeout,
            _send_urgent if _env.stat_queue_url else None,
        )

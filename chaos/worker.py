"""A child process that runs a function on the messages of its queue, as Lambda does, until it is killed."""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config

from .attempts import Step
from .event_source_mapping import Context, invoke_handler, to_event
from .seeded_rng import seeded_random
from .worker_spec import WorkerSpec, begin

THROTTLED_SHARE = 0.03
"""Share of messages that are received and returned, as when Lambda is throttled."""


def serve(spec: WorkerSpec) -> None:
    """Receive, invoke and delete, forever."""
    handler = begin(spec)
    receiver = _sqs(spec, spec.direct_url)
    deleter = _sqs(spec, spec.environment["AWS_ENDPOINT_URL"])
    round_number = 0
    while True:
        received = receiver.receive_message(
            QueueUrl=spec.queue_url,
            MaxNumberOfMessages=spec.batch,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = received.get("Messages", [])
        if not messages:
            continue
        round_number += 1
        rng = seeded_random(spec.seed, spec.worker_id, spec.life, round_number)
        rng.shuffle(messages)
        taken = [message for message in messages if spec.end is None or rng.random() >= THROTTLED_SHARE]
        _log(spec, Step.RECEIVED, messages)
        _log(spec, Step.RELEASED, [message for message in messages if message not in taken])
        if taken:
            done = _invoke(handler, taken, spec)
            _log(spec, Step.DONE, done)
            _log(spec, Step.FAILED, [message for message in taken if message not in done])
            _delete(deleter, spec.queue_url, done)


def _log(spec: WorkerSpec, step: Step, messages: Sequence[Mapping[str, Any]]) -> None:
    if messages:
        spec.attempts.write(step, [message["Body"] for message in messages])


def _sqs(spec: WorkerSpec, endpoint_url: str) -> Any:
    return boto3.client(
        "sqs",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=f"poller-{spec.worker_id}",
        aws_secret_access_key="test",
        config=Config(read_timeout=10, retries={"total_max_attempts": 1}),
    )


def _invoke(handler: Any, messages: Sequence[Mapping[str, Any]], spec: WorkerSpec) -> list[Mapping[str, Any]]:
    """Invoke the function; SIGALRM ends the process at the timeout. Return the messages to delete."""
    signal.setitimer(signal.ITIMER_REAL, spec.timeout_s)
    try:
        answer = handler(to_event(messages, spec.queue_url), Context(spec.function, spec.timeout_s))
    except Exception:
        traceback.print_exc()
        return []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return invoke_handler(answer, messages)


def _delete(client: Any, queue_url: str, messages: Sequence[Mapping[str, Any]]) -> None:
    """Delete messages. A failed deletion is not retried: the messages are delivered again."""
    if not messages:
        return
    entries = [
        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)
    ]
    try:
        client.delete_message_batch(QueueUrl=queue_url, Entries=entries)
    except Exception as error:
        print("not deleted:", repr(error), flush=True)
        time.sleep(0.1)

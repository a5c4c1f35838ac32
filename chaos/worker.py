"""A child process that runs a function of ours on the messages of its queue, as Lambda does, until it dies."""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config

from .event_source_mapping import Context, invoke_handler, to_event
from .seeded_rng import seeded_random
from .worker_spec import WorkerSpec, begin

THROTTLED_SHARE = 0.03
"""How many of the messages are received and then let go, as when Lambda has no concurrency left."""


def serve(errand: WorkerSpec) -> None:
    """Receive, invoke, delete, for ever."""
    handler = begin(errand)
    receiver = _sqs(errand, errand.direct_url)
    deleter = _sqs(errand, errand.environment["AWS_ENDPOINT_URL"])
    round_number = 0
    while True:
        received = receiver.receive_message(
            QueueUrl=errand.queue_url,
            MaxNumberOfMessages=errand.batch,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = received.get("Messages", [])
        if not messages:
            continue
        round_number += 1
        chance = seeded_random(errand.seed, errand.who, errand.life, round_number)
        chance.shuffle(messages)
        taken = [message for message in messages if errand.end is None or chance.random() >= THROTTLED_SHARE]
        if taken:
            _delete(deleter, errand.queue_url, _invoke(handler, taken, errand))


def _sqs(errand: WorkerSpec, endpoint_url: str) -> Any:
    return boto3.client(
        "sqs",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=f"poller-{errand.who}",
        aws_secret_access_key="test",
        config=Config(read_timeout=10, retries={"total_max_attempts": 1}),
    )


def _invoke(handler: Any, messages: Sequence[Mapping[str, Any]], errand: WorkerSpec) -> list[Mapping[str, Any]]:
    """Call the function; SIGALRM ends the process when the function's time is over. Returns what may be deleted."""
    signal.setitimer(signal.ITIMER_REAL, errand.timeout_s)
    try:
        answer = handler(to_event(messages, errand.queue_url), Context(errand.function, errand.timeout_s))
    except Exception:
        traceback.print_exc()
        return []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return invoke_handler(answer, messages)


def _delete(client: Any, queue_url: str, messages: Sequence[Mapping[str, Any]]) -> None:
    """A deletion that fails is not tried again: the messages come back."""
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

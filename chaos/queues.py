"""Read queues, and send the messages that the harness adds."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .environment import ANNOUNCEMENTS, EVENTS, INGEST, Environment
from .seeded_rng import seeded_random

REDELIVERED_SHARE = 0.1
"""Share of events that are delivered twice, as EventBridge and SQS may do."""

REDELIVERY_DELAY_S = 12.0
"""Mean delay of the second delivery."""


def count_messages(environment: Environment, name: str) -> int:
    """Count the messages in a queue: visible, in flight, delayed."""
    found = environment.queues.get_queue_attributes(QueueUrl=environment.queue_url(name), AttributeNames=["All"])
    return sum(int(count) for name, count in found["Attributes"].items() if name.startswith("ApproximateNumber"))


def drain(environment: Environment, name: str) -> list[Any]:
    """Receive and delete all messages of a queue."""
    found: list[Any] = []
    url = environment.queue_url(name)
    while True:
        answer = environment.queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        messages = answer.get("Messages", [])
        if not messages:
            return found
        found += messages
        for message in messages:
            environment.queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@dataclass
class Recorder:
    """Records events and announcements, and redelivers some events later and out of order."""

    environment: Environment
    seed: int
    events: list[dict[str, Any]] = field(default_factory=list)
    announcements: list[dict[str, Any]] = field(default_factory=list)
    redelivered: int = 0
    _numbers: Counter[str] = field(default_factory=Counter)

    def record(self) -> None:
        """Record the messages since the last call."""
        for message in drain(self.environment, EVENTS):
            event = json.loads(message["Body"])
            self.events.append(event)
            self._maybe_redeliver(event, message["Body"])
        self.announcements += [json.loads(message["Body"]) for message in drain(self.environment, ANNOUNCEMENTS)]

    def _maybe_redeliver(self, event: Mapping[str, Any], body: str) -> None:
        key = event["detail"]["object"]["key"]
        self._numbers[key] += 1
        rng = seeded_random(self.seed, "twice", key, self._numbers[key])
        if rng.random() < REDELIVERED_SHARE:
            self.redelivered += 1
            delay_s = int(rng.expovariate(1 / REDELIVERY_DELAY_S))
            self.environment.queues.send_message(
                QueueUrl=self.environment.queue_url(INGEST), MessageBody=body, DelaySeconds=delay_s
            )

    def send_poison(self) -> str:
        """Send ingest a message that it cannot process. Return its body."""
        body = json.dumps({"chaos": f"not an event, {time.time_ns()}"})
        self.environment.queues.send_message(QueueUrl=self.environment.queue_url(INGEST), MessageBody=body)
        return body

"""The queues, looked at from outside, and the messages that the harness adds."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .environment import ANNOUNCEMENTS, EVENTS, INGEST, Environment
from .seeded_rng import seeded_random

TWICE_SHARE = 0.1
"""How many events are delivered again, as EventBridge and SQS may."""

LATER_S = 12.0
"""How much later, on average."""


class Depth(NamedTuple):
    """Messages of a queue: to be received now, received and not deleted, delayed."""

    visible: int
    hidden: int
    delayed: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self)


def depth(world: Environment, name: str) -> Depth:
    """How full a queue is."""
    wanted = ["", "NotVisible", "Delayed"]
    names = [f"ApproximateNumberOfMessages{suffix}" for suffix in wanted]
    found = world.sqs.get_queue_attributes(QueueUrl=world.queue_url(name), AttributeNames=names)["Attributes"]
    return Depth(*(int(found[name]) for name in names))


def is_drained(world: Environment, name: str) -> list[dict[str, Any]]:
    """Every message that a queue has now; they are deleted."""
    found: list[dict[str, Any]] = []
    url = world.queue_url(name)
    while True:
        answer = world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        messages = answer.get("Messages", [])
        if not messages:
            return found
        found += messages
        for message in messages:
            world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@dataclass
class Recorder:
    """Keeps what was told, and tells some of it again, later and out of order."""

    world: Environment
    seed: int
    events: list[dict[str, Any]] = field(default_factory=list)
    announcements: list[dict[str, Any]] = field(default_factory=list)
    told_again: int = 0
    _numbers: Counter[str] = field(default_factory=Counter)

    def record(self) -> None:
        """Take in what has come since the last time."""
        for message in is_drained(self.world, EVENTS):
            event = json.loads(message["Body"])
            self.events.append(event)
            self._maybe_tell_again(event, message["Body"])
        self.announcements += [json.loads(message["Body"]) for message in is_drained(self.world, ANNOUNCEMENTS)]

    def _maybe_tell_again(self, event: Mapping[str, Any], body: str) -> None:
        key = event["detail"]["object"]["key"]
        self._numbers[key] += 1
        chance = seeded_random(self.seed, "twice", key, self._numbers[key])
        if chance.random() < TWICE_SHARE:
            self.told_again += 1
            delay_s = int(chance.expovariate(1 / LATER_S))
            self.world.sqs.send_message(QueueUrl=self.world.queue_url(INGEST), MessageBody=body, DelaySeconds=delay_s)

    def send_poison(self) -> str:
        """Send ingest a message that nobody can do anything with; its body."""
        body = json.dumps({"chaos": f"no event at all, {time.time_ns()}"})
        self.world.sqs.send_message(QueueUrl=self.world.queue_url(INGEST), MessageBody=body)
        return body

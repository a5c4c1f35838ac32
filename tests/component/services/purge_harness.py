"""A bucket, a queue and a distribution in MiniStack for purges, created for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from darkroom.image_keys import derivatives_prefix, encode_key
from darkroom.services.caching import derivative_metadata
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.cloudfront import Distribution
from darkroom_pipeline.aws.erasures import ErasureTable
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.purge.consumer import PurgeConsumer
from darkroom_pipeline.services.purge.stale_derivatives import DerivativePurge

from .cloudfront import HeldDistribution, make_distribution

_numbers = itertools.count(1)

MAX_RECEIVES = 20


def lasting() -> float:
    """As much time as anyone could want, in s."""
    return 900.0


@dataclass
class PurgeEnvironment:
    """The resources of a purge."""

    s3: Any
    sqs: Any
    cdn: HeldDistribution
    media: S3Bucket
    queue: Queue
    dead_letters: Queue
    erasures: ErasureTable
    index: str

    @classmethod
    def build(cls, environment: dict[str, str]) -> PurgeEnvironment:
        """Create new resources."""
        number = next(_numbers)
        s3, sqs = create_client("s3", environment), create_client("sqs", environment)
        s3.create_bucket(Bucket=f"site-{number}")
        url = sqs.create_queue(QueueName=f"site-purges-{number}", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
        dead_url = sqs.create_queue(QueueName=f"site-dead-letters-{number}")["QueueUrl"]
        distribution = make_distribution(create_client("cloudfront", environment))
        dynamodb, index = create_client("dynamodb", environment), f"site-index-{number}"
        dynamodb.create_table(
            TableName=index,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        media, erasures = S3Bucket(s3, f"site-{number}"), ErasureTable(dynamodb, index)
        return cls(s3, sqs, distribution, media, Queue(sqs, url), Queue(sqs, dead_url), erasures, index)

    @property
    def purge(self) -> DerivativePurge:
        return DerivativePurge(self.media, self.media)

    def purging(self, **further: Any) -> PurgeConsumer:
        """The service, with delayed messages sent at once."""
        cdn = Distribution(self.cdn.client, self.cdn.distribution_id)
        further = {"purge": self.purge, "repeat_after_s": 0, "defer_s": 0, **further}
        return PurgeConsumer(
            distribution=cdn,
            queue=self.queue,
            dead_letters=self.dead_letters,
            max_receives=MAX_RECEIVES,
            observer=PowertoolsObserver("purge"),
            erasures=self.erasures,
            **further,
        )

    def buried(self) -> list[dict[str, str]]:
        """The DLQ messages: their attributes, and their ``body``."""
        answer = self.sqs.receive_message(
            QueueUrl=self.dead_letters.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return [
            {"body": message["Body"]}
            | {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
            for message in answer.get("Messages", [])
        ]

    def master(self, key: str, body: bytes = b"negative") -> str:
        """Put a master; its entity tag."""
        return self.media.put(f"masters/{encode_key(key)}", body, headers={}, metadata={})

    def derivative(self, key: str, name: str, master_etag: str = "") -> str:
        """Put a derivative, with the entity tag of its master if ``master_etag`` is given; return its key."""
        metadata = derivative_metadata(master_etag) if master_etag else {}
        name = f"{derivatives_prefix(key)}{name}"
        self.media.put(name, b"print", headers={}, metadata=metadata)
        return name

    def derivatives(self, key: str, names: Iterable[str], master_etag: str) -> None:
        """Put many."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: self.derivative(key, name, master_etag), names))

    def keys(self, prefix: str = "derivatives/") -> list[str]:
        """List all keys."""
        return [listed.key for page in self.media.list_pages(prefix) for listed in page]

    def receive(self, most: int = 10) -> list[dict[str, Any]]:
        """Messages of the queue as records of an SQS event, as many as there are up to ``most``."""
        answer = self.sqs.receive_message(
            QueueUrl=self.queue.url, MaxNumberOfMessages=most, MessageSystemAttributeNames=["All"]
        )
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
            for message in answer.get("Messages", [])
        ]

    def done(self, records: Iterable[dict[str, Any]], failed: Iterable[str] = ()) -> None:
        """Delete the messages that did not fail, as Lambda does."""
        for record in records:
            if record["messageId"] not in set(failed):
                self.sqs.delete_message(QueueUrl=self.queue.url, ReceiptHandle=record["receiptHandle"])

    def count(self, name: str) -> int:
        """An ApproximateNumberOfMessages... of the queue."""
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue.url, AttributeNames=["All"])["Attributes"]
        return int(attributes[f"ApproximateNumberOfMessages{name}"])

    def interfere(self, event: str, act: Callable[[dict[str, Any]], None]) -> None:
        """Have ``act`` done at a botocore event of S3; it gets the event's arguments."""
        self.s3.meta.events.register(event, lambda **arguments: act(arguments))

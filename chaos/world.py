"""The stage: MiniStack with the buckets, queues, rule, table and distribution that the template would make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from .pictures import MAX_PIXELS

ACCOUNT = "000000000000"
REGION = "us-east-1"
UPLOADS, MEDIA, QUARANTINE = "uploads", "media", "quarantine"
TABLE = "index"
INGEST, INGEST_DEAD, PURGE, PURGE_DEAD = "ingest", "ingest-dead", "purge", "purge-dead"
EVENTS, ANNOUNCEMENTS = "recorded-events", "recorded-announcements"
"""Queues of the harness's own: what S3 told of uploads, and what ingest told the world."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the deployment sets, with the times squeezed. ``max_receives``: until a message is given up."""

    visibility_s: int = 8
    lease_s: int = 6
    max_receives: int = 12


class World:
    """Clients of the MiniStack at ``url``, straight to it, and what was made there."""

    def __init__(self, url: str, terms: Terms) -> None:
        self.url = url
        self.terms = terms
        self.distribution_id = ""
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A boto3 client, made once."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="harness",
                aws_secret_access_key="test",
                config=Config(s3={"addressing_style": "path"}, max_pool_connections=32, read_timeout=30),
            )
        return self._clients[service]

    @cached_property
    def s3(self) -> Any:
        """Buckets."""
        return self.client("s3")

    @cached_property
    def sqs(self) -> Any:
        """Queues."""
        return self.client("sqs")

    def queue_url(self, name: str) -> str:
        """The URL of a queue, at MiniStack itself."""
        return f"{self.url}/{ACCOUNT}/{name}"

    def build(self) -> None:
        """Make everything."""
        for bucket in (UPLOADS, MEDIA, QUARANTINE):
            self.s3.create_bucket(Bucket=bucket)
        self.s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
        self.s3.put_bucket_notification_configuration(
            Bucket=UPLOADS, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        for name, dead in ((INGEST, INGEST_DEAD), (PURGE, PURGE_DEAD)):
            self._make_queue(dead)
            redrive = {"deadLetterTargetArn": _queue_arn(dead), "maxReceiveCount": self.terms.max_receives + 3}
            visible = {"VisibilityTimeout": str(self.terms.visibility_s), "RedrivePolicy": json.dumps(redrive)}
            self._make_queue(name, visible)
        for name in (EVENTS, ANNOUNCEMENTS):
            self._make_queue(name)
        self._follow({"source": ["aws.s3"], "detail": {"bucket": {"name": [UPLOADS]}}}, INGEST, EVENTS)
        self._follow({"source": ["darkroom"]}, ANNOUNCEMENTS)
        self.client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sha256")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-sha256",
                    "KeySchema": [{"AttributeName": "sha256", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        made = self.client("cloudfront").create_distribution(DistributionConfig=_distribution())
        self.distribution_id = made["Distribution"]["Id"]

    def _make_queue(self, name: str, attributes: Mapping[str, str] | None = None) -> None:
        self.sqs.create_queue(QueueName=name, Attributes=dict(attributes or {}))

    def _follow(self, pattern: Mapping[str, object], *queues: str) -> None:
        events, name = self.client("events"), f"to-{queues[0]}"
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": queue, "Arn": _queue_arn(queue)} for queue in queues])

    def environment(self, proxy_url: str, who: str) -> dict[str, str]:
        """The functions' environment variables, of a worker that reaches AWS through the proxy."""
        return {
            "AWS_ENDPOINT_URL": proxy_url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": who,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "UPLOADS_BUCKET": UPLOADS,
            "MEDIA_BUCKET": MEDIA,
            "SOURCE_BUCKET": MEDIA,
            "SOURCE_PREFIX": "masters/",
            "QUARANTINE_BUCKET": QUARANTINE,
            "INDEX_TABLE": TABLE,
            "INGEST_QUEUE_URL": f"{proxy_url}/{ACCOUNT}/{INGEST}",
            "INGEST_DLQ_URL": f"{proxy_url}/{ACCOUNT}/{INGEST_DEAD}",
            "PURGE_QUEUE_URL": f"{proxy_url}/{ACCOUNT}/{PURGE}",
            "PURGE_DLQ_URL": f"{proxy_url}/{ACCOUNT}/{PURGE_DEAD}",
            "DISTRIBUTION_ID": self.distribution_id,
            "SIGNING_KEYS_ARN": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:none",
            "EVENT_BUS": "default",
            "KEEP_GPS": "off",
            "CLAMD_ADDRESS": "",
            "MAX_SOURCE_PIXELS": str(MAX_PIXELS),
            "LEASE_S": str(self.terms.lease_s),
            "MAX_RECEIVES": str(self.terms.max_receives),
            "POWERTOOLS_SERVICE_NAME": who.partition("-")[0],
            "POWERTOOLS_METRICS_NAMESPACE": "Darkroom",
            "POWERTOOLS_TRACE_DISABLED": "true",
        }


def _queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def _distribution() -> dict[str, Any]:
    """As little of a distribution as can be invalidated."""
    return {
        "CallerReference": "chaos",
        "Comment": "",
        "Enabled": True,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {"Id": "media", "DomainName": "media.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "media",
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    }

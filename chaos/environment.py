"""Create MiniStack resources of the template: buckets, queues, rules, table and distribution, with shorter times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from darkroom.services.live_settings import CURRENT

from .images import MAX_PIXELS
from .template import Template

ACCOUNT = "000000000000"
REGION = "us-east-1"
UPLOADS, MEDIA, QUARANTINE = "uploads", "media", "quarantine"
TABLE = "index"
INGEST, INGEST_DEAD, PURGE, PURGE_DEAD = "ingest", "ingest-dead-letters", "purge", "purge-dead-letters"
AUDIT = "audit"
EVENTS, ANNOUNCEMENTS = "recorded-events", "recorded-announcements"
"""Queues of the harness: S3's events and ingest's announcements."""

_BUCKETS = {"UploadsBucket": UPLOADS, "MediaBucket": MEDIA, "QuarantineBucket": QUARANTINE}
_QUEUES = {
    "IngestDeadLetters": INGEST_DEAD,
    "PurgeDeadLetters": PURGE_DEAD,
    "IngestQueue": INGEST,
    "PurgeQueue": PURGE,
}
"""By logical id, referenced functions first."""

_RULES = ("UploadRule",)
_FUNCTIONS = {"ingest": "IngestFunction", "purge": "PurgeFunction", "transform": "TransformFunction"}


@dataclass(frozen=True, slots=True)
class Limits:
    """Deviations from the template: shorter times, and a higher receive count because more requests fail.

    The monitor redrives each dead letter once, as on AWS.
    """

    visibility_s: int = 16
    lease_s: int = 12
    times_receives: int = 2


class Environment:
    """Clients of the MiniStack at ``url`` that bypass the proxy, and the resources created there."""

    def __init__(self, url: str, terms: Limits) -> None:
        self.url = url
        self.terms = terms
        self.distribution_id = ""
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return a cached boto3 client."""
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
        """Return the S3 client."""
        return self.client("s3")

    @cached_property
    def sqs(self) -> Any:
        """Return the SQS client."""
        return self.client("sqs")

    def queue_url(self, name: str) -> str:
        """Return the URL of a queue at MiniStack, without the proxy."""
        return f"{self.url}/{ACCOUNT}/{name}"

    def build(self) -> None:
        """Create all resources."""
        template = self._template(self.url)
        for bucket in (*_BUCKETS.values(), AUDIT):
            self.s3.create_bucket(Bucket=bucket)
        document = json.dumps({"settings": {"max_source_pixels": MAX_PIXELS}}).encode()
        self.s3.put_object(Bucket=MEDIA, Key=CURRENT, Body=document)
        versioning = template.properties("UploadsBucket")["VersioningConfiguration"]
        self.s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration=versioning)
        self.s3.put_bucket_notification_configuration(
            Bucket=UPLOADS, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        for logical_id, name in _QUEUES.items():
            self._make_queue(name, self._attributes(template.properties(logical_id)))
        for name in (EVENTS, ANNOUNCEMENTS):
            self._make_queue(name, {})
        for rule in _RULES:
            self._follow(rule, template.properties(rule)["EventPattern"], INGEST, EVENTS)
        self._follow("announced", {"source": ["darkroom"]}, ANNOUNCEMENTS)
        table = template.properties("IndexTable")
        names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        self.client("dynamodb").create_table(TableName=TABLE, **{name: table[name] for name in names})
        made = self.client("cloudfront").create_distribution(DistributionConfig=_distribution())
        self.distribution_id = made["Distribution"]["Id"]

    def batch(self, function: str) -> int:
        """Return the batch size of a function."""
        [source] = self._template(self.url).properties(_FUNCTIONS[function])["Events"].values()
        return int(source["Properties"]["BatchSize"])

    def timeout_s(self, function: str) -> float:
        """Return the timeout of a function."""
        return float(self._template(self.url).properties(_FUNCTIONS[function])["Timeout"])

    def worker_variables(self, proxy_url: str, worker_id: str) -> dict[str, str]:
        """Return the environment variables of worker ``function-number``, which reaches AWS through the proxy."""
        function = worker_id.partition("-")[0]
        changed = {
            "AWS_ENDPOINT_URL": proxy_url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": worker_id,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "LEASE_S": str(self.terms.lease_s),
            "POWERTOOLS_TRACE_DISABLED": "true",
        }
        variables = self._template(proxy_url).environment(_FUNCTIONS[function]) | changed
        if "MAX_RECEIVES" in variables:
            variables["MAX_RECEIVES"] = str(self._receives(variables["MAX_RECEIVES"]))
        return variables

    def _template(self, url: str) -> Template:
        references = {
            **_BUCKETS,
            "IndexTable": TABLE,
            "Distribution": self.distribution_id,
        }
        for logical_id, name in _QUEUES.items():
            references |= {logical_id: f"{url}/{ACCOUNT}/{name}", f"{logical_id}.Arn": _queue_arn(name)}
        keys = {"SigningKeys.Id": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:none"}
        return Template(references | keys, REGION)

    def _receives(self, templates: object) -> int:
        return int(str(templates)) * self.terms.times_receives

    def _attributes(self, properties: Mapping[str, Any]) -> dict[str, str]:
        """Return a queue's attributes: a short visibility timeout, and the template's dead-letter queue."""
        if "RedrivePolicy" not in properties:
            return {}
        redrive = dict(properties["RedrivePolicy"])
        redrive["maxReceiveCount"] = self._receives(redrive["maxReceiveCount"])
        return {"VisibilityTimeout": str(self.terms.visibility_s), "RedrivePolicy": json.dumps(redrive)}

    def _make_queue(self, name: str, attributes: Mapping[str, str]) -> None:
        self.sqs.create_queue(QueueName=name, Attributes=dict(attributes))

    def _follow(self, rule: str, pattern: Mapping[str, object], *queues: str) -> None:
        events = self.client("events")
        events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=rule, Targets=[{"Id": queue, "Arn": _queue_arn(queue)} for queue in queues])


def _queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def _distribution() -> dict[str, Any]:
    """Return a minimal distribution that can be invalidated."""
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

"""Create MiniStack resources of the template: buckets, queues, rules, table and distribution, with shorter times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.services.live_settings import CURRENT
from local.aws import Cloud
from local.paths import REGION

from .event_source_mapping import ACCOUNT
from .images import MAX_PIXELS
from .template import Template

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

_FUNCTIONS = {"ingest": "IngestFunction", "purge": "PurgeFunction", "transform": "TransformFunction"}


@dataclass(frozen=True, slots=True)
class Limits:
    """Deviations from the template: shorter times, and a higher receive count because more requests fail.

    The monitor redrives each dead letter once, as on AWS.
    """

    visibility_s: int = 16
    lease_s: int = 12
    times_receives: int = 2


class Environment(Cloud):
    """Clients of the MiniStack at ``endpoint_url`` that bypass the proxy, and the resources created there."""

    def __init__(self, endpoint_url: str, terms: Limits) -> None:
        super().__init__(endpoint_url)
        self.terms = terms
        self.distribution_id = ""

    def queue_url(self, name: str) -> str:
        """Return the URL of a queue at MiniStack, without the proxy."""
        return f"{self.endpoint_url}/{ACCOUNT}/{name}"

    def build(self) -> None:
        """Create all resources."""
        template = self._template(self.endpoint_url)
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
            self.queues.create_queue(QueueName=name, Attributes=self._attributes(template.properties(logical_id)))
        for name in (EVENTS, ANNOUNCEMENTS):
            self.queues.create_queue(QueueName=name)
        self._follow("UploadRule", template.properties("UploadRule")["EventPattern"], INGEST, EVENTS)
        self._follow("announced", {"source": ["darkroom"]}, ANNOUNCEMENTS)
        table = template.properties("IndexTable")
        names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        self.dynamodb.create_table(TableName=TABLE, **{name: table[name] for name in names})
        made = self.cloudfront.create_distribution(DistributionConfig=_distribution())
        self.distribution_id = made["Distribution"]["Id"]

    def batch(self, function: str) -> int:
        """Return the batch size of a function."""
        [source] = self._template(self.endpoint_url).properties(_FUNCTIONS[function])["Events"].values()
        return int(source["Properties"]["BatchSize"])

    def timeout_s(self, function: str) -> float:
        """Return the timeout of a function."""
        return float(self._template(self.endpoint_url).properties(_FUNCTIONS[function])["Timeout"])

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

    def _attributes(self, properties: Mapping[str, Any]) -> Any:
        """Return a queue's attributes: a short visibility timeout, and the template's dead-letter queue."""
        if "RedrivePolicy" not in properties:
            return {}
        redrive = dict(properties["RedrivePolicy"])
        redrive["maxReceiveCount"] = self._receives(redrive["maxReceiveCount"])
        return {"VisibilityTimeout": str(self.terms.visibility_s), "RedrivePolicy": json.dumps(redrive)}

    def _follow(self, rule: str, pattern: Mapping[str, object], *queues: str) -> None:
        self.events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        self.events.put_targets(Rule=rule, Targets=[{"Id": queue, "Arn": _queue_arn(queue)} for queue in queues])


def _queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def _distribution() -> Any:
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

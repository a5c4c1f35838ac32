"""The purge function behind its queue in MiniStack, with slow invalidations."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import boto3

from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.services.purge.stale_derivatives import purge_message
from tests.roles import create_role

ROOT = Path(__file__).parents[3]
PACKAGES = (str(Path(boto3.__file__).parents[1]), *(str(ROOT / "layers" / name) for name in ("darkroom", "pipeline")))
QUOTA = 15
GRANTS = [(action, "*") for action in ("s3:*", "sqs:*", "cloudfront:*", "dynamodb:*")]

QUICK = """
from dataclasses import replace

import app

own = app._service
app._service = lambda: replace(own(), defer_s=0, repeat_after_s=0)
handler = app.handler
"""
"""The function's own handler, which waits for nothing: so hours of deferrals take seconds."""


@dataclass(frozen=True)
class Burst:
    """The function ``name``, its queue, and its distribution."""

    environment: dict[str, str]
    name: str
    distribution: str
    queue: str
    dead: str

    @classmethod
    def build(cls, environment: dict[str, str], recursive_loop: str) -> Burst:
        """Deploy it, as the template has it but for ``recursive_loop``."""
        name, sqs = f"burst-{uuid4().hex[:8]}", create_client("sqs", environment)
        create_client("s3", environment).create_bucket(Bucket=name)
        dead, dead_arn = _queue(sqs, f"{name}-dead")
        policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 20})
        queue, arn = _queue(sqs, name, RedrivePolicy=policy, VisibilityTimeout="365")
        made = cls(environment, name, make_distribution(create_client("cloudfront", environment)), queue, dead)
        made._deploy(arn, recursive_loop)
        return made

    def _deploy(self, queue_arn: str, recursive_loop: str) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("app.py", (ROOT / "functions" / "purge" / "app.py").read_text(encoding="utf-8"))
            file.writestr("quick.py", QUICK)
        variables = {
            "AWS_ENDPOINT_URL": self.environment["AWS_ENDPOINT_URL"],
            "PYTHONPATH": ":".join(PACKAGES),
            "MEDIA_BUCKET": self.name,
            "DISTRIBUTION_ID": self.distribution,
            "PURGE_QUEUE_URL": self.queue,
            "PURGE_DLQ_URL": self.dead,
            "INDEX_TABLE": "none",
            "MAX_RECEIVES": "20",
            "POWERTOOLS_SERVICE_NAME": "purge",
            "POWERTOOLS_METRICS_NAMESPACE": self.name,
        }
        functions = create_client("lambda", self.environment)
        functions.create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Handler="quick.handler",
            Timeout=60,
            Role=create_role(create_client("iam", self.environment), {"Service": "lambda.amazonaws.com"}, GRANTS),
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": variables},
        )
        functions.put_function_recursion_config(FunctionName=self.name, RecursiveLoop=recursive_loop)
        functions.create_event_source_mapping(
            FunctionName=self.name,
            EventSourceArn=queue_arn,
            BatchSize=10,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig={"MaximumConcurrency": 2},
        )

    def overwrite(self, keys: list[str]) -> None:
        """Send the messages of ingest for overwritten uploads."""
        sqs = create_client("sqs", self.environment)
        for at in range(0, len(keys), 10):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps(purge_message(key))}
                for number, key in enumerate(keys[at : at + 10])
            ]
            sqs.send_message_batch(QueueUrl=self.queue, Entries=entries)

    @contextmanager
    def full_quota(self) -> Iterator[None]:
        """Use up the quota of the distribution by other clients."""
        cloudfront, over = create_client("cloudfront", self.environment), Event()

        def fill() -> None:
            free = QUOTA - self._in_progress(cloudfront)
            if free > 0:
                invalidate(cloudfront, self.distribution, [f"/by-hand/{uuid4().hex}/*" for _ in range(free)])

        def keep_full() -> None:
            while not over.wait(0.02):
                fill()

        fill()
        filler = Thread(target=keep_full)
        filler.start()
        try:
            yield
        finally:
            over.set()
            filler.join()

    def _in_progress(self, cloudfront: Any) -> int:
        listed = cloudfront.list_invalidations(DistributionId=self.distribution)["InvalidationList"].get("Items", [])
        current = [one["Id"] for one in listed if one["Status"] == "InProgress"]
        return sum(path.endswith("*") for one in current for path in self._paths(cloudfront, one))

    def _paths(self, cloudfront: Any, invalidation: str) -> list[str]:
        found = cloudfront.get_invalidation(DistributionId=self.distribution, Id=invalidation)["Invalidation"]
        return list(found["InvalidationBatch"]["Paths"]["Items"])

    def invalidated(self) -> list[str]:
        """All paths that were ever invalidated but those of other clients."""
        cloudfront = create_client("cloudfront", self.environment)
        listed = cloudfront.list_invalidations(DistributionId=self.distribution)["InvalidationList"].get("Items", [])
        paths = [path for one in listed for path in self._paths(cloudfront, one["Id"])]
        return [path for path in paths if not path.startswith("/by-hand/")]

    def waiting(self, url: str) -> int:
        """Messages of a queue, received or not."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        answer = create_client("sqs", self.environment).get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(value) for value in answer["Attributes"].values())

    def total(self, namespace: str, metric: str, **dimensions: str) -> float:
        """The sum of a metric in the last hour."""
        now = datetime.now(UTC)
        found = create_client("cloudwatch", self.environment).get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in found["Datapoints"]))

    def deferrals(self) -> float:
        """How often a purge was sent again to wait."""
        return self.total(self.name, "PurgesDeferred", service="purge", function="purge")

    def dropped(self) -> float:
        """Invocations that were stopped as a loop."""
        return self.total("AWS/Lambda", "RecursiveInvocationsDropped", FunctionName=self.name)


def _queue(sqs: Any, name: str, **attributes: str) -> tuple[str, str]:
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, str(found["Attributes"]["QueueArn"])


def invalidate(cloudfront: Any, distribution: str, paths: list[str]) -> None:
    """Create an invalidation unless the quota is used up."""
    batch = {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": uuid4().hex}
    try:
        cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
    except cloudfront.exceptions.TooManyInvalidationsInProgress:
        return


def make_distribution(cloudfront: Any) -> str:
    """A new distribution; its id."""
    origin = {"Id": "o", "DomainName": "media.example.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config = {
        "CallerReference": uuid4().hex,
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": "p"},
    }
    return str(cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"])

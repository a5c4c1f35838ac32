"""The sweep function: on a schedule, queues lost uploads again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from darkroom.environment import SweepEnvironment
from darkroom.image_keys import master_names
from darkroom.services.request_metrics import count_failures
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.operations.sweep import Sweep

_env = SweepEnvironment()
_s3 = create_client("s3")
_observer = PowertoolsObserver("sweep", publishes_times=False)

_service = Sweep(
    uploads=S3Bucket(_s3, _env.uploads_bucket),
    source=S3Bucket(_s3, _env.master_bucket),
    source_names=master_names(_env),
    index=Index(create_client("dynamodb"), _env.index_table),
    queue=Queue(create_client("sqs"), _env.ingest_queue_url),
    observer=_observer,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Sweep until the time is up; return the result. ``{"everything": true}`` checks uploads of any age."""
    _observer.begin(context)
    with _observer.message("sweep"), count_failures(_observer):
        everything = event.get("everything") is True
        return asdict(_service.run(lambda: context.get_remaining_time_in_millis() / 1000, everything=everything))

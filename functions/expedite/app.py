"""The expedite function: queues uploads of urgent tokens ahead of others."""

from __future__ import annotations

import json
from typing import Any

from darkroom.environment import ExpediteEnvironment
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.operations.expedite import Expediter
from darkroom_pipeline.services.queue_consumer import read_correlation_id

_env = ExpediteEnvironment()
_observer = PowertoolsObserver("expedite")
_service = Expediter(
    uploads=S3Bucket(create_client("s3"), _env.uploads_bucket),
    queue=Queue(create_client("sqs"), _env.ingest_priority_queue_url, _observer.trace_header),
    observer=_observer,
)


def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Copy an event of S3 about an urgent upload to the priority queue; return whether it was urgent."""
    _observer.begin(context)
    with _observer.message("expedite", correlation_id=read_correlation_id(json.dumps(event))):
        return {"urgent": _service.expedite(event)}

"""The rasters function: registers rasters and compares two of them. Operators invoke it directly."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import connect
from darkroom.aws.telemetry import LightObserver
from darkroom.environment import EventEnvironment
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.eventbridge import EventBus
from map_tiles.gdal import s3_options
from map_tiles.jobs import Jobs


class RastersEnvironment(EventEnvironment):
    """Variables of the function. ``arch`` is the processor, by which seconds are priced."""

    arch: str = "arm64"
    aws_lambda_function_memory_size: int = 0


_env = RastersEnvironment()
_observer = LightObserver("rasters")
_jobs = Jobs(
    connect(_env.media_bucket, CredentialSource()),
    f"/vsis3/{_env.media_bucket}/",
    s3_options(_env.media_bucket),
    EventBus(create_client("events"), _env.event_bus, _env.stack_name, _observer.trace_header),
    memory_mb=_env.aws_lambda_function_memory_size,
    arch=_env.arch,
    folder=Path(os.environ.get("SCRATCH", gettempdir())),
)


def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Run ``{"action": "register", "key": ...}`` or ``{"action": "compare", "before": ..., "after": ...}``."""
    _observer.begin(context)
    with _observer.message(str(event.get("action", ""))):
        return _jobs.run(event)

"""The popular function: hourly, reads the CDN's access logs.

It sends frequently requested derivatives to be re-encoded, and counts visitors and clicks of experiments.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from darkroom.environment import PopularEnvironment
from darkroom.services.live_settings import LiveSettings, SettingsBound, read_applied_s
from darkroom.services.request_metrics import count_attempt
from darkroom.settings import Settings
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.experiments.runs import RunStore
from darkroom_pipeline.experiments.scan import ExperimentScan
from darkroom_pipeline.operations.popular.service import PopularityScan, read_window

_env = PopularEnvironment()
_s3 = create_client("s3")
_observer = PowertoolsObserver("popular")
_media = S3Bucket(_s3, _env.media_bucket)


def _popular(settings: Settings) -> PopularityScan:
    return PopularityScan(
        logs=S3Bucket(_s3, _env.log_bucket),
        media=_media,
        queue=Queue(create_client("sqs", _env.variables), _env.refine_queue_url, _observer.trace_header),
        distribution_id=_env.distribution_id,
        least_hits=settings.refine_hits,
        observer=_observer,
        always=settings.forced,
        presets=settings.presets,
    )


def _experiments(settings: Settings) -> ExperimentScan:
    return ExperimentScan(
        logs=S3Bucket(_s3, _env.log_bucket),
        runs=RunStore(_media),
        distribution_id=_env.distribution_id,
        experiments=settings.experiments,
        applied_s=lambda: read_applied_s(_media.read),
        observer=_observer,
    )


_live = LiveSettings(_media.read, _observer)
_service, _scan = SettingsBound(_live, _popular), SettingsBound(_live, _experiments)


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Read the logs of the hour before a schedule's event; ``{"hours": 24}`` reads those of the last day."""
    _observer.begin(context)
    with _observer.message("popular"), count_attempt(_observer):
        window = read_window(event, time.time())
        experiments = _scan().run(window, lambda: _remaining_s(context), time.time())
        found = asdict(_service().run(window, lambda: _remaining_s(context)))
        return found | ({"experiments": experiments} if experiments else {})


def _remaining_s(context: Any) -> float:
    return float(context.get_remaining_time_in_millis()) / 1000

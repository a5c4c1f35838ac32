"""The scene function: one step of processing a large image, as the state machine requests it."""

from __future__ import annotations

from typing import Any

from darkroom.environment import SceneEnvironment
from darkroom.services.live_settings import LiveSettings, SettingsBound, build_upload_limits
from darkroom.settings import Settings
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.multipart_copy import MultipartAssembler
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.large_image.steps import LargeImageSteps, read_request

_env = SceneEnvironment()
_s3, _observer = create_client("s3"), PowertoolsObserver("scene")
_media = S3Bucket(_s3, _env.media_bucket)


def _open_strips(settings: Settings) -> LargeImageSteps:
    return LargeImageSteps(
        uploads=S3Bucket(_s3, _env.uploads_bucket),
        media=_media,
        assembler=MultipartAssembler(_s3, _env.media_bucket),
        queue=Queue(create_client("sqs", _env.variables), _env.ingest_queue_url, _observer.trace_header),
        limits=build_upload_limits(settings),
        at_once=settings.scene_concurrency,
        observer=_observer,
    )


_strips = SettingsBound(LiveSettings(_media.read, _observer), _open_strips)


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Carry out the event's ``action`` for its large image."""
    _observer.begin(context)
    with _observer.message("scene"):
        return _strips().handle(read_request(event))

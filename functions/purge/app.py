"""The purge function: deletes stale derivatives of keys and invalidates the CDN."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from darkroom.environment import PurgeEnvironment
from darkroom.further_sources import FurtherSource
from darkroom.image_keys import large_wildcard, master_names
from darkroom.services.live_settings import LiveSettings, SettingsBound
from darkroom.settings import Settings
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.cloudfront import Distribution
from darkroom_pipeline.aws.erasures import ErasureTable
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.origins.purge import RoutedPurge
from darkroom_pipeline.services.purge.consumer import PurgeConsumer, Wildcard

_env = PurgeEnvironment()
_s3, _sqs = create_client("s3"), create_client("sqs")
_observer = PowertoolsObserver("purge")

_media = S3Bucket(_s3, _env.media_bucket)

_source = S3Bucket(_s3, _env.master_bucket)
_distribution = Distribution(create_client("cloudfront", _env.variables), _env.distribution_id)
_erasures = ErasureTable(create_client("dynamodb", _env.variables), _env.index_table)


def _connect(source: FurtherSource) -> S3Bucket:
    region = {"AWS_REGION": source.region} if source.region else {}
    return S3Bucket(create_client("s3", {**_env.variables, **region}), source.bucket)


def _list_wildcards() -> Iterator[Wildcard]:
    """Yield wildcards of what may be cached, also if it is off now."""
    if _env.has_dialects:  # else there is no layer with dialects
        from darkroom_dialects.registry import iiif_wildcard

        yield iiif_wildcard
    if _env.has_large_copies:
        yield large_wildcard


def _build(settings: Settings) -> PurgeConsumer:
    return PurgeConsumer(
        purge=RoutedPurge(_media, _source, master_names(_env), settings.sources, cache(_connect)),
        distribution=_distribution,
        queue=Queue(_sqs, _env.purge_queue_url),
        dead_letters=Queue(_sqs, _env.purge_dlq_url),
        max_receives=_env.max_receives,
        observer=_observer,
        erasures=_erasures,
        wildcards=[*_list_wildcards()],
    )


_service = SettingsBound(LiveSettings(_media.read, _observer), _build)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Process a batch of SQS messages; return those that are to be retried.

    The batch is one piece of work, because it is one invalidation: hence no BatchProcessor.
    """
    _observer.begin(context)
    with _observer.message("purge"):
        failed = _service().run(event["Records"], lambda: context.get_remaining_time_in_millis() / 1000)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

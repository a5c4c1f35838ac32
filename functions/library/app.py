"""The library function: one step of a bulk job, for its state machine."""

from __future__ import annotations

from typing import Any

from darkroom.environment import LibraryEnvironment
from darkroom.findings import ENDPOINT, FALLBACK
from darkroom.image_keys import master_names
from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.option_plugins import register_plugin
from darkroom.services.deadline import limit_for_lease, restart_if_abandoned
from darkroom.services.live_settings import (
    LiveSettings,
    SettingsBound,
    build_cache_policy,
    build_task_rules,
    build_upload_limits,
)
from darkroom.settings import Settings
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.bulk.analyse import AnalyseOperation
from darkroom_pipeline.bulk.handler import BulkJobHandler
from darkroom_pipeline.bulk.ingest import IngestOperation
from darkroom_pipeline.bulk.listing import JobKeys, Lister
from darkroom_pipeline.bulk.messages import Operation, parse_request
from darkroom_pipeline.bulk.presets import PresetsOperation
from darkroom_pipeline.bulk.report import Reporter
from darkroom_pipeline.bulk.worker import Worker, reserve_s
from darkroom_pipeline.services.ingest.examine import UploadExaminer
from darkroom_pipeline.services.masters import Masters
from darkroom_pipeline.services.purge.stale_derivatives import DerivativePurge

register_plugin(OVERLAYS)

_env = LibraryEnvironment()
_s3, _sqs, _dynamodb = create_client("s3"), create_client("sqs"), create_client("dynamodb")
_uploads, _media = S3Bucket(_s3, _env.uploads_bucket), S3Bucket(_s3, _env.media_bucket)
_source, _names = S3Bucket(_s3, _env.master_bucket), master_names(_env)
_observer = PowertoolsObserver("library")
_CPU_LIMIT = limit_for_lease(_env.lease_s)


def _vault(bucket: str) -> S3Bucket:
    return S3Bucket(_s3, bucket)


def _to(url: str) -> Queue:
    return Queue(_sqs, url, _observer.trace_header)


def _warn(name: str) -> None:
    _observer.log("WARNING", "name is not an encoded key", name=name)


_keys = JobKeys(_uploads, _source, _names, _vault, _warn)
_purge = DerivativePurge(_media, _source, _names)
_archive, _masters = (
    FindingsStore(_media, DocumentStore(_dynamodb, _env.index_table)),
    Masters(_source, _names, _media),
)
_infers = _to(_env.infer_queue_url) if _env.infer_queue_url else None
_best = ENDPOINT if _env.inference_mode == "endpoint" else FALLBACK
_index = Index(_dynamodb, _env.index_table)


def _open_library(settings: Settings) -> BulkJobHandler:
    examiner, caching = (
        UploadExaminer(
            build_upload_limits(settings),
            _observer,
            cpu_limit=_CPU_LIMIT,
            default_quality=settings.default_quality,
        ),
        build_cache_policy(settings, refines=_env.refine),
    )
    return BulkJobHandler(
        media=_media,
        lister=Lister(_keys, settings.library_concurrency, _observer),
        worker=Worker(
            {
                Operation.INGEST: IngestOperation(
                    _uploads, _source, _names, _index, _to(_env.ingest_queue_url), _vault
                ),
                Operation.INFER: AnalyseOperation(
                    _archive,
                    _masters,
                    _infers,
                    settings.findings_generation,
                    build_task_rules(settings).list_for,
                    _best,
                ),
                Operation.PRESETS: PresetsOperation(
                    _source,
                    _names,
                    _media,
                    examiner,
                    settings.presets,
                    settings.forced,
                    _purge,
                    caching,
                    mezzanines=settings.mezzanines and _env.owns_masters,
                    metadata=settings.metadata,
                ),
            },
            _observer,
            reserve_s=reserve_s(_CPU_LIMIT),
        ),
        reporter=Reporter(_observer),
    )


_library = SettingsBound(LiveSettings(_media.read, _observer), _open_library)


@restart_if_abandoned
def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Carry out the ``action`` of the event, ``list``, ``work`` or ``report``, for the job that it names."""
    _observer.begin(context)
    with _observer.message("library"):
        return _library().handle(parse_request(event), lambda: context.get_remaining_time_in_millis() / 1000)

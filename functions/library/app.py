"""The library function: one step of a run over many pictures in, what the state machine goes on with out."""

from __future__ import annotations

import os
from typing import Any

from darkroom.aws.archive import Archive
from darkroom.aws.clients import client
from darkroom.aws.documents import DocumentStore
from darkroom.aws.index import Index
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.sqs import Queue
from darkroom.aws.switches import reader
from darkroom.aws.telemetry.powertools import PowertoolsObserver
from darkroom.findings import ENDPOINT, FALLBACK
from darkroom.services.deadline import limit_for_lease
from darkroom.services.infer.masters import Masters
from darkroom.services.infer.tasks import tasks
from darkroom.services.ingest.examine import UploadExaminer
from darkroom.services.ingest.prints import Prints
from darkroom.services.library.listing import Lister
from darkroom.services.library.looking import Analysis
from darkroom.services.library.presets import PresetPrints
from darkroom.services.library.reporting import Reporter
from darkroom.services.library.requests import Doing, read_request
from darkroom.services.library.service import Library
from darkroom.services.library.uploads import Intake
from darkroom.services.library.working import Worker, spare_of
from darkroom.services.live_settings import LiveSettings, SettingsBound
from darkroom.services.purge.stale_derivatives import DerivativePurge
from darkroom.services.restart import restart_if_abandoned
from darkroom.services.s3_keys import master_names
from darkroom.services.service_settings import build_cache_policy, build_upload_limits
from darkroom.settings import Settings

_env = dict(os.environ)
_s3, _sqs, _dynamodb = client("s3"), client("sqs"), client("dynamodb")
_uploads, _media = S3Bucket(_s3, _env["UPLOADS_BUCKET"]), S3Bucket(_s3, _env["MEDIA_BUCKET"])
_source, _names = S3Bucket(_s3, _env.get("SOURCE_BUCKET") or _env["MEDIA_BUCKET"]), master_names(_env)
_observer = PowertoolsObserver("library")
_CPU_LIMIT = limit_for_lease(float(_env["LEASE_S"]))


def _vault(bucket: str) -> S3Bucket:
    return S3Bucket(_s3, bucket)


def _to(variable: str) -> Queue:
    return Queue(_sqs, _env[variable], _observer.trace_header)


_purge = DerivativePurge(_media, _source, _names)
_archive, _masters = Archive(_media, DocumentStore(_dynamodb, _env["INDEX_TABLE"])), Masters(_source, _names, _media)
_infers = _to("INFER_QUEUE_URL") if _env.get("INFER_QUEUE_URL") else None
_best = ENDPOINT if _env.get("INFERENCE_MODE") == "endpoint" else FALLBACK
_index = Index(_dynamodb, _env["INDEX_TABLE"])


def _open_library(settings: Settings) -> Library:
    prints = Prints(settings.presets, settings.always_redact, _media)
    examiner, caching = (
        UploadExaminer(build_upload_limits(settings), _observer, cpu_limit=_CPU_LIMIT),
        build_cache_policy(settings, refines=_env.get("REFINE") == "on"),
    )
    generation, wanted = settings.findings_generation, tasks(settings)
    return Library(
        media=_media,
        lister=Lister(_uploads, _source, _names, _vault, settings.library_concurrency, _observer),
        worker=Worker(
            {
                Doing.INGEST: Intake(_uploads, _source, _names, _index, _to("INGEST_QUEUE_URL"), _vault),
                Doing.INFER: Analysis(_archive, _masters, _infers, generation, wanted, _best),
                Doing.PRESETS: PresetPrints(_source, _names, _media, examiner, prints, _purge, caching),
            },
            _observer,
            spare_s=spare_of(_CPU_LIMIT),
        ),
        reporter=Reporter(_observer),
    )


_library = SettingsBound(LiveSettings(reader(_media), _observer), _open_library)


@restart_if_abandoned
def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Carry out ``list``, ``work`` or ``report``, as the event's ``action`` says, of the run that it names."""
    _observer.begin(context)
    with _observer.message("library"):
        return _library().handle(read_request(event), lambda: context.get_remaining_time_in_millis() / 1000)

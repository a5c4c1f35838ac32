"""The infer function: analyses masters that queue messages name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from darkroom.environment import InferEnvironment
from darkroom.image_keys import master_names
from darkroom.services.deadline import restart_if_abandoned
from darkroom.services.live_settings import LiveSettings, SettingsBound, build_source_limits, build_task_rules
from darkroom.settings import Settings
from darkroom_analysis.inference.analysis import AnalysisService, AnalysisSettings
from darkroom_analysis.inference.breaker import open_breaker
from darkroom_analysis.inference.consumer import InferenceConsumer
from darkroom_analysis.inference.duplicates import DuplicateFindings
from darkroom_analysis.inference.findings_writer import FindingsWriter
from darkroom_analysis.mlops.agreement import disagreement
from darkroom_analysis.mlops.sample import ShadowComparison
from darkroom_analysis.mlops.sample_store import SampleStore
from darkroom_analysis.mlops.sampler import SampleRecorder
from darkroom_analysis.mlops.shadow import open_shadow_client
from darkroom_analysis.models.in_process import InProcessDetector
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.aws.vectors.factory import open_tags, open_vectors
from darkroom_pipeline.services.masters import Masters
from darkroom_pipeline.services.sqs_batch import process_batch

_env = InferEnvironment()
_s3, _sqs, _dynamodb = create_client("s3"), create_client("sqs"), create_client("dynamodb")
_media, _source = S3Bucket(_s3, _env.media_bucket), S3Bucket(_s3, _env.master_bucket)
_entries, _index = DocumentStore(_dynamodb, _env.index_table), Index(_dynamodb, _env.index_table)
_archive, _vectors = FindingsStore(_media, _entries), open_vectors(_env, _dynamodb)
_tags = open_tags(_env, _dynamodb) if _env.has_similarity else None
_observer = PowertoolsObserver("infer")


def _to(url: str) -> Queue:
    return Queue(_sqs, url, _observer.trace_header)


_queue, _priority = _to(_env.infer_queue_url), _to(_env.infer_priority_queue_url)
_masters = Masters(_source, master_names(_env), _media)
_breaker = open_breaker(_entries, _media, _observer)


@cache
def _finder(wanted: tuple[str, ...]) -> InProcessDetector:
    """Keep models loaded when other settings change."""
    return InProcessDetector(Path(_env.model_dir), wanted)


def _infer(settings: Settings) -> AnalysisService[ShadowComparison]:
    rules, blocks = build_task_rules(settings), settings.moderation_policy == "block"
    return AnalysisService(
        settings=AnalysisSettings(
            settings.findings_generation,
            rules,
            build_source_limits(settings),
            blocks,
            max_views=settings.moderation_max_views,
        ),
        writer=FindingsWriter(_archive, _masters, _media, _to(_env.purge_queue_url), _vectors, _tags),
        duplicates=DuplicateFindings(_archive, _index, _vectors),
        index=_index,
        models=open_shadow_client(_env, _breaker, _observer),
        detector=_finder(rules.list_all()),
        queue=_queue,
        verdicts=_to(_env.ingest_queue_url),
        bus=EventBus(create_client("events", _env.variables), _env.event_bus, _env.stack_name, _observer.trace_header),
        samples=SampleRecorder(SampleStore(_dynamodb, _env.index_table), _masters, _observer),
        distance=disagreement,
        observer=_observer,
    )


def _open_inbox(settings: Settings) -> InferenceConsumer:
    return InferenceConsumer(
        service=_infer(settings),
        observer=_observer,
        queues={queue.name: queue for queue in (_queue, _priority)},
        dead_letters=_to(_env.infer_dlq_url),
        max_receives=_env.max_receives,
    )


_inbox = SettingsBound(LiveSettings(_media.read, _observer), _open_inbox)


@restart_if_abandoned
def handler(event: dict[str, Any], context: Any) -> Any:
    """Process a batch of SQS messages; return those that failed, which SQS delivers again."""
    _observer.begin(context)
    return process_batch(event, context, lambda message, remaining_s: _inbox().receive(message, remaining_s))

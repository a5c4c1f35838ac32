"""The ingest function: consumes messages about uploads, writes masters and their presets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from darkroom.environment import IngestEnvironment
from darkroom.image_keys import HELD_MASTERS, master_names
from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.option_plugins import register_plugin
from darkroom.services.deadline import limit_for_lease, restart_if_abandoned
from darkroom.services.live_settings import LiveSettings, SettingsBound, build_cache_policy, build_upload_limits
from darkroom.settings import Settings
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.content_credentials import build_reader, build_signer
from darkroom_pipeline.services.ingest.claims import Claims
from darkroom_pipeline.services.ingest.context import IngestContext
from darkroom_pipeline.services.ingest.derivative_store import DerivativeStore
from darkroom_pipeline.services.ingest.examine import UploadConverter, UploadExaminer
from darkroom_pipeline.services.ingest.handler import IngestConsumer
from darkroom_pipeline.services.ingest.moderation import BLOCK, Moderation
from darkroom_pipeline.services.ingest.quarantine import Quarantine
from darkroom_pipeline.services.ingest.stores import MasterStore
from darkroom_pipeline.services.purge.stale_derivatives import DerivativePurge
from darkroom_pipeline.services.queue_consumer import SqsMessage
from darkroom_pipeline.services.sqs_batch import process_batch

if TYPE_CHECKING:
    from darkroom.aws.secrets import Secret
    from darkroom_pipeline.aws.documents import DocumentStore
    from darkroom_pipeline.aws.findings_store import VerdictTable
    from darkroom_pipeline.aws.scanner import Scanner
    from darkroom_pipeline.aws.stepfunctions import StateMachine
    from darkroom_pipeline.services.ingest.client_findings import ClientFindingsReader

register_plugin(OVERLAYS)

_env = IngestEnvironment()
_CPU_LIMIT = limit_for_lease(_env.lease_s)
_s3, _sqs, _dynamodb = create_client("s3"), create_client("sqs"), create_client("dynamodb")
_uploads, _media = S3Bucket(_s3, _env.uploads_bucket), S3Bucket(_s3, _env.media_bucket)
_source, _names = S3Bucket(_s3, _env.master_bucket), master_names(_env)
_index = Index(_dynamodb, _env.index_table)
_observer = PowertoolsObserver("ingest")
_queue = Queue(_sqs, _env.ingest_queue_url, _observer.trace_header)
_urgent = Queue(_sqs, _env.ingest_priority_queue_url, _observer.trace_header)
_purges = Queue(_sqs, _env.purge_queue_url, _observer.trace_header)
_dead_letters = Queue(_sqs, _env.ingest_dlq_url, _observer.trace_header)


# What few uploads need is made with the first that does.
@cache
def _open_keys() -> Secret[tuple[str, ...]]:
    from darkroom.aws.credentials import CredentialSource
    from darkroom.aws.secrets import Secret
    from darkroom.signing import parse_signing_keys

    return Secret(_env.signing_keys_arn, CredentialSource(), parse_signing_keys, observer=_observer)


@cache
def _open_documents() -> DocumentStore:
    from darkroom_pipeline.aws.documents import DocumentStore

    return DocumentStore(_dynamodb, _env.index_table)


def _open_verdicts() -> VerdictTable:
    from darkroom_pipeline.aws.findings_store import VerdictTable

    return VerdictTable(_dynamodb, _env.index_table)


def _open_client_findings(generation: str) -> ClientFindingsReader:
    from darkroom_pipeline.aws.findings_store import FindingsStore
    from darkroom_pipeline.services.ingest.client_findings import ClientFindingsReader

    return ClientFindingsReader(_open_keys(), FindingsStore(_media, _open_documents()), generation, _observer)


@cache
def _open_state_machine() -> StateMachine:
    from darkroom_pipeline.aws.stepfunctions import StateMachine

    return StateMachine(create_client("stepfunctions", _env.variables), _env.scene_machine_arn)


def _build_scanner(settings: Settings) -> Scanner | None:
    if not settings.clamd_address:
        return None
    from darkroom_pipeline.aws.scanner import Clamd

    return Clamd(settings.clamd_address)


def _build_converter(settings: Settings) -> UploadConverter | None:
    if not settings.converted_formats:
        return None
    from darkroom_pipeline.conversion.converter import Converter

    return Converter(settings.converted_formats)


def _build_context(settings: Settings) -> IngestContext:
    blocks, refines = settings.moderation_policy == BLOCK, _env.refine
    claims = Claims(_index, _queue, _source, _names, _env.lease_s, held_bucket=_media if blocks else None)
    purge = DerivativePurge(_media, _source, _names)
    return IngestContext(
        claims=claims,
        uploads=_uploads,
        media=_media,
        masters=MasterStore(claims, _source, _names),
        held_masters=MasterStore(claims, _media, HELD_MASTERS),
        derivatives=DerivativeStore(
            _media,
            purge,
            _purges,
            build_cache_policy(settings, refines=refines),
            build_signer(_env, settings, _observer),
        ),
        quarantine=Quarantine(S3Bucket(_s3, _env.quarantine_bucket), _uploads),
        examiner=UploadExaminer(
            build_upload_limits(settings),
            _observer,
            _build_scanner(settings),
            _CPU_LIMIT,
            _build_converter(settings),
            settings.default_quality,
        ),
        moderation=Moderation(_open_verdicts, _open_documents, blocks),
        open_client_findings=partial(_open_client_findings, settings.findings_generation),
        bus=EventBus(create_client("events", _env.variables), _env.event_bus, _env.stack_name, _observer.trace_header),
        audit_bucket=S3Bucket(_s3, _env.audit_bucket),
        observer=_observer,
        keep_gps=settings.keep_gps,
        presets=settings.presets,
        always=settings.forced,
        mezzanines=settings.mezzanines and _env.owns_masters,
        metadata=settings.metadata,
        credentials=build_reader(_env, _media.read),
        open_state_machine=_open_state_machine if _env.scene_machine_arn else None,
    )


def _build_consumers(settings: Settings) -> Mapping[str, IngestConsumer]:
    """Return the consumer of each queue, by its name."""
    context = _build_context(settings)
    reviews, undecided = Queue(_sqs, _env.review_queue_url), Queue(_sqs, _env.review_dlq_url)
    return {
        reviews.name: IngestConsumer(_observer, undecided, _env.review_max_receives, context, reviews, decides=True)
    } | {
        queue.name: IngestConsumer(_observer, _dead_letters, _env.max_receives, context, queue)
        for queue in (_queue, _urgent)
        if queue.url
    }


_consumers = SettingsBound(LiveSettings(_media.read, _observer), _build_consumers)


@restart_if_abandoned
def handler(event: dict[str, Any], context: Any) -> Any:
    """Process a batch of SQS messages; the result names those to receive again."""

    def receive(message: SqsMessage, remaining_s: Callable[[], float]) -> None:
        _consumers()[message.queue].receive(message, remaining_s)

    _observer.begin(context)
    return process_batch(event, context, receive)

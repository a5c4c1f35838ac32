"""The infer function: messages about pictures in, findings out."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from darkroom.aws.archive import Archive
from darkroom.aws.clients import client
from darkroom.aws.documents import DocumentStore
from darkroom.aws.eventbridge import EventBus
from darkroom.aws.index import Index
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.samples import Samples
from darkroom.aws.sqs import Queue
from darkroom.aws.switches import reader
from darkroom.aws.telemetry.powertools import PowertoolsObserver
from darkroom.aws.vectors.factory import open_vectors
from darkroom.services.infer.breaker import open_breaker
from darkroom.services.infer.copies import Copies
from darkroom.services.infer.in_process import InProcess
from darkroom.services.infer.keep import Keeper
from darkroom.services.infer.masters import Masters
from darkroom.services.infer.messages import Inbox
from darkroom.services.infer.sampling import Sampler
from darkroom.services.infer.service import Infer, Terms
from darkroom.services.infer.tasks import tasks
from darkroom.services.infer.trial import open_trials
from darkroom.services.live_settings import LiveSettings, SettingsBound
from darkroom.services.restart import restart_if_abandoned
from darkroom.services.s3_keys import master_names
from darkroom.services.service_settings import build_source_limits
from darkroom.services.sqs_message import SqsMessage
from darkroom.settings import Settings

_env = dict(os.environ)
_s3, _sqs, _dynamodb = client("s3"), client("sqs"), client("dynamodb")
_media, _source = S3Bucket(_s3, _env["MEDIA_BUCKET"]), S3Bucket(_s3, _env.get("SOURCE_BUCKET") or _env["MEDIA_BUCKET"])
_entries, _index = DocumentStore(_dynamodb, _env["INDEX_TABLE"]), Index(_dynamodb, _env["INDEX_TABLE"])
_archive, _vectors = Archive(_media, _entries), open_vectors(_env)
_observer = PowertoolsObserver("infer")


def _to(variable: str) -> Queue:
    return Queue(_sqs, _env[variable], _observer.trace_header)


_queue, _priority = _to("INFER_QUEUE_URL"), _to("INFER_PRIORITY_QUEUE_URL")
_masters = Masters(_source, master_names(_env), _media)
_breaker = open_breaker(_entries, _media, _observer)


@cache
def _finder(wanted: tuple[str, ...]) -> InProcess:
    """Models stay loaded when other settings change."""
    return InProcess(Path(_env.get("MODEL_DIR", "/opt/models")), wanted)


def _infer(settings: Settings) -> Infer:
    wanted, blocks = tasks(settings), settings.moderation_policy == "block"
    return Infer(
        terms=Terms(
            settings.findings_generation,
            wanted,
            build_source_limits(settings),
            blocks,
            max_views=settings.moderation_max_views,
        ),
        keeper=Keeper(_archive, _masters, _media, _to("PURGE_QUEUE_URL"), _vectors, wanted),
        copies=Copies(_archive, _index, _vectors),
        index=_index,
        caller=open_trials(_env, _breaker, _observer),
        finder=_finder(wanted),
        queue=_queue,
        verdicts=_to("INGEST_QUEUE_URL"),
        bus=EventBus(
            client("events", _env), _env.get("EVENT_BUS", "default"), _env["STACK_NAME"], _observer.trace_header
        ),
        sampler=Sampler(Samples(_dynamodb, _env["INDEX_TABLE"]), _masters, _observer),
        observer=_observer,
    )


def _open_inbox(settings: Settings) -> Inbox:
    return Inbox(
        infer=_infer(settings),
        observer=_observer,
        queues={queue.name: queue for queue in (_queue, _priority)},
        dead_letters=_to("INFER_DLQ_URL"),
        max_receives=int(_env["MAX_RECEIVES"]),
    )


_inbox = SettingsBound(LiveSettings(reader(_media), _observer), _open_inbox)
_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@restart_if_abandoned
def handler(event: dict[str, Any], context: Any) -> Any:
    """Deal with a batch of SQS messages; the answer names those that are to come again."""

    def receive(record: SQSRecord) -> None:
        _inbox().receive(SqsMessage.parse(record.raw_event), lambda: context.get_remaining_time_in_millis() / 1000)

    _observer.begin(context)
    return process_partial_response(event=event, record_handler=receive, processor=_processor, context=context)

"""The infer function: messages about pictures in, findings out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from darkroom.aws.archive import Archive
from darkroom.aws.bus import Bus
from darkroom.aws.clients import client
from darkroom.aws.entries import Entries
from darkroom.aws.index import Index
from darkroom.aws.model import Endpoint
from darkroom.aws.observing import Observer
from darkroom.aws.queues import Queue
from darkroom.aws.vault import Vault
from darkroom.aws.vectors.choosing import open_vectors
from darkroom.services.infer.breaker import Breaker
from darkroom.services.infer.calling import CALL_S, Caller
from darkroom.services.infer.copies import Copies
from darkroom.services.infer.in_process import InProcess
from darkroom.services.infer.keep import Keeper
from darkroom.services.infer.masters import Masters
from darkroom.services.infer.messages import Inbox, Message
from darkroom.services.infer.service import Infer, Terms
from darkroom.services.infer.tasks import tasks
from darkroom.services.settings import limits

_env = os.environ
_s3, _sqs, _dynamodb = client("s3"), client("sqs"), client("dynamodb")
_media, _source = Vault(_s3, _env["MEDIA_BUCKET"]), Vault(_s3, _env.get("SOURCE_BUCKET") or _env["MEDIA_BUCKET"])
_entries, _index = Entries(_dynamodb, _env["INDEX_TABLE"]), Index(_dynamodb, _env["INDEX_TABLE"])
_archive, _vectors, _tasks = Archive(_media, _entries), open_vectors(_env), tasks(_env)
_queue, _priority = Queue(_sqs, _env["INFER_QUEUE_URL"]), Queue(_sqs, _env["INFER_PRIORITY_QUEUE_URL"])
_observer = Observer("infer")

_endpoint = Endpoint(client("sagemaker-runtime", read_s=CALL_S, attempts=1), _env.get("ENDPOINT_NAME", ""))
_breaker = Breaker(_entries, opened=lambda: _observer.count("BreakerOpen"))

_inbox = Inbox(
    infer=Infer(
        terms=Terms(_env["FINDINGS_GENERATION"], _tasks, limits(_env), block=_env.get("MODERATION_POLICY") == "block"),
        keeper=Keeper(
            archive=_archive,
            masters=Masters(_source, _env.get("SOURCE_PREFIX", "masters/"), _media),
            media=_media,
            purges=Queue(_sqs, _env["PURGE_QUEUE_URL"]),
            vectors=_vectors,
            tasks=_tasks,
        ),
        copies=Copies(_archive, _index, _vectors),
        index=_index,
        caller=Caller(_endpoint, _breaker, _observer) if _env["INFERENCE_MODE"] == "endpoint" else None,
        finder=InProcess(Path(_env.get("MODEL_DIR", "/opt/models")), _tasks),
        queue=_queue,
        verdicts=Queue(_sqs, _env["INGEST_QUEUE_URL"]),
        bus=Bus(client("events"), _env.get("EVENT_BUS", "default")),
        observer=_observer,
    ),
    observer=_observer,
    queues={queue.name: queue for queue in (_queue, _priority)},
    dead_letters=Queue(_sqs, _env["INFER_DLQ_URL"]),
    max_receives=int(_env["MAX_RECEIVES"]),
)
_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def handler(event: dict[str, Any], context: Any) -> Any:
    """Deal with a batch of SQS messages; the answer names those that are to come again."""

    def receive(record: SQSRecord) -> None:
        queue = record.event_source_arn.rpartition(":")[2]
        message = Message(queue, record.body, record.receipt_handle, int(record.attributes.approximate_receive_count))
        _inbox.receive(message, lambda: context.get_remaining_time_in_millis() / 1000)

    return process_partial_response(event=event, record_handler=receive, processor=_processor, context=context)

"""The refine function: messages about derivatives in, smaller ones put over them."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from darkroom.aws.clients import client
from darkroom.aws.credentials import CredentialSource
from darkroom.aws.objects import connect
from darkroom.aws.observing import Observer
from darkroom.aws.queues import Queue
from darkroom.plan.redaction import AlwaysRedact
from darkroom.services.received import Message
from darkroom.services.refine.messages import Inbox
from darkroom.services.refine.service import Refine
from darkroom.services.settings import cache_policy, limits

_env = os.environ
_sqs, _credentials = client("sqs"), CredentialSource()
_observer = Observer("refine")

_inbox = Inbox(
    refine=Refine(
        source=connect(_env.get("SOURCE_BUCKET") or _env["MEDIA_BUCKET"], _credentials),
        media=connect(_env["MEDIA_BUCKET"], _credentials),
        observer=_observer,
        source_prefix=_env.get("SOURCE_PREFIX", "masters/"),
        always=AlwaysRedact.parse(_env.get("ALWAYS_REDACT", "")),
        limits=limits(_env),
        caching=cache_policy(_env),
    ),
    observer=_observer,
    queue=Queue(_sqs, _env["REFINE_QUEUE_URL"], _observer.trace_header),
    dead_letters=Queue(_sqs, _env["REFINE_DLQ_URL"], _observer.trace_header),
    max_receives=int(_env["MAX_RECEIVES"]),
)
_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def handler(event: dict[str, Any], context: Any) -> Any:
    """Deal with a batch of SQS messages; the answer names those that are to come again."""

    def receive(record: SQSRecord) -> None:
        _inbox.receive(Message.read(record.raw_event), lambda: context.get_remaining_time_in_millis() / 1000)

    _observer.begin(context)
    return process_partial_response(event=event, record_handler=receive, processor=_processor, context=context)

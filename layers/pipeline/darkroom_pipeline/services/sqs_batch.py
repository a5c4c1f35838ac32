"""Process the batch of SQS messages of one invocation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from .queue_consumer import SqsMessage

type Receive = Callable[[SqsMessage, Callable[[], float]], None]
"""Processes a message, given the seconds that are left in the invocation; raises to have it delivered again."""

_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def process_batch(event: dict[str, Any], context: Any, receive: Receive) -> Any:
    """Process the messages of ``event``; return those that failed, which SQS delivers again."""

    def handle(record: SQSRecord) -> None:
        receive(SqsMessage.parse(record.raw_event), lambda: context.get_remaining_time_in_millis() / 1000)

    return process_partial_response(event=event, record_handler=handle, processor=_processor, context=context)

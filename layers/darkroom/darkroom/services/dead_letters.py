"""What goes with a message that is given up, so that whoever finds it need not search the logs."""

from __future__ import annotations

import traceback

from ..aws.dead_letter_queue import REDRIVEN
from ..aws.sqs import Queue
from ..aws.telemetry import Observer
from ..errors import BadUpload, DarkroomError
from .sqs_message import SqsMessage

MAX_CAUSE_CHARACTERS = 1_000
"""What an attribute of a message may hold comfortably."""


def describe_error(error: Exception) -> tuple[str, str]:
    """The code and the cause of ``error``, for operators. What is no DarkroomError is a defect with its traceback."""
    if isinstance(error, DarkroomError):
        return error.code, (error.detail or error.message)[:MAX_CAUSE_CHARACTERS]
    return "defect", "".join(traceback.format_exception(error))[-MAX_CAUSE_CHARACTERS:]


def failure_attributes(error: Exception, *, attempts: int, trace_id: str, redriven: str = "") -> dict[str, str]:
    """The attributes of a dead letter: ``code``, ``cause``, ``attempts``; ``trace_id``, ``redriven`` if it has any."""
    code, cause = describe_error(error)
    attributes = {"code": code, "cause": cause, "attempts": str(attempts), "trace_id": trace_id, REDRIVEN: redriven}
    return {name: value for name, value in attributes.items() if value}


def send_to_dlq_if_due(
    error: Exception, message: SqsMessage, *, max_receives: int, dead_letters: Queue, observer: Observer
) -> bool:
    """Tell why ``message`` failed, and give it up, with its cause, if that is due; whether it was.

    It is due after ``max_receives``, and at once for a message that cannot be read. That it was redriven before stays
    with it: nobody sends it back by himself a second time.
    """
    code, cause = describe_error(error)
    receives, body = message.receives, message.body
    given_up = receives >= max_receives or isinstance(error, BadUpload)
    observer.log(
        "ERROR",
        "message sent to DLQ" if given_up else "message failed",
        code=code,
        cause=cause,
        receives=receives,
        body=body,
    )
    if given_up:
        words = failure_attributes(error, attempts=receives, trace_id=observer.trace_id(), redriven=message.redriven)
        dead_letters.send_text(body, attributes=words)
        observer.count("GivenUp", reason=code)
        observer.record_error(error)
    return given_up

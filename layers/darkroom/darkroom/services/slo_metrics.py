"""What objectives count: requests or attempts, those that failed, by whose fault, and those that took too long.

The objectives themselves are in :mod:`darkroom.operations.slo`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import DarkroomError, get_error_code, is_fault
from ..operations.slo import slow_ms

if TYPE_CHECKING:
    from ..aws.telemetry.protocol import Observer


def count_request(observer: Observer) -> None:
    """Count a request, or an attempt at a message, however it ended."""
    observer.count("Requests")


def count_refusal(observer: Observer, error: DarkroomError) -> None:
    """Count one that was refused for what had been sent."""
    observer.count("ClientErrors")
    observer.count("Errors", code=error.code)


def count_failure(observer: Observer, error: Exception) -> None:
    """Count one that raised ``error``: our fault, unless no further try at what was sent could help."""
    if isinstance(error, DarkroomError) and not is_fault(error) and not error.retryable:
        count_refusal(observer, error)
        return
    observer.count("Faults")
    observer.count("Errors", code=get_error_code(error))


@contextmanager
def count_attempt(observer: Observer) -> Iterator[None]:
    """Count what is done inside as one attempt, and how it ended."""
    count_request(observer)
    try:
        yield
    except Exception as error:
        count_failure(observer, error)
        raise


def count_response(observer: Observer, error: DarkroomError | None) -> None:
    """Count a request over HTTP that was answered, be it with ``error``, which need not be anybody's fault."""
    count_request(observer)
    if error is None:
        return
    if error.is_fault:
        observer.count("Faults")
    elif error.status < 500:
        observer.count("ClientErrors")
    observer.count("Errors", code=error.code)


def count_latency(observer: Observer, function: str, took_s: float) -> None:
    """Count something that ``function`` made somebody wait for, as slow if its objective says so."""
    observer.count("Timed")
    if took_s * 1000 > slow_ms(function):
        observer.count("Slow")

"""What objectives count: requests or attempts, those that failed, by whose fault, and those that took too long.

The objectives themselves are in :mod:`darkroom.watch.slo`.
"""

from __future__ import annotations

from ..aws.observer import Observer
from ..errors import DarkroomError, code_of, is_fault
from ..watch.slo import slow_ms


def succeeded(observer: Observer) -> None:
    """Count a request that was answered, or an attempt at a message that ended well."""
    observer.count("Requests")


def refused(observer: Observer, error: DarkroomError) -> None:
    """Count a request that was refused for what was sent with it."""
    observer.count("Requests")
    observer.count("ClientErrors")
    observer.count("Errors", code=error.code)


def failed(observer: Observer, error: Exception) -> None:
    """Count an attempt that raised ``error``. Nobody can help it but us, unless trying again would not help either."""
    if isinstance(error, DarkroomError) and not is_fault(error) and not error.retryable:
        refused(observer, error)
        return
    observer.count("Requests")
    observer.count("Faults")
    observer.count("Errors", code=code_of(error))


def timed(observer: Observer, function: str, took_s: float) -> None:
    """Count something that ``function`` made somebody wait for, as slow if its objective says so."""
    observer.count("Timed")
    if took_s * 1000 > slow_ms(function):
        observer.count("Slow")

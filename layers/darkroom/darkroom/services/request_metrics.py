"""Metrics, trace annotations and the log line of each request or attempt.

The service level objectives that count them are in :mod:`darkroom.slo`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import DarkroomError, get_error_code, is_fault
from ..plan.model import DATA_FORMATS, Plan
from ..slo import FUNCTIONS, SLOW_MS

if TYPE_CHECKING:
    from ..aws.telemetry import Observer
    from ..imaging.render.output import RenderedImage


def count_request(observer: Observer) -> None:
    """Count a request, or an attempt at a message, whatever its outcome."""
    _count(observer, "Requests")
    if _is_split(observer) and observer.init_ms is not None:
        observer.count("ColdStartTime", observer.init_ms, "Milliseconds")


def _count(observer: Observer, metric: str) -> None:
    """Count ``metric``; in the first invocation of a process as ``Cold…``, too, for functions with an objective.

    Both are in one line of the log. The others, which are warm, are the difference.
    """
    observer.count(metric)
    if _is_split(observer):
        observer.count(f"Cold{metric}")


def _is_split(observer: Observer) -> bool:
    return observer.is_cold and observer.function in FUNCTIONS


def count_refusal(observer: Observer, error: DarkroomError) -> None:
    """Count a refusal of the input."""
    observer.count("ClientErrors")
    observer.count("Errors", code=error.code)


def count_failure(observer: Observer, error: Exception) -> None:
    """Count a failure: as a fault, unless ``error`` refuses the input and a retry cannot help."""
    if isinstance(error, DarkroomError) and not is_fault(error) and not error.retryable:
        count_refusal(observer, error)
        return
    _count(observer, "Faults")
    observer.count("Errors", code=get_error_code(error))


def count_store_failure(observer: Observer, error: Exception) -> None:
    """Count and log a failure to store a derivative after its response.

    It counts as a fault, though the viewer has the image: the alarms on faults find a deployment that stores nothing.
    """
    count_failure(observer, error)
    observer.count("StoreFailures")
    observer.record_error(error)
    detail = getattr(error, "detail", "") or repr(error)
    observer.log("ERROR", "derivative not stored", code=get_error_code(error), detail=detail)


@contextmanager
def count_attempt(observer: Observer) -> Iterator[None]:
    """Count the enclosed work as one attempt, with its outcome."""
    count_request(observer)
    with count_failures(observer):
        yield


@contextmanager
def count_failures(observer: Observer) -> Iterator[None]:
    """Count the enclosed work only if it fails: of scheduled work, each custom metric costs while nothing happens."""
    try:
        yield
    except Exception as error:
        count_failure(observer, error)
        raise


def count_response(observer: Observer, error: DarkroomError | None) -> None:
    """Count an HTTP response; ``error`` is what it reports, which may be neither a fault nor the client's."""
    count_request(observer)
    if error is None:
        return
    if error.is_fault:
        _count(observer, "Faults")
    elif error.status < 500:
        observer.count("ClientErrors")
    observer.count("Errors", code=error.code)


def count_latency(observer: Observer, function: str, took_s: float) -> None:
    """Count a result of ``function`` that a client waited for; as slow, too, if it exceeds the objective."""
    _count(observer, "Timed")
    if took_s * 1000 > SLOW_MS[function]:
        _count(observer, "Slow")


def log_request(observer: Observer, status: int, error: DarkroomError | None, **fields: object) -> None:
    """Count and log a response of HTTP ``status``, with ``fields`` for the log alone."""
    count_response(observer, error)
    observer.annotate("status", status)
    if error is None:
        observer.log("INFO", "answered", status=status, **fields)
        return
    observer.record_error(error)
    level = "ERROR" if error.is_fault else "INFO"
    observer.log(level, "answered", status=status, code=error.code, reason=error.message, detail=error.detail, **fields)


def log_image_request(observer: Observer, status: int, error: DarkroomError | None, took_s: float) -> None:
    """Count and log a response to a viewer that took ``took_s``."""
    if 200 <= status < 300:
        count_latency(observer, "transform", took_s)
    stages_ms = {name: round(spent_ms, 1) for name, spent_ms in observer.timings_ms.items()}
    log_request(observer, status, error, ms=round(took_s * 1000, 1), stages_ms=stages_ms)


def record_render(observer: Observer, plan: Plan, image: RenderedImage, source_bytes: int) -> None:
    """Record that ``image`` was rendered from ``source_bytes`` bytes."""
    format_name = _format_name(plan, image.content_type)
    observer.count("Rendered")
    observer.count("Rendered", format=format_name)
    observer.annotate("format", format_name)
    observer.add_metadata("bytes", {"source": source_bytes, "picture": len(image.body)})


def record_store_hit(observer: Observer, plan: Plan, headers: Mapping[str, str]) -> None:
    """Record that the derivative with these ``headers`` was in the store."""
    observer.count("FromStore")
    observer.annotate("format", _format_name(plan, headers.get("Content-Type", "")))


def _format_name(plan: Plan, content_type: str) -> str:
    """Return the value of option ``f`` for the output."""
    return plan.format if plan.format in DATA_FORMATS else content_type.rpartition("/")[2]

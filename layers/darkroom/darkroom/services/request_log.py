"""What is told of each answer over HTTP: figures, annotations of its trace, and one line in the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import DarkroomError
from ..plan.model import DATA_FORMATS, Plan
from .slo_metrics import count_latency, count_response

if TYPE_CHECKING:
    from ..aws.telemetry.protocol import Observer
    from ..imaging.rendered_image import RenderedImage


def log_request(observer: Observer, status: int, error: DarkroomError | None, **fields: object) -> None:
    """Tell of an answer of HTTP ``status``, which is ``error`` if there is one, with ``fields`` for the log alone."""
    count_response(observer, error)
    observer.annotate("status", status)
    if error is None:
        observer.log("INFO", "answered", status=status, **fields)
        return
    observer.record_error(error)
    level = "ERROR" if error.is_fault else "INFO"
    words = {"code": error.code, "reason": error.message, "detail": error.detail}
    observer.log(level, "answered", status=status, **words, **fields)


def log_image_request(observer: Observer, status: int, error: DarkroomError | None, took_s: float) -> None:
    """Tell of an answer about a picture, for which somebody waited ``took_s``."""
    if 200 <= status < 300:
        count_latency(observer, "transform", took_s)
    stages_ms = {name: round(spent_ms, 1) for name, spent_ms in observer.timings_ms.items()}
    log_request(observer, status, error, ms=round(took_s * 1000, 1), stages_ms=stages_ms)


def record_render(observer: Observer, plan: Plan, picture: RenderedImage, source_bytes: int) -> None:
    """Tell that ``picture`` was made, of a source of so many bytes."""
    kind = _kind(plan, picture.content_type)
    observer.count("Rendered")
    observer.count("Rendered", format=kind)
    observer.annotate("format", kind)
    observer.add_metadata("bytes", {"source": source_bytes, "picture": len(picture.body)})


def record_store_hit(observer: Observer, plan: Plan, headers: Mapping[str, str]) -> None:
    """Tell that the picture with these ``headers`` was in the store."""
    observer.count("FromStore")
    observer.annotate("format", _kind(plan, headers.get("Content-Type", "")))


def _kind(plan: Plan, content_type: str) -> str:
    """What it is in the words of option f."""
    return plan.format if plan.format in DATA_FORMATS else content_type.rpartition("/")[2]

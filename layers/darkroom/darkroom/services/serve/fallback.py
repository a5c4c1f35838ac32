"""Replace images that fail by the fallback image of their key prefix (decision 75).

The variant of the fallback image has the size, format and quality of the request. It is found or rendered, and stored,
like any other of that key: nothing is stored for the key that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import DarkroomError
from ...plan.model import DATA_FORMATS, SEARCHED, Gravity, Plan
from ..deadline import is_abandoned
from .answers import Answer, Failed, FallbackImage, Rendered, Stored

if TYPE_CHECKING:
    from ...aws.telemetry import Observer

STATUSES = (404, 415, 422)
"""Statuses of images that are missing or damaged. A 403 is never replaced: a page with wrong signatures
would look complete."""

_CONTENT_FIELDS = (
    *("crop", "trim", "cutout", "watermark", "redact", "boxes", "findings", "page", "download"),
    *("crop_to", "face_crop", "face_zoom", "trim_options", "trim_first", "focus", "red_eye", "watermark_layout"),
    *("watermark_repeat", "watermark_last", "second_watermark", "second_watermark_layout", "second_watermark_repeat"),
    *("nine_patch", "passthrough_formats", "append_extension", "inline"),
)
"""Fields of a plan that refer to what is in one image, or to the file that the viewer saves."""

_DEFAULTS = Plan("")


def replace_failed(
    failed: Failed,
    plan: Plan,
    images: Sequence[tuple[str, str]],
    find_or_render: Callable[[Plan], Answer],
    observer: Observer,
) -> Failed | FallbackImage:
    """Return the fallback image for ``plan``, which ``failed``; ``failed`` itself if there is none.

    ``images``: keys of fallback images by key prefix, the longest first. A render that was abandoned still uses the
    CPU, so none is started beside it.
    """
    key = find_fallback_key(plan.key, images)
    if failed.error.status not in STATUSES or plan.format in DATA_FORMATS or key == plan.key or is_abandoned():
        return failed
    observer.add_metadata("fallback", key)
    try:
        answer = find_or_render(build_fallback_plan(plan, key))
    except DarkroomError as error:
        observer.log("WARNING", "fallback image not available", key=key, code=error.code, detail=error.detail)
        return failed
    if not isinstance(answer, Rendered | Stored) or answer.body is None:
        observer.log("WARNING", "fallback image not available", key=key, code="too-large", detail="")
        return failed
    observer.count("FallbackImages")
    return FallbackImage(failed.error, answer.derivative.headers["Content-Type"], answer.body)


def find_fallback_key(key: str, images: Sequence[tuple[str, str]]) -> str:
    """Return the key of the fallback image for ``key``, which is ``key`` itself if there is none."""
    return next((found for prefix, found in images if key.startswith(prefix)), key)


def build_fallback_plan(plan: Plan, key: str) -> Plan:
    """Return ``plan`` for the image ``key``, without what refers to the content of the other image.

    No model enlarges it: the prefix of ``key`` may not be among those for which that is allowed.
    """
    reset = {name: getattr(_DEFAULTS, name) for name in _CONTENT_FIELDS}
    gravity = Gravity() if plan.gravity.name in (*SEARCHED, "fp") else plan.gravity
    return replace(plan, key=key, gravity=gravity, upscale=bool(plan.upscale), **reset)

"""What edge and transform function answer for the variants of a request."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import redirect_stdout
from dataclasses import replace

from darkroom.errors import BadSignature, DarkroomError, Expired, Unsigned
from darkroom.image_keys import DERIVATIVES
from darkroom.plan.canonical import add_rights, canonical_path, derivative_name
from darkroom.plan.model import AUTO_CLASSES, Plan
from darkroom.plan.native_url import NativeRequest
from darkroom.plan.redaction import needs_findings
from darkroom.plan.variants import NEEDS_EXPIRY, UNSIGNED_SET, AccessMode, choose_access_mode, needs_signature
from darkroom.services.serve.answers import Answer, Failed, FallbackImage, TransformRequest
from darkroom.services.serve.fallback import find_fallback_key
from darkroom.settings import Settings

from .source import Document, Source


def list_outcomes(
    target: str, request: NativeRequest, source: Source, stored: Collection[str], refused: DarkroomError | None
) -> Iterator[Document]:
    """Yield what is answered for each format to a viewer with a pixel ratio of 1, without ``Save-Data``.

    ``refused``: the edge function's error. A variant that is ``stored`` is served without the transform function, so
    its signature is not verified, apart from that of a private image, which the edge verifies.
    """
    transform = source.build_transform()
    expires = "" if request.expires_s is None else str(request.expires_s)
    for plan in _negotiate(request, source):
        name = DERIVATIVES + derivative_name(plan)
        answer: Answer | None = Failed(refused) if refused else None
        if refused is None and name not in stored:
            asked = TransformRequest(canonical_path(plan), request.path, request.signature, expires, url=target)
            with redirect_stdout(sys.stderr):  # for lines that the service logs
                answer = transform.answer(asked)
        is_replaced = isinstance(answer, FallbackImage)
        yield {
            "name": name,
            "is_stored": name in stored,
            "refusal": answer.error.to_problem() if isinstance(answer, Failed | FallbackImage) else None,
            "fallback": find_fallback_key(plan.key, source.settings.fallback_images) if is_replaced else "",
        }


def _negotiate(request: NativeRequest, source: Source) -> Iterator[Plan]:
    """Yield the variants that the edge function chooses by the header ``Accept``."""
    settings = source.settings
    plan = add_rights(settings.forced.apply(request.plan), request.metadata or settings.metadata)
    if needs_findings(plan):
        plan = replace(plan, findings=source.read_generation())
    for name in AUTO_CLASSES if plan.format == "auto" else (plan.format,):
        yield replace(plan, format=name)


def find_edge_refusal(request: NativeRequest, source: Source, signature: Document) -> DarkroomError | None:
    """Return the error with which the edge function refuses a request that it could parse, or None."""
    if signature["is_expired"]:
        return Expired()
    try:
        source.settings.forced.check(request.plan)
    except DarkroomError as error:
        return error
    mode = get_access_mode(request.plan.key, source.settings)
    if requires_signature(request.plan, source.settings) and not request.signature:
        return Unsigned("" if mode is AccessMode.SIGNED else UNSIGNED_SET)
    if not request.plan.key.startswith(source.settings.private_prefixes):
        return None
    if request.expires_s is None:
        return Unsigned(NEEDS_EXPIRY)
    return BadSignature() if signature["kind"] == "wrong" else None


def get_access_mode(key: str, settings: Settings) -> AccessMode:
    """Return the access mode of ``key`` by ``settings``."""
    return choose_access_mode(key, AccessMode(settings.access_mode), settings.private_prefixes)


def requires_signature(plan: Plan, settings: Settings) -> bool:
    """Return whether ``plan`` requires a signature by ``settings``."""
    mode = get_access_mode(plan.key, settings)
    return needs_signature(plan, mode, lambda: settings.presets, settings.forced)

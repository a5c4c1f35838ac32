"""Answers in JSON by the rules of another service: made of what ``f=json`` says of a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...services.caching import etag_matches
from ...services.serve.answers import Answer, Derivative, NotModified, Rendered, Stored

type DocumentConverter = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""From the object that ``f=json`` answers to the one of another service."""

JSON_TYPE = "application/json"


def convert_document(answer: Answer, document: DocumentConverter, if_none_match: str) -> Answer:
    """``answer``, a description by ``f=json``, as ``document`` has it; what is no description stays.

    Its entity tag is that of the converted document, so ``answer`` must have been made without the viewer's own.
    """
    if not isinstance(answer, Rendered | Stored) or answer.body is None:
        return answer
    import json
    from hashlib import sha256

    body = json.dumps(document(json.loads(answer.body)), ensure_ascii=False, separators=(",", ":")).encode()
    kept = {name: value for name, value in answer.derivative.headers.items() if name.lower() != "content-length"}
    derivative = Derivative(f'"{sha256(body).hexdigest()[:32]}"', {**kept, "Content-Type": JSON_TYPE})
    if if_none_match and etag_matches(if_none_match, derivative.etag):
        return NotModified(derivative)
    return Rendered(derivative, body, answer.timings_ms)

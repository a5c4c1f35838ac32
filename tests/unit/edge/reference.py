"""The edge function's expected behaviour, by darkroom.plan."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from darkroom.errors import DarkroomError, Expired, MethodNotAllowed, Unsigned
from darkroom.http.response import to_response
from darkroom.plan.canonical import add_rights, canonical_path
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import Plan
from darkroom.plan.native_url import NativeRequest, parse_url
from darkroom.plan.presets import Presets, parse_presets_toml
from darkroom.plan.redaction import FIRST_GENERATION, needs_findings
from darkroom.plan.variants import (
    UNSIGNED_SET,
    AccessMode,
    apply_pixel_ratio,
    apply_save_data,
    needs_signature,
)
from darkroom.services.serve.answers import Failed

from .engine import NOW_S
from .negotiation import choose_format_class, parse_ratio_hint

CASES = Path(__file__).parents[2] / "cases"

type Headers = list[tuple[str, str]]


@cache
def case_presets() -> Presets:
    """The presets that tests use, whatever presets.toml of the deployment says."""
    return parse_presets_toml((CASES / "presets.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class ViewerRequest:
    """A viewer's request: ``url`` is path and query as they are on the wire, ``headers`` have lower-case names.

    ``mode``, ``always`` and ``metadata`` are the deployment's settings, ``generation`` is what its key-value store
    holds, if any.
    """

    url: str
    headers: Headers = field(default_factory=list)
    mode: str = "guarded"
    method: str = "GET"
    always: str = ""
    generation: str = ""
    metadata: str = "none"

    def event(self) -> dict[str, Any]:
        """The event that CloudFront calls the function with, and the result of its ``rawQueryString()``."""
        path, mark, query = self.url.partition("?")
        pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
        return {
            "version": "1.0",
            "context": {"distributionId": "EDFDVBD6EXAMPLE", "eventType": "viewer-request", "requestId": "4TyzHTaY"},
            "viewer": {"ip": "198.51.100.11"},
            **({"rawQueryString": query} if mark else {}),
            "request": {
                "method": self.method,
                "uri": path,
                "querystring": _collapsed(pairs),
                "headers": _collapsed(self.headers),
                "cookies": {},
            },
        }


def _collapsed(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Pairs as the event holds them: one entry a name, with ``multiValue`` where a name repeats."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {
        name: {"value": values[0]} | ({"multiValue": [{"value": value} for value in values]} if values[1:] else {})
        for name, values in found.items()
    }


def expected(viewer_request: ViewerRequest) -> dict[str, Any]:
    """The outcome in the terms of :func:`outcome`."""
    if viewer_request.method == "OPTIONS":
        return {"statusCode": 204, "headers": {}, "body": ""}
    try:
        return _forwarded(viewer_request)
    except DarkroomError as error:
        response = to_response(Failed(error), method=viewer_request.method, viewer_url="")
        body = str(response["body"])
        return response | {"body": json.loads(body) if body else ""}


def _forwarded(viewer_request: ViewerRequest) -> dict[str, Any]:
    if viewer_request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed
    mode = AccessMode(viewer_request.mode)
    always = ForcedOptions.parse(viewer_request.always)
    request = parse_url(viewer_request.url, case_presets())
    always.check(request.plan)
    if request.expires_s is not None and request.expires_s <= NOW_S:
        raise Expired
    if not _is_allowed(request.plan, request, mode):
        raise Unsigned(UNSIGNED_SET if mode is not AccessMode.SIGNED else "")
    variant = always.apply(_variant(viewer_request, request, mode))
    variant = add_rights(variant, request.metadata or viewer_request.metadata)
    if needs_findings(variant):
        variant = replace(variant, findings=viewer_request.generation or FIRST_GENERATION)
    extension = (
        choose_format_class(_header(viewer_request, "accept")) if request.plan.format == "auto" else request.plan.format
    )
    forwarded = {
        "path": canonical_path(replace(variant, format=extension)),
        "request": request.path,
        "signature": request.signature,
        "expires": "" if request.expires_s is None else str(request.expires_s),
        "url": re.sub("[^!-~]", lambda found: quote(found[0]), viewer_request.url.removesuffix("?")),
    }
    return {name: value for name, value in forwarded.items() if value}


def _is_allowed(plan: Plan, request: NativeRequest, mode: AccessMode) -> bool:
    return bool(request.signature) or not needs_signature(plan, mode, case_presets)


def _variant(viewer_request: ViewerRequest, request: NativeRequest, mode: AccessMode) -> Plan:
    if _header(viewer_request, "save-data").lower() == "on":
        return apply_save_data(request.plan)
    if not request.takes_ratio_hint:
        return request.plan
    larger = apply_pixel_ratio(
        request.plan, parse_ratio_hint(_header(viewer_request, "sec-ch-dpr") or _header(viewer_request, "dpr"))
    )
    return larger if _is_allowed(larger, request, mode) else request.plan


def _header(viewer_request: ViewerRequest, name: str) -> str:
    return ",".join(value for given, value in viewer_request.headers if given == name)


def outcome(answer: dict[str, Any]) -> dict[str, Any]:
    """The outcome of the function: ``path`` and the headers it forwards, or the response."""
    if "statusCode" in answer:
        headers = {name: header["value"] for name, header in answer.get("headers", {}).items()}
        return answer | {"headers": headers, "body": json.loads(answer["body"]) if answer.get("body") else ""}
    ours = {
        name.removeprefix("x-darkroom-"): header["value"]
        for name, header in answer["headers"].items()
        if name.startswith("x-darkroom-")
    }
    assert answer["querystring"] == {}
    return {"path": answer["uri"], **ours}

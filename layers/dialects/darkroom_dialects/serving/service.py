"""Serve one request in a dialect: parse, authorise, negotiate, render and respond."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from darkroom.errors import MethodNotAllowed, SourceMissing
from darkroom.http.response import HttpResponse, Responded, get_error
from darkroom.plan.canonical import add_rights, check_length
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import LOSSLESS_FORMATS, MAIN_FORMATS, METADATA, Plan
from darkroom.plan.presets import Presets
from darkroom.plan.redaction import needs_findings
from darkroom.plan.variants import AccessMode, apply_save_data
from darkroom.services.serve.answers import Failed
from darkroom.services.serve.transform import Transform

from ..common.parsed_url import ParsedUrl
from ..common.settings import DialectSettings
from ..parsers import load_parser
from ..registry import DIALECTS_BY_NAME, IIIF, Dialect
from .access import authorise
from .delivery import Delivery
from .request import DialectRequest
from .signing_keys import DialectKeys, KeysSecret


def choose_variant(
    parsed: ParsedUrl, request: DialectRequest, always: ForcedOptions, metadata: str = METADATA[0]
) -> Plan:
    """Return the variant for ``request`` with what the deployment forces. Raises BadOption.

    ``metadata``: what files have of which the URL does not set it. Precedence of qualities: for ``Save-Data``, numeric
    in the URL, by format.
    """
    plan = _choose_quality(parsed, request)
    always.check(plan)
    plan = always.apply(plan)
    if plan.format == "auto":
        plan = replace(plan, format=request.format_class)
    plan = add_rights(plan, parsed.metadata or metadata)
    return replace(plan, findings=request.findings) if needs_findings(plan) else plan


def _choose_quality(parsed: ParsedUrl, request: DialectRequest) -> Plan:
    plan = parsed.plan
    if plan.format in LOSSLESS_FORMATS:
        return plan
    if request.saves_data and parsed.saving_quality is not None:
        return _check_length(replace(plan, quality=parsed.saving_quality))
    output = MAIN_FORMATS[request.format_class] if plan.format == "auto" else plan.format
    by_format = dict(parsed.qualities).get(output)
    if plan.quality is None and by_format is not None:
        return _check_length(replace(plan, quality=by_format))
    return apply_save_data(plan) if request.saves_data else plan


def _check_length(plan: Plan) -> Plan:
    """Check the length again: a quality can have one character more than the request."""
    check_length(plan)
    return plan


@dataclass(frozen=True, slots=True)
class DialectService:
    """Serves all dialects. ``modes`` has the access mode of each dialect that is on.

    ``rejects_oversized_box``: see :class:`darkroom_dialects.iiif.spec.SizeLimits`. ``metadata``: what files have of
    which the URL does not set it (:data:`darkroom.plan.model.METADATA`).
    """

    transform: Transform
    delivery: Delivery
    keys: KeysSecret
    modes: Mapping[str, AccessMode]
    settings: Callable[[], DialectSettings]
    clock: Callable[[], float] = time.time
    rejects_oversized_box: bool = False
    metadata: str = METADATA[0]

    def respond(self, name: str, request: DialectRequest) -> Responded:
        """Return the response to ``request`` in the dialect ``name``, with its error. Raises DarkroomError."""
        mode = self.modes.get(name)
        if mode is None or name not in DIALECTS_BY_NAME:
            raise SourceMissing("This deployment does not serve this dialect")
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        if name == IIIF.name:
            from ..iiif.spec import SizeLimits
            from .iiif import IiifService

            caps = SizeLimits(rejects_oversized_box=self.rejects_oversized_box)
            iiif = IiifService(
                transform=self.transform, delivery=self.delivery, mode=mode, caps=caps, metadata=self.metadata
            )
            return iiif.respond(request), None
        dialect = DIALECTS_BY_NAME[name]
        if _is_health_check(dialect, request):
            return _health_response(dialect, request.method), None
        return self._respond_with_image(dialect, mode, request)

    def begin(self, name: str, request: DialectRequest, presets: Callable[[], Presets]) -> None:
        """Start the reads for ``request`` before the current settings are known. Raises DarkroomError of 4xx."""
        if name == IIIF.name:
            from ..iiif.url import parse

            self.transform.prefetch_master(parse(request.target).key)
        elif name in DIALECTS_BY_NAME:
            dialect = DIALECTS_BY_NAME[name]
            if _is_health_check(dialect, request):
                return
            parsed = load_parser(dialect).parse(dialect.parser_input(request.target), self._settings())
            self.transform.prefetch(choose_variant(parsed, request, self.transform.always, self.metadata), presets)

    def _settings(self) -> DialectSettings:
        return replace(self.settings(), detects_faces=self.transform.inference)

    def _respond_with_image(self, dialect: Dialect, mode: AccessMode, request: DialectRequest) -> Responded:
        parser, always = load_parser(dialect), self.transform.always
        with self.transform.observer.step("parse"):
            parsed = parser.parse(dialect.parser_input(request.target), self._settings())
            plan = choose_variant(parsed, request, always, self.metadata)
            keys, is_private = DialectKeys(self.keys, dialect.name), self.transform.is_private(plan.key)
            now_s, presets = self.clock(), self.transform.presets
            authorise(parsed, plan, mode, presets, always, parser.verify, keys, now_s, is_private=is_private)
        if parsed.document is None:
            answer = self.transform.serve_or_replace(plan, request.if_none_match)
        else:
            from .delivery import convert_document

            answer = convert_document(self.transform.serve(plan), parsed.document, request.if_none_match)
        if isinstance(answer, Failed):
            raise answer.error
        max_age_s = self._max_age_s(parsed)
        return self.delivery.build_response(answer, plan, request, max_age_s, private=is_private), get_error(answer)

    def _max_age_s(self, parsed: ParsedUrl) -> int | None:
        """Return the maximum age by the URL: at most until it expires; None without a limit."""
        ages_s = [] if parsed.max_age_s is None else [parsed.max_age_s]
        if parsed.expires_s is not None:
            ages_s.append(max(0, int(parsed.expires_s - self.clock())))
        return min(ages_s, default=None)


def _is_health_check(dialect: Dialect, request: DialectRequest) -> bool:
    return dialect.health is not None and dialect.parser_input(request.path) == dialect.health[0]


def _health_response(dialect: Dialect, method: str) -> HttpResponse:
    """Return the response to a health check, which is not cached."""
    body = dialect.health[1] if dialect.health and method != "HEAD" else ""
    return {"statusCode": 200, "headers": {"content-type": "text/plain", "cache-control": "no-cache"}, "body": body}

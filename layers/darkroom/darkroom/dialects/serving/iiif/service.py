"""One request of the IIIF Image API: read, measured against the picture's size, authorised, found or made, answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from ....errors import MethodNotAllowed, NotListed
from ....http.response import HttpResponse
from ....plan.model import Plan
from ....plan.policy import AccessMode
from ....plan.redaction import apply_forced_redaction, needs_findings
from ....services.serve.answers import Failed
from ....services.serve.transform import Transform
from ...iiif.image import ResolvedImage, resolve_image
from ...iiif.info_json import build_info, profile_uri
from ...iiif.limits import SizeLimits
from ...iiif.tiles import LISTED_DETAIL, is_listed
from ...iiif.url import (
    INFO_JSON,
    BaseRequest,
    ImageRequest,
    InfoRequest,
    parse,
)
from ...iiif.version import Version
from ..delivery import Delivery
from ..max_age import limit_max_age
from ..request import DialectRequest
from .documents import build_info_response, build_redirect
from .masters import open_master


@dataclass(frozen=True, slots=True)
class IiifService:
    """The service. In mode ``open`` anybody may ask for anything within ``caps``, else for what ``info.json`` lists."""

    transform: Transform
    delivery: Delivery
    mode: AccessMode = AccessMode.GUARDED
    caps: SizeLimits = SizeLimits()

    def respond(self, request: DialectRequest) -> HttpResponse:
        """The answer to ``request``. Raises DarkroomErrors.

        Who may read it from a page of another origin is for the CDN to say, as of any answer.
        """
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        parsed = parse(request.target)
        if parsed.identifier != parsed.canonical_identifier:
            prefix = parsed.version.prefix
            rest = request.path.removeprefix(prefix + parsed.identifier)
            return build_redirect(301, f"{prefix}{parsed.canonical_identifier}{rest}", self._cache_control(parsed.key))
        base_uri = f"{request.base_url}{parsed.version.prefix}{parsed.canonical_identifier}"
        match parsed:
            case BaseRequest():
                return build_redirect(303, f"{base_uri}/{INFO_JSON}", self._cache_control(parsed.key))
            case InfoRequest():
                return self._respond_with_info(parsed, request, base_uri)
            case ImageRequest():
                return self._respond_with_image(parsed, request, base_uri)

    @property
    def _is_open(self) -> bool:
        return self.mode is AccessMode.OPEN

    def _profile_link(self, version: Version) -> str:
        return f'<{profile_uri(version, everything=self._is_open)}>;rel="profile"'

    def _cache_control(self, key: str) -> str:
        return limit_max_age(self.transform.caching.cache_control(key), self.delivery.max_age_s)

    def _respond_with_info(self, parsed: InfoRequest, request: DialectRequest, base_uri: str) -> HttpResponse:
        self.transform.observer.add_metadata("key", parsed.key)
        with self.transform.observer.step("fetch"):
            _, upright = open_master(self.transform, parsed.key)
        return build_info_response(
            build_info(base_uri, upright, self.caps, parsed.version, everything=self._is_open),
            parsed.version,
            accept=request.accept,
            method=request.method,
            if_none_match=request.if_none_match,
            headers={"cache-control": self._cache_control(parsed.key), "link": self._profile_link(parsed.version)},
        )

    def _respond_with_image(self, parsed: ImageRequest, request: DialectRequest, base_uri: str) -> HttpResponse:
        with self.transform.observer.step("fetch"):
            master, upright = open_master(self.transform, parsed.key)
        image = resolve_image(parsed, upright, self.caps)
        if not self._is_open and not is_listed(parsed, image, self.caps):
            raise NotListed(LISTED_DETAIL)
        plan = self._build_plan(image, request)
        answer = self.transform.serve(plan, request.if_none_match, master)
        if isinstance(answer, Failed):
            raise answer.error
        response = self.delivery.build_response(answer, plan, request)
        canonical = f'<{base_uri}/{image.canonical_path(self.caps, parsed.version)}>;rel="canonical"'
        links = f"{canonical}, {self._profile_link(parsed.version)}"
        return response | {"headers": {**cast(dict[str, str], response["headers"]), "link": links}}

    def _build_plan(self, image: ResolvedImage, request: DialectRequest) -> Plan:
        """The plan of ``image`` with what the deployment hides in it."""
        plan = apply_forced_redaction(image.build_plan(), self.transform.always)
        return replace(plan, findings=request.findings) if needs_findings(plan) else plan

"""One request of the IIIF Image API: read, measured against the picture's size, authorised, found or made, answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from ....errors import MethodNotAllowed, NotListed
from ....plan.model import Plan
from ....plan.policy import AccessMode
from ....plan.redaction import apply_forced_redaction, needs_findings
from ....services.serve.answers import Failed, HttpResponse
from ....services.serve.transform import Transform
from ...iiif.image import Picture, picture_of
from ...iiif.info_json import information, profile_uri
from ...iiif.limits import Caps
from ...iiif.tiles import LISTED, is_listed
from ...iiif.url import (
    INFORMATION,
    BaseRequest,
    ImageRequest,
    InfoRequest,
    read,
)
from ...iiif.version import Version
from ..delivery import Delivery
from ..max_age import bounded
from ..request import LanguageRequest
from .documents import document_response, redirect
from .masters import opened


@dataclass(frozen=True, slots=True)
class Iiif:
    """The service. In mode ``open`` anybody may ask for anything within ``caps``, else for what ``info.json`` lists."""

    transform: Transform
    delivery: Delivery
    mode: AccessMode = AccessMode.GUARDED
    caps: Caps = Caps()

    def answer(self, request: LanguageRequest) -> HttpResponse:
        """The answer to ``request``. Raises DarkroomErrors.

        Who may read it from a page of another origin is for the CDN to say, as of any answer.
        """
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        asked = read(request.target)
        if asked.identifier != asked.spelled:
            prefix = asked.version.prefix
            rest = request.path.removeprefix(prefix + asked.identifier)
            return redirect(301, f"{prefix}{asked.spelled}{rest}", self._cache_control(asked.key))
        base_uri = f"{request.base_url}{asked.version.prefix}{asked.spelled}"
        match asked:
            case BaseRequest():
                return redirect(303, f"{base_uri}/{INFORMATION}", self._cache_control(asked.key))
            case InfoRequest():
                return self._information(asked, request, base_uri)
            case ImageRequest():
                return self._picture(asked, request, base_uri)

    @property
    def _everything(self) -> bool:
        return self.mode is AccessMode.OPEN

    def _profile_link(self, version: Version) -> str:
        return f'<{profile_uri(version, everything=self._everything)}>;rel="profile"'

    def _cache_control(self, key: str) -> str:
        return bounded(self.transform.caching.cache_control(key), self.delivery.max_age_s)

    def _information(self, asked: InfoRequest, request: LanguageRequest, base_uri: str) -> HttpResponse:
        self.transform.observer.add_metadata("key", asked.key)
        with self.transform.observer.step("fetch"):
            _, upright = opened(self.transform, asked.key)
        return document_response(
            information(base_uri, upright, self.caps, asked.version, everything=self._everything),
            asked.version,
            accept=request.accept,
            method=request.method,
            if_none_match=request.if_none_match,
            headers={"cache-control": self._cache_control(asked.key), "link": self._profile_link(asked.version)},
        )

    def _picture(self, asked: ImageRequest, request: LanguageRequest, base_uri: str) -> HttpResponse:
        with self.transform.observer.step("fetch"):
            master, upright = opened(self.transform, asked.key)
        picture = picture_of(asked, upright, self.caps)
        if not self._everything and not is_listed(asked, picture, self.caps):
            raise NotListed(LISTED)
        plan = self._variant(picture, request)
        answer = self.transform.serve(plan, request.if_none_match, master)
        if isinstance(answer, Failed):
            raise answer.error
        response = self.delivery.response(answer, plan, request)
        canonical = f'<{base_uri}/{picture.path(self.caps, asked.version)}>;rel="canonical"'
        links = f"{canonical}, {self._profile_link(asked.version)}"
        return response | {"headers": {**cast(dict[str, str], response["headers"]), "link": links}}

    def _variant(self, picture: Picture, request: LanguageRequest) -> Plan:
        """The plan of ``picture`` with what the deployment hides in it."""
        plan = apply_forced_redaction(picture.plan(), self.transform.always)
        return replace(plan, findings=request.findings) if needs_findings(plan) else plan

"""One request in another service's URL language: read, authorised, negotiated, found or made, answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Protocol, cast

from ...errors import MethodNotAllowed, SourceMissing
from ...plan.policy import AccessMode
from ...plan.presets import Presets
from ...services.serve.answers import Failed, HttpResponse
from ...services.serve.transform import Transform
from ..common.parsed_url import Asked
from ..common.settings import LanguageSettings
from ..registry import BY_NAME, IIIF, Language
from .access import Check, authorise
from .delivery import Delivery
from .negotiate import variant
from .request import LanguageRequest
from .signing_keys import Document, LanguageKeys


class Grammar(Protocol):
    """A module of :mod:`darkroom.dialects`."""

    def read(self, target: str, settings: LanguageSettings) -> Asked:
        """What ``target``, the raw path and query after the prefix, asks for. Raises DarkroomErrors of 4xx."""

    @property
    def check(self) -> Check:
        """The check of its signatures."""


def grammar_of(language: Language) -> Grammar:
    """The parser of ``language``."""
    return cast(Grammar, import_module(f"darkroom.dialects.{language.name}"))


@dataclass(frozen=True, slots=True)
class Languages:
    """The service. ``modes`` says who may ask for what in each language that is switched on.

    ``rejects_oversized_box``: see :class:`darkroom.dialects.iiif.limits.Caps`.
    """

    transform: Transform
    delivery: Delivery
    keys: Document
    modes: Mapping[str, AccessMode]
    settings: Callable[[], LanguageSettings]
    clock: Callable[[], float] = time.time
    rejects_oversized_box: bool = False

    def answer(self, name: str, request: LanguageRequest) -> HttpResponse:
        """The answer to ``request`` in the language ``name``. Raises DarkroomErrors."""
        mode = self.modes.get(name)
        if mode is None or name not in BY_NAME:
            raise SourceMissing("This deployment does not serve URLs of that language")
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        if name == IIIF.name:
            from ..iiif.limits import Caps
            from .iiif import Iiif

            caps = Caps(rejects_oversized_box=self.rejects_oversized_box)
            return Iiif(transform=self.transform, delivery=self.delivery, mode=mode, caps=caps).answer(request)
        language = BY_NAME[name]
        if _is_health_check(language, request):
            return _healthy(language, request.method)
        return self._picture(language, mode, request)

    def begin(self, name: str, request: LanguageRequest, presets: Callable[[], Presets]) -> None:
        """Begin the reads of ``request`` before the settings in force are known. Raises DarkroomErrors of 4xx."""
        if name == IIIF.name:
            from ..iiif.url import read

            self.transform.prefetch_master(read(request.target).key)
        elif name in BY_NAME:
            language = BY_NAME[name]
            if _is_health_check(language, request):
                return
            asked = grammar_of(language).read(language.target(request.target), self._settings())
            self.transform.prefetch(variant(asked, request, self.transform.always), presets)

    def _settings(self) -> LanguageSettings:
        return replace(self.settings(), finds_faces=self.transform.inference)

    def _picture(self, language: Language, mode: AccessMode, request: LanguageRequest) -> HttpResponse:
        grammar, always = grammar_of(language), self.transform.always
        with self.transform.observer.step("parse"):
            asked = grammar.read(language.target(request.target), self._settings())
            plan = variant(asked, request, always)
            keys = LanguageKeys(self.keys, language.name)
            authorise(asked, plan, mode, self.transform.presets, always, grammar.check, keys, self.clock())
        if asked.document is None:
            answer = self.transform.serve(plan, request.if_none_match)
        else:
            from .documents import convert

            answer = convert(self.transform.serve(plan), asked.document, request.if_none_match)
        if isinstance(answer, Failed):
            raise answer.error
        return self.delivery.response(answer, plan, request, self._max_age_s(asked))

    def _max_age_s(self, asked: Asked) -> int | None:
        """How long a response may be kept by its URL: never beyond the URL's expiry; None if it says nothing."""
        ages_s = [] if asked.max_age_s is None else [asked.max_age_s]
        if asked.expires_s is not None:
            ages_s.append(max(0, int(asked.expires_s - self.clock())))
        return min(ages_s, default=None)


def _is_health_check(language: Language, request: LanguageRequest) -> bool:
    return language.health is not None and language.target(request.path) == language.health[0]


def _healthy(language: Language, method: str) -> HttpResponse:
    """The answer to a health check, which neither the CDN nor a browser keeps."""
    body = language.health[1] if language.health and method != "HEAD" else ""
    return {"statusCode": 200, "headers": {"content-type": "text/plain", "cache-control": "no-cache"}, "body": body}

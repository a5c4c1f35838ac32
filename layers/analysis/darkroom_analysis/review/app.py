"""The review app: routes, roles, and headers that protect its pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from darkroom.errors import DarkroomError, InvalidRequest, MethodNotAllowed, SourceMissing, Unavailable
from darkroom.http.response import guard
from darkroom_pipeline.aws.audit import AuditLog

from .access import Access, NotAllowed, Person, Role, require_same_site
from .decisions import DECISIONS, Decisions
from .held_images import HeldImages
from .messages import JSON, Request, Response, json_response
from .playground import Playground

SHOWN_ENTRIES = 50
"""Entries of the audit log that are shown: each is an object of its own."""

UNAVAILABLE = "A service that the app depends on does not respond. Try again in a moment"
PAGE = "app"
PAGES = Path(__file__).with_name("pages")
"""Folder of the pages and their modules."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}

HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
"""Of every response. Scripts, styles and requests are those of this site; nothing is framed, or built from text."""


class BadDecision(InvalidRequest, code="bad-decision", status=400, title="The decision is invalid"):
    """The JSON of a decision is invalid."""


type Answer = Callable[[Request, Person], Response]


class Route(NamedTuple):
    """What answers a request, and the role that it needs; None for anyone who has signed in."""

    answer: Answer
    role: Role | None


@dataclass(frozen=True)
class ReviewApp:
    """``pages`` are the files of its pages by name. ``audit`` is None without a log."""

    access: Access
    pages: Mapping[str, bytes]
    held: HeldImages
    decisions: Decisions
    audit: AuditLog | None
    playground: Playground

    def handle(self, request: Request) -> tuple[Response, DarkroomError | None]:
        """Return the response, and the error that it reports, if any."""
        result = guard(lambda: self._respond(request))
        error = result if isinstance(result, DarkroomError) else None
        response = _problem(result) if isinstance(result, DarkroomError) else result
        return replace(response, headers={**HEADERS, **response.headers}), error

    def _respond(self, request: Request) -> Response:
        asked = (request.method, request.path)
        if public := self.access.routes.get(asked):
            return public(request)
        if route := self._routes.get(asked):
            person = self.access.identify(request)
            if route.role is not None and route.role not in person.roles:
                raise NotAllowed(f"This needs the role {route.role}, which your account does not have")
            if request.method != "GET":
                require_same_site(request)
            return route.answer(request, person)
        if request.method != "GET":
            raise MethodNotAllowed("This path does not accept the method")
        return self._page(request.path or PAGE)

    @property
    def _routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("GET", "api/session"): Route(lambda _, person: json_response(self.access.describe(person)), None),
            ("GET", "api/review"): Route(lambda _, __: json_response(self.held.list_waiting()), Role.REVIEWER),
            ("GET", "api/review/reason"): Route(self._reason, Role.REVIEWER),
            ("GET", "api/review/image"): Route(self._image, Role.REVIEWER),
            ("POST", "api/review"): Route(self._decide, Role.REVIEWER),
            ("GET", "api/audit"): Route(self._audit, Role.REVIEWER),
            ("GET", "api/options"): Route(self._options, Role.DEVELOPER),
            ("GET", "api/photographs"): Route(self._photographs, Role.DEVELOPER),
            ("GET", "api/sign"): Route(self._sign, Role.DEVELOPER),
        }

    def _page(self, name: str) -> Response:
        name = "app.html" if name == PAGE else name
        if name not in self.pages:
            raise SourceMissing("There is no such page")
        headers = {"content-type": _TYPES[Path(name).suffix], "cache-control": "no-cache"}
        return Response(200, headers, self.pages[name])

    def _reason(self, request: Request, _: Person) -> Response:
        return json_response(self.held.explain(request.query.get("key", "")))

    def _image(self, request: Request, _: Person) -> Response:
        view = request.query.get("view", "0")
        number = int(view) if view.isascii() and view.isdigit() else 0
        return Response(200, {"content-type": "image/jpeg"}, self.held.render(request.query.get("key", ""), number))

    def _decide(self, request: Request, person: Person) -> Response:
        key, decision, version = _parse_decision(request)
        if not person.name:
            raise BadDecision("Enter your name: it is stored with the decision", field="name")
        self.decisions.decide(key, decision, person.name, version=version)
        return json_response({"key": key, "decision": decision, "by": person.name}, 202)

    def _audit(self, _: Request, __: Person) -> Response:
        return json_response(self.audit.list_newest(SHOWN_ENTRIES) if self.audit is not None else [])

    def _options(self, _: Request, __: Person) -> Response:
        return json_response(self.playground.describe_options())

    def _photographs(self, request: Request, _: Person) -> Response:
        return json_response(self.playground.list_keys(request.query.get("prefix", "")))

    def _sign(self, request: Request, _: Person) -> Response:
        return json_response(self.playground.sign(request.query.get("target", "")))


def respond(build: Callable[[], ReviewApp], request: Request) -> tuple[Response, DarkroomError | None]:
    """Return what the app that ``build`` returns responds, or why it cannot be built."""
    app = guard(build)
    if isinstance(app, DarkroomError):
        return replace(_problem(app), headers=HEADERS), app
    return app.handle(request)


def read_pages() -> dict[str, bytes]:
    """Read the files of the pages by name."""
    return {path.name: path.read_bytes() for path in sorted(PAGES.iterdir()) if path.suffix in _TYPES}


def _parse_decision(request: Request) -> tuple[str, str, str]:
    """Return key, decision and version of a decision in JSON. Raises BadDecision."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != JSON:
        raise BadDecision(f"Expected {JSON}")
    try:
        document = json.loads(request.body)
        key, decision, version = (document[name] for name in ("key", "decision", "version"))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadDecision('Expected {"key": …, "decision": …, "version": …}', detail=repr(error)) from error
    if not all(isinstance(value, str) and value for value in (key, decision, version)):
        raise BadDecision("key, decision and version must be texts")
    if decision not in DECISIONS:
        raise BadDecision(f"decision must be {' or '.join(DECISIONS)}", field="decision")
    return key, decision, version


def _problem(error: DarkroomError) -> Response:
    document = error.to_problem()
    if error.message == Unavailable.title:  # which is about rendering
        document |= {"title": UNAVAILABLE, "detail": UNAVAILABLE}
    return json_response(document, error.status, "application/problem+json")

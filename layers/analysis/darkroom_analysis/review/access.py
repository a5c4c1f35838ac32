"""Who may do what in the review app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from darkroom.errors import NonViewerError

from .messages import Request, Response


class Role(StrEnum):
    """A group of the user pool. ``REVIEWER`` decides about held images, ``DEVELOPER`` signs URLs in the playground."""

    REVIEWER = "reviewer"
    DEVELOPER = "developer"


class NotSignedIn(NonViewerError, code="not-signed-in", status=401, title="Sign in first"):
    """The request has no valid session."""


class NotAllowed(NonViewerError, code="not-allowed", status=403, title="Your account does not have the role for this"):
    """The person lacks the role, or another site sends the request."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user who has signed in. ``name`` is for the audit log. ``expires_s``: end of the session, in Unix time."""

    name: str
    roles: frozenset[Role]
    expires_s: float = 0.0


type Handler = Callable[[Request], Response]


class Access(Protocol):
    """How people are identified."""

    def identify(self, request: Request) -> Person:
        """Return who sends ``request``. Raises NotSignedIn, Unavailable."""

    def describe(self, person: Person) -> Mapping[str, object]:
        """Return what the pages show of the session of ``person``."""

    @property
    def routes(self) -> Mapping[tuple[str, str], Handler]:
        """Handlers by method and path that anyone may request, to sign in and out."""


def require_same_site(request: Request) -> None:
    """Raise NotAllowed unless a page of the app itself sends ``request``.

    Browsers send ``Origin`` with every request that is neither GET nor HEAD (Fetch standard, 3.2), so that one of
    another site cannot use the session. The cookies are not sent along with such a request either (``SameSite``).
    """
    if request.headers.get("origin", "") != request.site:
        raise NotAllowed("Another site sent this request", detail=request.headers.get("origin", "no origin"))

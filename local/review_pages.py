"""Pages about held images on the console's port, without sign-in: the console is served to this machine alone.

It has the pages and the API of the deployed app. A reviewer enters a name, which the pages send along with decisions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import unquote

from aiohttp import web

from cli.deployment import find_masters
from darkroom.services.live_settings import LiveSettings, build_source_limits
from darkroom_analysis.review.access import Handler, Person, Role
from darkroom_analysis.review.app import ReviewApp, read_pages, respond
from darkroom_analysis.review.decisions import Decisions
from darkroom_analysis.review.held_images import HeldImages
from darkroom_analysis.review.messages import Request, Response
from darkroom_analysis.review.playground import Playground
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.masters import Masters

from .aws import Cloud
from .paths import CONTROL
from .stack_info import StackInfo

BASE = f"{CONTROL}/review/"
NAME = "x-reviewer"
"""Header with a reviewer's name, percent-encoded. A page of another origin cannot send it without a preflight."""


class NamedOperator:
    """Access of the user of this machine, with every role, under the name that the request has."""

    routes: Mapping[tuple[str, str], Handler] = {}

    def identify(self, request: Request) -> Person:
        """See Access."""
        return Person(unquote(request.headers.get(NAME, "")).strip(), frozenset(Role))

    def describe(self, person: Person) -> Mapping[str, object]:
        """See Access."""
        return {"name": person.name, "roles": sorted(person.roles), "expires_s": 0, "named_by": "page"}


class LocalReviewApp:
    """The app for the stack that ``info`` describes."""

    def __init__(self, cloud: Cloud, info: StackInfo) -> None:
        self._cloud, self._info = cloud, info
        self._media = S3Bucket(cloud.s3, info.media_bucket)
        self._settings = LiveSettings(self._media.read, fresh_s=0)

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [web.route("*", BASE + "{path:.*}", self._answer)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = to_request(request, await request.read(), BASE)
        response, _ = await asyncio.to_thread(respond, self._build, asked)
        return to_web_response(response)

    def _build(self) -> ReviewApp:
        """Build the app for the settings in force, which may change with each request. Raises Unavailable."""
        settings, info, cloud = self._settings.current(), self._info, self._cloud
        index, entries = Index(cloud.dynamodb, info.index_table), DocumentStore(cloud.dynamodb, info.index_table)
        source, names = find_masters(cloud.s3, info.outputs["MastersUri"], info.media_bucket)
        audit = info.outputs.get("AuditBucketName")
        return ReviewApp(
            access=NamedOperator(),
            pages=read_pages(),
            held=HeldImages(
                index,
                FindingsStore(self._media, entries),
                Masters(source, names, self._media),
                build_source_limits(settings),
                settings.moderation_max_views,
            ),
            decisions=Decisions(index, entries, Queue(cloud.queues, info.queues["review"])),
            audit=AuditLog(S3Bucket(cloud.s3, audit)) if audit else None,
            playground=Playground(source, names, settings, lambda: info.signing_key),
        )


def to_request(request: web.Request, body: bytes, base: str) -> Request:
    """Convert a request of aiohttp. Its site is the address that the browser has used."""
    return Request(
        request.method,
        request.path.removeprefix(base),
        f"{request.scheme}://{request.host}",
        dict(request.query),
        {name.lower(): value for name, value in request.headers.items()},
        dict(request.cookies),
        body,
    )


def to_web_response(response: Response) -> web.Response:
    """Convert a response of the app."""
    made = web.Response(status=response.status, body=response.body, headers=dict(response.headers))
    for cookie in response.cookies:
        made.headers.add("Set-Cookie", cookie)
    return made

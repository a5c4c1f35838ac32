"""What models found in a picture, for the stack's page: the sidecar that prints are made with, and how things stand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from darkroom.aws.documents import DocumentStore
from darkroom.aws.findings_store import FindingsStore
from darkroom.aws.s3 import S3Bucket
from darkroom.findings import findings_to_document
from darkroom.image_keys import MASTERS

from .aws import Cloud
from .endpoint import Endpoint
from .paths import CONTROL
from .stack_info import StackInfo

OFF, NO_PICTURE, PENDING, FOUND = "off", "no-picture", "pending", "found"


class ImageDetails:
    """What the page asks about findings. ``generation`` is which are active; ``endpoint`` is None without inference."""

    def __init__(
        self, cloud: Cloud, facts: StackInfo, endpoint: Endpoint | None, generation: Callable[[], str]
    ) -> None:
        media = S3Bucket(cloud.s3, facts.media_bucket)
        self._masters = media
        self._archive = FindingsStore(media, DocumentStore(cloud.dynamodb, facts.index_table))
        self._endpoint = endpoint
        self._generation = generation

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get(f"{CONTROL}/findings", self.findings),
            web.get(f"{CONTROL}/inference", self.inference),
        ]

    async def findings(self, request: web.Request) -> web.StreamResponse:
        """``?key=<key>``: what is known of the picture as it is now, in the active generation."""
        return web.json_response(await asyncio.to_thread(self._look, request.query.get("key", "")))

    async def inference(self, _: web.Request) -> web.StreamResponse:
        """How the endpoint is, and its process id."""
        if self._endpoint is None:
            return web.json_response({"mode": OFF, "state": OFF, "pid": 0})
        server = self._endpoint.server
        return web.json_response({"mode": "endpoint", "state": server.state, "pid": server.pid})

    def _look(self, key: str) -> dict[str, Any]:
        if self._endpoint is None:
            return {"key": key, "state": OFF}
        generation = self._generation()
        told = {"key": key, "generation": generation, "endpoint": self._endpoint.server.state}
        master, sidecar = self._masters.head(MASTERS.name(key)), self._archive.read_sidecar(generation, key)
        if master is None:
            return told | {"state": NO_PICTURE}
        known = sidecar.findings if sidecar else None
        if known is None or known.source_etag != master.etag.strip('"'):
            return told | {"state": PENDING}
        return told | {"state": FOUND, "findings": findings_to_document(known)}

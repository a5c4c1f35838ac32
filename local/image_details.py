"""Findings of an image and the state of the endpoint, for the console."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from cli.deployment import find_masters
from darkroom.findings import findings_to_document
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.s3 import S3Bucket

from .aws import Cloud
from .endpoint import Endpoint
from .paths import CONTROL
from .stack_info import StackInfo

OFF, NO_IMAGE, PENDING, FOUND = "off", "no-picture", "pending", "found"


class ImageDetails:
    """Handlers for findings. ``generation`` returns the active generation; ``endpoint`` is None without inference."""

    def __init__(self, cloud: Cloud, info: StackInfo, endpoint: Endpoint | None, generation: Callable[[], str]) -> None:
        media = S3Bucket(cloud.s3, info.media_bucket)
        self._masters, self._names = find_masters(cloud.s3, info.outputs["MastersUri"], info.media_bucket)
        self._archive = FindingsStore(media, DocumentStore(cloud.dynamodb, info.index_table))
        self._endpoint = endpoint
        self._generation = generation

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [
            web.get(f"{CONTROL}/findings", self.findings),
            web.get(f"{CONTROL}/inference", self.inference),
        ]

    async def findings(self, request: web.Request) -> web.StreamResponse:
        """``?key=<key>``: return the findings of the current master in the active generation."""
        return web.json_response(await asyncio.to_thread(self._find, request.query.get("key", "")))

    async def inference(self, _: web.Request) -> web.StreamResponse:
        """Return the state of the endpoint and its process id. If it rests, this starts it."""
        if self._endpoint is None:
            return web.json_response({"mode": OFF, "state": OFF, "pid": 0})
        server = self._endpoint.server
        server.wake()
        return web.json_response({"mode": "endpoint", "state": server.state, "pid": server.pid})

    def _find(self, key: str) -> dict[str, Any]:
        if self._endpoint is None:
            return {"key": key, "state": OFF}
        generation = self._generation()
        base = {"key": key, "generation": generation, "endpoint": self._endpoint.server.state}
        master, sidecar = self._masters.head(self._names.name(key)), self._archive.read_sidecar(generation, key)
        if master is None:
            return base | {"state": NO_IMAGE}
        known = sidecar.findings if sidecar else None
        if known is None or known.source_etag != master.etag.strip('"'):
            return base | {"state": PENDING}
        return base | {"state": FOUND, "findings": findings_to_document(known)}

"""The upload element in Chromium, with the upload function and MiniStack's S3 behind it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.component.browser.browser import CHROMIUM, open_browser
from tests.component.browser.serving import served
from tests.component.browser.test_upload_element import REASONS, SHADOW, STATES, Backend
from tests.images.photographs import jpeg_photo

from .api import READY_RECORD, Api, token_for

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


@dataclass
class RealBackend(Backend):
    """The page, with the real API. ``ready`` stands for ingest: what S3 has is ready."""

    api: Api = field(kw_only=True)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            return web.json_response({"token": token_for("trips/"), "api": f"http://{request.host}"})
        if not request.path.startswith("/uploads"):
            return await super().answer(request)
        body = await request.read() if request.method == "POST" else None
        return await asyncio.to_thread(self._call, request, body)

    def _call(self, request: web.Request, body: bytes | None) -> web.StreamResponse:
        key = request.path.removeprefix("/uploads/")
        if request.method == "GET" and (found := self.api.uploaded(key)):
            sha256 = hashlib.sha256(found["Body"].read()).hexdigest()
            self.api.know(replace(READY_RECORD, key=key, sha256=sha256, version_id=found["VersionId"]))
        answer = self.api.call(request.method, request.path, request.headers.get("authorization"), body)
        document: dict[str, Any] = answer.document
        if "spoiled" in document.get("key", "") and "fields" in document:
            document["fields"]["x-amz-checksum-sha256"] = base64.b64encode(bytes(32)).decode()
        self.reports += [document] if request.path == "/uploads/report" else []
        return web.json_response(document, status=answer.status)


@pytest.fixture
def backend(api: Api) -> Iterator[RealBackend]:
    rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["POST"], "AllowedHeaders": ["*"]}
    rules = {"CORSRules": [rule | {"ExposeHeaders": ["ETag", "x-amz-version-id"]}]}
    api.s3.put_bucket_cors(Bucket=api.bucket, CORSConfiguration=rules)
    yield RealBackend('max-side="200"', api=api)
    api.s3.delete_bucket_cors(Bucket=api.bucket)


def test_a_photograph_is_prepared_stored_and_reported(backend: RealBackend, tmp_path: Path) -> None:
    names = ["photo.jpg", "spoiled.jpg"]
    for name in names:
        (tmp_path / name).write_bytes(jpeg_photo())

    async def run() -> None:
        async with served(backend.answer) as url, open_browser() as page:
            await page.open(f"{url}/")
            await page.until("window.defined")
            await page.choose_files("#choose", *(tmp_path / name for name in names))
            await page.until(f"{STATES}.join() === 'ready,failed'")
            assert (await page.evaluate(REASONS))[1].startswith(
                "The permission for this file has expired, or is for another"
            )
            note = await page.evaluate(f"{SHADOW}.querySelector('.detail').textContent")
            assert note.startswith("trips/photo.jpg")
            assert page.errors == []

    asyncio.run(run())
    assert backend.api.uploaded("trips/photo.jpg")["ContentType"] == "image/jpeg"
    assert backend.api.uploaded("trips/spoiled.jpg") is None
    assert backend.reports == [{"accepted": 2}]

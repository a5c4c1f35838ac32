"""A page with a viewer, its manifest, and the IIIF service below ``/iiif/``: one origin for the browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from darkroom.plan.geometry.placement import Size
from darkroom_dialects.iiif.spec import V2, SizeLimits, Version
from darkroom_dialects.iiif.tiles import list_sizes
from darkroom_dialects.iiif.url import encode_identifier
from darkroom_dialects.serving.iiif import IiifService
from darkroom_dialects.serving.request import DialectRequest
from tests.component.browser.serving import served
from tests.component.services.dialects.iiif_serving import answered, body_of

MANIFEST = "/manifest.json"


@dataclass(frozen=True, slots=True)
class Site:
    """The served page. ``requests``: the path and the status of each request below ``/iiif/``."""

    iiif: IiifService
    version: Version
    images: dict[str, Size]
    page: str
    files: Path
    requests: list[tuple[str, int]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request of the browser."""
        if request.raw_path.startswith("/iiif/"):
            return await self._image_service(request)
        if request.path == "/":
            return web.Response(text=self.page, content_type="text/html")
        if request.path == MANIFEST:
            return web.json_response(self.manifest(f"{request.scheme}://{request.host}"))
        file = self.files / request.path.removeprefix("/viewer/")
        return web.FileResponse(file) if file.is_file() else web.Response(status=404)

    async def _image_service(self, request: web.Request) -> web.Response:
        asked = DialectRequest(
            target=request.raw_path,
            host=request.host,
            scheme="http",
            accept="application/ld+json" if "ld+json" in request.headers.get("Accept", "") else "",
        )
        response = await asyncio.to_thread(answered, self.iiif, asked)
        status = int(str(response["statusCode"]))
        self.requests.append((request.raw_path, status))
        headers: Any = response["headers"]
        return web.Response(status=status, headers=headers, body=body_of(response))

    def manifest(self, origin: str) -> dict[str, Any]:
        """Return a manifest of the Presentation API in the version that matches the Image API."""
        make = _manifest_v2 if self.version == V2 else _manifest_v3
        services = {
            f"{origin}{self.version.prefix}{encode_identifier(key)}": size for key, size in sorted(self.images.items())
        }
        return make(origin, services)


def _sizes(upright: Size) -> list[dict[str, int]]:
    """The sizes of ``info.json``: Mirador chooses thumbnails among them, and else loads whole images."""
    return [{"width": size.width, "height": size.height} for size in list_sizes(upright, SizeLimits())]


def _manifest_v3(origin: str, services: dict[str, Size]) -> dict[str, Any]:
    canvases = []
    for index, (service, size) in enumerate(services.items()):
        canvas = f"{origin}/canvas/{index}"
        sides = {"width": size.width, "height": size.height}
        body = {
            "id": f"{service}/full/max/0/default.jpg",
            "type": "Image",
            "format": "image/jpeg",
            "service": [{"id": service, "type": "ImageService3", "profile": "level0", "sizes": _sizes(size)}],
            **sides,
        }
        annotation = {
            "id": f"{canvas}/a",
            "type": "Annotation",
            "motivation": "painting",
            "target": canvas,
            "body": body,
        }
        page = {"id": f"{canvas}/p", "type": "AnnotationPage", "items": [annotation]}
        label = {"none": [str(index)]}
        canvases.append({"id": canvas, "type": "Canvas", "label": label, "items": [page], **sides})
    return {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": origin + MANIFEST,
        "type": "Manifest",
        "label": {"none": ["Photographs"]},
        "items": canvases,
    }


def _manifest_v2(origin: str, services: dict[str, Size]) -> dict[str, Any]:
    canvases = []
    for index, (service, size) in enumerate(services.items()):
        canvas = f"{origin}/canvas/{index}"
        sides = {"width": size.width, "height": size.height}
        resource = {
            "@id": f"{service}/full/full/0/default.jpg",
            "@type": "dctypes:Image",
            "format": "image/jpeg",
            "service": {
                "@context": V2.context,
                "@id": service,
                "profile": V2.profile_uri("level0"),
                "sizes": _sizes(size),
            },
            **sides,
        }
        image = {"@type": "oa:Annotation", "motivation": "sc:painting", "on": canvas, "resource": resource}
        canvases.append({"@id": canvas, "@type": "sc:Canvas", "label": str(index), "images": [image], **sides})
    return {
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "@id": origin + MANIFEST,
        "@type": "sc:Manifest",
        "label": "Photographs",
        "sequences": [{"@type": "sc:Sequence", "canvases": canvases}],
    }


@asynccontextmanager
async def serve(site: Site) -> AsyncIterator[str]:
    """Serve ``site``; yield its address."""
    async with served(site.answer) as address:
        yield address

"""Private images behind the local CDN: a signature is verified before the cache responds, and is no part of its key."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from cloudfront_local.edge_function import V8Function
from darkroom.plan.presets import load_default_presets
from darkroom.plan.url_builder import sign_target
from darkroom.plan.variants import AccessMode
from darkroom_pipeline.plan.edge_settings import PrivateImages, build_edge_entries
from functions.edge.build import edge_code
from tests.component.template.stack import Stack

from .test_edge import KEPT, Origins, distribution, edge_over, get

KEY = "a key of more than 16 characters"
PHOTO = "/clients/photo.jpg?w=640"


def test_links_share_the_cache_and_none_is_served_without_a_valid_one() -> None:
    async def scenario() -> None:
        stored = web.Response(body=b"image", headers=KEPT | {"Cache-Control": "public, max-age=600, s-maxage=9000"})
        origins = Origins(
            {f"/derivatives/{name}/_/w-640.auto-legacy": stored for name in ("photo.jpg", "clients/photo.jpg")}
        )
        functions = {"edge": edge_code(), "vary": Stack().properties("VaryFunction")["FunctionCode"]}
        private = PrivateImages(("clients/",), (KEY,))
        config = distribution(request_function="edge", response_function="vary")
        now_s = int(time.time())
        async with edge_over(origins, config, **functions) as edge:
            function = edge.functions["edge"]
            assert isinstance(function, V8Function)
            function.hold(build_edge_entries(AccessMode.OPEN, "", load_default_presets(), private=private))
            first = await edge.answer(get(sign_target(PHOTO, KEY, now_s + 300)))
            second = await edge.answer(get(sign_target(PHOTO, KEY, now_s + 90_000)))
            forged = sign_target(PHOTO, "another key of 16 characters", now_s + 300)
            urls = (PHOTO, sign_target(PHOTO, KEY, now_s - 1), forged)
            refused = [await edge.answer(get(url)) for url in urls]
            public = await edge.answer(get("/photo.jpg?w=640"))
        assert [one.body for one in (first, second, public)] == [b"image"] * 3
        assert [one.headers["X-Cache"] for one in (first, second)] == ["Miss from cloudfront", "Hit from cloudfront"]
        assert [one.headers["X-Darkroom-Error"] for one in refused] == ["unsigned", "expired", "bad-signature"]
        assert {one.headers["Cache-Control"] for one in refused} == {"no-store"}
        name, _, age_s = first.headers["Cache-Control"].rpartition("=")
        assert (name, 290 < int(age_s) <= 300) == ("private, max-age", True)
        assert second.headers["Cache-Control"] == "private, max-age=600"
        assert public.headers["Cache-Control"] == "public, max-age=600, s-maxage=9000"

    asyncio.run(scenario())

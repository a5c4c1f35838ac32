"""The public port of the local stack: the CDN, and the stack's own pages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from cloudfront_local.hosts import Hosts
from cloudfront_local.journal import Journal
from cloudfront_local.live import LiveEdge
from cloudfront_local.log_delivery import LogDelivery
from cloudfront_local.origins import MiniStackOrigins
from cloudfront_local.server import MAX_LINE_BYTES, serve
from darkroom_pipeline.services.edge_publication import active_generation

from .aws import Cloud, EdgeStores
from .console_api.collector import Collector
from .control_pages import ControlPages
from .endpoint import Endpoint
from .explanations import Explanations
from .extension_stacks import find_hosts, list_routes
from .image_details import ImageDetails
from .paths import CONTROL, REGION, Ports
from .review_pages import LocalReviewApp
from .sagemaker import control as sagemaker_control
from .stack_info import StackInfo

MAX_ORIGIN_CONNECTIONS = 512


@asynccontextmanager
async def open_gateway(
    cloud: Cloud,
    info: StackInfo,
    ports: Ports,
    state: Path,
    endpoint: Endpoint | None,
    collector: Collector,
    report: Callable[[str], None],
) -> AsyncIterator[Hosts]:
    """Serve on 127.0.0.1 until the context exits. ``state`` is the stack's folder, which shown commands name."""
    connector = aiohttp.TCPConnector(limit=MAX_ORIGIN_CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        journal = Journal()
        origins = MiniStackOrigins(session, cloud.endpoint_url, REGION, cloud.credentials, journal, report)
        stores = EdgeStores(cloud.endpoint_url)

        def open_edge(distribution_id: str) -> LiveEdge:
            return LiveEdge(cloud.cloudfront, stores.read, distribution_id, origins, report)

        distributions = [info.distribution_id, info.outputs.get("DropInDistributionId", "")]
        hosts = await asyncio.to_thread(find_hosts, cloud)
        live = Hosts(
            [open_edge(one) for one in distributions if one], {host: open_edge(one) for host, one in hosts.items()}
        )
        live.load()
        logs = LogDelivery(cloud.s3, report)
        delivery = asyncio.create_task(logs.run(lambda: live.main.edge.distribution if live.main.edge else None))
        app = web.Application(middlewares=[_catch_up_first(live)])
        app.add_routes(ControlPages(cloud, info, live, journal, state).routes())
        app.add_routes(Explanations(state).routes())
        app.add_routes(LocalReviewApp(cloud, info).routes())
        app.add_routes(list_routes(cloud, info, ports))
        app.add_routes(
            ImageDetails(
                cloud, info, endpoint, lambda: active_generation(live.main.stored[info.outputs["FindingsStoreArn"]])
            ).routes()
        )
        if endpoint:
            sagemaker = sagemaker_control.routes(f"{CONTROL}/sagemaker", endpoint.runtime.endpoints, endpoint.variants)
            app.add_routes(sagemaker)
        app.add_routes(collector.routes())
        app.router.add_route("*", "/{path:.*}", lambda request: _serve(live, collector, logs, request))
        runner = web.AppRunner(
            app, access_log=None, max_line_size=MAX_LINE_BYTES, max_field_size=MAX_LINE_BYTES, shutdown_timeout=2.0
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", ports.cdn, backlog=1024).start()
            yield live
        finally:
            await runner.cleanup()
            delivery.cancel()
            await asyncio.gather(delivery, return_exceptions=True)
            live.close()


def _catch_up_first(live: Hosts) -> Middleware:
    """Return a middleware that applies what changed while there were no requests."""

    @web.middleware
    async def catch_up(request: web.Request, handler: Handler) -> web.StreamResponse:
        await live.catch_up()
        return await handler(request)

    return catch_up


async def _serve(live: Hosts, collector: Collector, logs: LogDelivery, request: web.Request) -> web.StreamResponse:
    if (edge := live.of(request.host)) is None:
        raise web.HTTPServiceUnavailable
    started_s = time.perf_counter()
    answer = await serve(edge, request, lambda visit: logs.note(edge.distribution, visit))
    took_ms = (time.perf_counter() - started_s) * 1000
    size_bytes = len(answer.body) if isinstance(answer.body, bytes) else 0
    collector.viewers.note(request.method, answer.status, answer.headers.get("X-Cache", ""), took_ms, size_bytes)
    collector.edge.note(request.path, answer.status, answer.headers.get("X-Darkroom-Error", ""), time.time())
    return answer

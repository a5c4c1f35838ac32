"""Serve the CDN until standard input closes: ``python -m bench.origin S3``. The first line of output is the port."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from botocore.credentials import Credentials
from multidict import CIMultiDict

from cloudfront_local.edge import Edge
from cloudfront_local.edge_function import V8Function
from cloudfront_local.journal import Journal
from cloudfront_local.messages import Response
from cloudfront_local.model import Origin, OriginKind
from cloudfront_local.origins import MiniStackOrigins
from cloudfront_local.server import viewer_request, viewer_response

from ..competitors.model import REGION
from .distribution import build_distribution, build_entries, build_function_distribution, read_edge_functions


def main() -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.origin", description=__doc__)
    parser.add_argument("s3", help="URL of the S3 substitute")
    parser.add_argument("--function", default="", metavar="URL", help="the function's; without it failovers fail")
    parser.add_argument("--always-function", action="store_true", help="asks the function at once, as DIT's CDN does")
    parser.add_argument("--stores-nothing", action="store_true", help="with the settings of such a deployment")
    given = parser.parse_args()
    entries = build_entries(stores=not given.stores_nothing)
    asyncio.run(_serve(given.s3, given.function, given.always_function, entries))


class BenchOrigins:
    """S3 and the function, each at a URL of its own."""

    def __init__(self, session: aiohttp.ClientSession, s3_url: str, function_url: str) -> None:
        credentials, journal = Credentials("bench", "bench"), Journal()
        urls = {OriginKind.S3: s3_url, OriginKind.FUNCTION_URL: function_url or s3_url}
        self._origins = {
            kind: MiniStackOrigins(session, url, REGION, credentials, journal) for kind, url in urls.items()
        }

    async def send(
        self,
        origin: Origin,
        method: str,
        target: str,
        headers: CIMultiDict[str],
        request_id: str,
        body: bytes = b"",
    ) -> Response:
        """See :class:`cloudfront_local.origins.Origins`."""
        return await self._origins[origin.kind].send(origin, method, target, headers, request_id, body)


async def _serve(s3_url: str, function_url: str, always_function: bool, entries: Mapping[str, str]) -> None:
    async with aiohttp.ClientSession() as session:
        origins = BenchOrigins(session, s3_url, function_url)
        functions = {name: V8Function(source, entries) for name, source in read_edge_functions().items()}
        distribution = build_function_distribution() if always_function else build_distribution()
        edge = Edge(distribution, dict(functions), origins, time.time, report=_report)

        async def answer(request: web.BaseRequest) -> web.Response:
            return viewer_response(request.method, await edge.answer(viewer_request(request)))

        runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()
        for function in functions.values():
            function.close()


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

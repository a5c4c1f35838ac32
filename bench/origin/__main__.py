"""Serve the CDN until standard input closes: ``python -m bench.origin S3``. The first line of output is the port."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

import aiohttp
from aiohttp import web
from botocore.credentials import Credentials

from cloudfront_local.edge import Edge
from cloudfront_local.edge_function import V8Function
from cloudfront_local.journal import Journal
from cloudfront_local.origins import MiniStackOrigins
from cloudfront_local.server import viewer_request, viewer_response

from ..competitors.model import REGION
from .distribution import ENTRIES, build_distribution, read_edge_functions


def main() -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.origin", description=__doc__)
    parser.add_argument("s3", help="URL of the S3 substitute")
    asyncio.run(_serve(parser.parse_args().s3))


async def _serve(s3_url: str) -> None:
    async with aiohttp.ClientSession() as session:
        origins = MiniStackOrigins(session, s3_url, REGION, Credentials("bench", "bench"), Journal())
        functions = {name: V8Function(source, ENTRIES) for name, source in read_edge_functions().items()}
        edge = Edge(build_distribution(), dict(functions), origins, time.time, report=_report)

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

"""Serve until standard input closes: ``python -m bench.link``. The first line of output is the port."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from ssl import SSLContext

from aiohttp import web

from .objects import DerivedObject, ObjectStore
from .server import Link
from .tls import load_server_context


def main() -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.link", description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--megabytes-per-s", type=float, default=10_000.0)
    parser.add_argument("--certificate", type=Path, help="serve HTTPS with this certificate and key (PEM)")
    parser.add_argument("--derived", type=Path, help="folder of <image>/<name> and <image>/<name>.json, its headers")
    parser.add_argument("images", nargs="*", type=Path, help="files, served as masters/<anything>/<file name>")
    arguments = parser.parse_args()
    derived = read_derived(arguments.derived) if arguments.derived else {}
    store = ObjectStore({path.name: path.read_bytes() for path in arguments.images}, derived)
    link = Link(store, arguments.latency_ms / 1000, arguments.megabytes_per_s * 1e6)
    asyncio.run(_serve(link, load_server_context(arguments.certificate) if arguments.certificate else None))


def read_derived(folder: Path) -> dict[tuple[str, str], DerivedObject]:
    """Read the objects in ``folder``, by the names of their images and their own."""
    return {
        (headers.parent.name, headers.stem): DerivedObject(
            headers.with_suffix("").read_bytes(), json.loads(headers.read_text(encoding="ascii"))
        )
        for headers in folder.glob("*/*.json")
    }


async def _serve(link: Link, tls: SSLContext | None) -> None:
    runner = web.AppRunner(link.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    main()

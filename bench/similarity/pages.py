"""Serve DynamoDB pages of 1 MB, prepared in advance, for a search of the vector table.

It is a separate process, so that it does not share the search's interpreter.
"""

from __future__ import annotations

import json
import multiprocessing
import random
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection

from darkroom_pipeline.aws.vectors.dynamodb import SHARDS

DIMENSIONS = 512
PAGE_BYTES = 1 << 20
"""Largest size that one Query reads ("Query", DynamoDB developer guide)."""

ITEM_BYTES = 720
"""Size of an item: 516 of vector, 60 of key, the rest other attributes and their names."""

READ_UNIT_BYTES = 4096
UNITS_PER_READ = 0.5
"""Price of an eventually consistent read of 4 KB in read units ("Read consistency", DynamoDB developer guide)."""


def count_read_units(images: int) -> float:
    """Return the read units of one search among ``images`` images."""
    return images * ITEM_BYTES / READ_UNIT_BYTES * UNITS_PER_READ


@contextmanager
def serve_table(images: int) -> Iterator[str]:
    """Serve a table of ``images`` images and yield its URL."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(images, there), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(images: int, port: Connection) -> None:
    pages = [_pages(images // SHARDS, seed) for seed in range(SHARDS)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            shard = int(query["ExpressionAttributeValues"][":shard"]["N"])
            number = int(query.get("ExclusiveStartKey", {"sk": {"S": "0"}})["sk"]["S"])
            body = pages[shard][number]
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_port)
    server.serve_forever()


def _pages(items: int, seed: int) -> list[bytes]:
    """Return the responses to Query for one shard of ``items``; the start key of the next one is its number."""
    dice, on_a_page = random.Random(seed), PAGE_BYTES // ITEM_BYTES
    pages: list[bytes] = []
    for start in range(0, items, on_a_page):
        found = [
            {
                "sk": {"S": f"library/2026/11/{seed}-{number:08}-{'x' * 24}.jpg"},
                "vector": {"B": b64encode(b"\0\0\x80?" + dice.randbytes(DIMENSIONS)).decode()},
                "perceptual_hash": {"S": f"{dice.getrandbits(64):016x}"},
            }
            for number in range(start, min(start + on_a_page, items))
        ]
        page: dict[str, object] = {"Items": found, "Count": len(found), "ScannedCount": on_a_page}
        if start + on_a_page < items:
            page["LastEvaluatedKey"] = {"pk": {"N": str(seed)}, "sk": {"S": str(len(pages) + 1)}}
        pages.append(json.dumps(page).encode())
    return pages

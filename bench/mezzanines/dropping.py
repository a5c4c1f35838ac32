"""What it costs to request a master that is not needed: ``python -m bench.mezzanines.dropping``.

A mezzanine and its master are opened at once and the mezzanine is read, as a render does. The master is not requested,
requested whole and dropped, by its first bytes, or by HEAD. CPU time includes closed connections and bytes that arrived
in vain.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import obstore

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.image_keys import mezzanine_name

from ..environment import LATENCY_MS, MEGABYTES_PER_S
from ..images import make_images
from ..link.process import run_link
from ..measure import order_turns
from ..statistics import Spread
from .files import write_mezzanines

KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
FIRST_BYTES = 256 * 1024
REQUESTS = 5
"""Consecutive requests of one way, so that each meets the connections that it leaves."""

type Way = Callable[[FastBucket, str], None]


def _drop(bucket: FastBucket, name: str) -> None:
    found = bucket.open(name)
    if found is not None:
        found.close()


def _read_first(bucket: FastBucket, name: str) -> None:
    obstore.get(bucket._store, name, options={"range": (0, FIRST_BYTES)}).bytes()


def _head(bucket: FastBucket, name: str) -> None:
    bucket.etag(name)


WAYS: Mapping[str, Way] = {
    "not requested": lambda _bucket, _name: None,
    "whole, dropped": _drop,
    "first 256 KiB": _read_first,
    "HEAD": _head,
}


def main() -> None:
    """Print milliseconds of a request and of its CPU time, by the way that the master is requested."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    images = make_images()
    found: dict[str, tuple[list[float], list[float]]] = {way: ([], []) for way in WAYS}
    with run_link(images, LATENCY_MS, MEGABYTES_PER_S, write_mezzanines(images)) as url:
        environment = KEYS | {"AWS_ENDPOINT_URL": url}
        bucket = connect("media", CredentialSource(environment), environment)
        for turn in range(turns):
            for index in order_turns(len(WAYS), turn):
                way = list(WAYS)[index]
                for number in range(REQUESTS):
                    wall_ms, cpu_ms = _request(bucket, f"{turn}-{index}-{number}/12mp.jpg", WAYS[way])
                    if number:
                        found[way][0].append(wall_ms)
                        found[way][1].append(cpu_ms)
    for way, (walls, cpus) in found.items():
        print(f"{way:16} {Spread.of(walls)} ms, CPU {Spread.of(cpus)} ms")


def _request(bucket: FastBucket, key: str, way: Way) -> tuple[float, float]:
    started, cpu_s = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(2) as pool:
        opened = pool.submit(bucket.open, mezzanine_name(key, 1280))
        master = pool.submit(way, bucket, f"masters/{key}")
        mezzanine = opened.result()
        assert mezzanine is not None
        mezzanine.read()
        master.result()
    return (time.perf_counter() - started) * 1000, (time.process_time() - cpu_s) * 1000


if __name__ == "__main__":
    main()

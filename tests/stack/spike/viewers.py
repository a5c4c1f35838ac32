"""Viewers that send requests simultaneously, and repeat refused ones after Retry-After."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import aiohttp

MAX_ATTEMPTS = 60
"""Largest number of requests of a viewer."""

DEFAULT_WAIT_S = 1.0
"""Wait after a refusal without Retry-After."""

REFUSED = frozenset({429, 503})
ACCEPT = "image/webp,*/*"
ANSWER_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A response.

    ``retry_after_s`` is None without the header; ``written``: an image was rendered and stored for it.
    """

    status: int
    took_ms: float
    retry_after_s: float | None
    digest: str
    etag: str
    written: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """A viewer of ``target``, its responses in order, and the time from the first request to the last response."""

    target: str
    answers: tuple[Answer, ...]
    after_ms: float


def request_all(url: str, targets: Sequence[str], seed: int) -> list[Viewer]:
    """Run a viewer for each of ``targets``, paths and queries of the CDN at ``url``; all start before any response."""
    return asyncio.run(_all(url, targets, Random(seed)))


async def _all(url: str, targets: Sequence[str], random: Random) -> list[Viewer]:
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers={"Accept": ACCEPT}) as session:
        return await asyncio.gather(*(_viewer(session, url, target, Random(random.random())) for target in targets))


async def _viewer(session: aiohttp.ClientSession, url: str, target: str, random: Random) -> Viewer:
    """Send requests until one is not refused. Waits are one to two times Retry-After, as clients' are."""
    begun_s, answers = time.perf_counter(), [await _request(session, url + target)]
    while answers[-1].status in REFUSED and len(answers) < MAX_ATTEMPTS:
        retry_after_s = answers[-1].retry_after_s
        await asyncio.sleep((DEFAULT_WAIT_S if retry_after_s is None else retry_after_s) * (1 + random.random()))
        answers.append(await _request(session, url + target))
    return Viewer(target, tuple(answers), (time.perf_counter() - begun_s) * 1000)


async def _request(session: aiohttp.ClientSession, url: str) -> Answer:
    begun_s = time.perf_counter()
    async with session.get(url, allow_redirects=False) as response:
        body = await response.read()
        headers = response.headers
        return Answer(
            response.status,
            (time.perf_counter() - begun_s) * 1000,
            parse_retry_after(headers.get("Retry-After", "")),
            hashlib.sha256(body).hexdigest(),
            headers.get("ETag", ""),
            headers.get("X-Cache", "").startswith("Miss") and "store;" in headers.get("Server-Timing", ""),
        )


def parse_retry_after(retry_after: str) -> float | None:
    """Parse a Retry-After in seconds; None without one, or for a date, which no server here sends."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else None

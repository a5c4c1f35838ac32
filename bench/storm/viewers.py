"""Viewers who all ask at the same moment, and those who are refused again when they were told to."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import aiohttp

PATIENCE = 60
"""Times that a viewer asks at most."""

UNTOLD_S = 1.0
"""What a viewer waits whom a refusal did not tell for how long."""

REFUSED = frozenset({429, 503})
ACCEPT = "image/webp,*/*"
ANSWER_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``retry_after_s`` is None where there is none; ``written``: a picture was made and stored for it."""

    status: int
    took_ms: float
    retry_after_s: float | None
    digest: str
    etag: str
    written: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asked for ``target``, what was answered in turn, and how long after the first question the last of it was."""

    target: str
    answers: tuple[Answer, ...]
    after_ms: float


def request_all(url: str, targets: Sequence[str], seed: int) -> list[Viewer]:
    """A viewer for each of ``targets``, paths and queries of the CDN at ``url``; all ask before any is answered."""
    return asyncio.run(_all(url, targets, Random(seed)))


async def _all(url: str, targets: Sequence[str], random: Random) -> list[Viewer]:
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers={"Accept": ACCEPT}) as session:
        return await asyncio.gather(*(_viewer(session, url, target, Random(random.random())) for target in targets))


async def _viewer(session: aiohttp.ClientSession, url: str, target: str, random: Random) -> Viewer:
    """Asks until it is no longer refused. The wait is one to two times what it was told, as clients' waits are."""
    begun_s, answers = time.perf_counter(), [await _ask(session, url + target)]
    while answers[-1].status in REFUSED and len(answers) < PATIENCE:
        told_s = answers[-1].retry_after_s
        await asyncio.sleep((UNTOLD_S if told_s is None else told_s) * (1 + random.random()))
        answers.append(await _ask(session, url + target))
    return Viewer(target, tuple(answers), (time.perf_counter() - begun_s) * 1000)


async def _ask(session: aiohttp.ClientSession, url: str) -> Answer:
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
    """What a Retry-After in seconds says; None if it says nothing, or a date, which nobody here sends."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else None

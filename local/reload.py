"""Deploying what a developer changes while the stack runs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from cloudfront_local.hosts import Hosts

from . import derivatives, source_digest
from .aws import Cloud
from .errors import StartError
from .ministack import MiniStack
from .paths import ROOT, StackPaths
from .processes import run
from .progress import Progress
from .stack_info import read_stack_info

POLL_S = 0.5
EDGE = ROOT / "functions" / "edge"
PLAN = ROOT / "layers" / "darkroom" / "darkroom" / "plan"


async def watch(
    place: StackPaths,
    cloud: Cloud,
    ministack: MiniStack,
    progress: Progress,
    live: Hosts,
    known: source_digest.Snapshot,
    deploys: Callable[[], Awaitable[bool]],
) -> None:
    """For ever: build and deploy whenever a source file has changed. A failure is told, and the old code goes on.

    ``known`` are the files as they were before the first deployment: what changed during it is deployed as well.
    ``deploys`` does it, and says whether anything was done.
    """
    while True:
        await asyncio.sleep(POLL_S)
        now = await asyncio.to_thread(source_digest.snapshot, ROOT)
        if now == known:
            continue
        now = await _settled(now)
        changes = source_digest.list_changed(known, now)
        known = now
        progress.say(f"Changed: {_named(changes)}")
        try:
            if any(path.is_relative_to(EDGE) or path.is_relative_to(PLAN) for path in changes):
                await _build_edge(place)
                known = await asyncio.to_thread(source_digest.snapshot, ROOT)
            if await deploys():
                ministack.save()
                await _show_change(place, cloud, live)
            progress.say("The change is live")
        except StartError as error:
            progress.say(f"Not deployed; what ran before goes on.\n{error}")


async def _show_change(place: StackPaths, cloud: Cloud, live: Hosts) -> None:
    """Forget what the old code has made: in the CDN and in the bucket."""
    await asyncio.to_thread(derivatives.delete_all, cloud, read_stack_info(place)["media_bucket"])
    await live.refresh()
    live.clear()


async def _settled(now: source_digest.Snapshot) -> source_digest.Snapshot:
    """The files once nothing has changed for one turn, as an editor or a checkout writes several."""
    while True:
        await asyncio.sleep(POLL_S / 2)
        later = await asyncio.to_thread(source_digest.snapshot, ROOT)
        if later == now:
            return now
        now = later


async def _build_edge(place: StackPaths) -> None:
    """Write the edge function into the template, as ``make edge`` does."""
    done = await run([sys.executable, EDGE / "build.py"], env=dict(os.environ), cwd=ROOT, log=place.logs / "edge.log")
    if done.status:
        raise StartError(f"make edge failed:\n{done.tail()}")


def _named(changes: list[Path]) -> str:
    names = [str(path.relative_to(ROOT)) for path in changes]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

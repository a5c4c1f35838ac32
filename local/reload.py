"""Deploy source changes while the stack runs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from watchfiles import Change, awatch

from cloudfront_local.hosts import Hosts

from . import configuration, derivatives, handler_update, source_digest
from .aws import Cloud
from .errors import StartError
from .ministack import MiniStack
from .paths import ROOT, StackPaths
from .processes import run
from .progress import Progress
from .stack_info import read_stack_info

SETTLE_MS = 500
"""An editor or a checkout writes several files: changes within this time are one deployment."""

EDGE = ROOT / "functions" / "edge"
PLAN = ROOT / "layers" / "darkroom" / "darkroom" / "plan"


async def watch(
    paths: StackPaths,
    cloud: Cloud,
    ministack: MiniStack,
    progress: Progress,
    live: Hosts,
    known: str,
    redeploy: Callable[[], Awaitable[bool]],
) -> None:
    """Build and deploy whenever a source file changes, until cancelled. After a failure the old code keeps running.

    ``known`` is the digest of the sources before the first deployment: what changed during it is deployed as well.
    ``redeploy`` deploys, and returns whether a deployment ran.
    """
    first = True
    async for changes in awatch(*_folders(), watch_filter=_is_source, debounce=SETTLE_MS, yield_on_timeout=True):
        if not (changes or first):
            continue
        first = False
        now = await asyncio.to_thread(source_digest.digest, ROOT)
        if now == known:
            continue
        changed = sorted({Path(path) for _, path in changes})
        progress.report(f"Changed: {_list_names(changed) or 'files during the deployment'}")
        if not changed or any(path in configuration.FILES for path in changed):
            mistakes = await _find_mistakes(paths)
            if mistakes:
                progress.report(f"{mistakes}\nNot deployed; the configuration before stays in force.")
                continue
        try:
            if not changed or any(path.is_relative_to(EDGE) or path.is_relative_to(PLAN) for path in changed):
                await _build_edge(paths)
            known = await asyncio.to_thread(source_digest.digest, ROOT)
            if await _put_in_force(paths, cloud, changed, redeploy):
                await ministack.save()
                await _show_change(paths, cloud, live)
            progress.report("The change is live")
        except StartError as error:
            progress.report(f"Not deployed; the old code keeps running.\n{error}")


async def _put_in_force(
    paths: StackPaths, cloud: Cloud, changed: Sequence[Path], redeploy: Callable[[], Awaitable[bool]]
) -> bool:
    """Update functions if only their handlers changed, else deploy the template; return whether anything was done."""
    functions = {name: one["name"] for name, one in read_stack_info(paths)["functions"].items()}
    if handlers := handler_update.list_handlers(changed):
        await asyncio.to_thread(handler_update.update, paths, cloud, functions, handlers)
        return True
    if not await redeploy():
        return False
    await asyncio.to_thread(handler_update.repeat, paths, cloud, functions)
    return True


def _folders() -> list[Path]:
    """Return what exists of the watched files and folders."""
    return [ROOT / name for name in source_digest.WATCHED if (ROOT / name).exists()]


def _is_source(_: Change, path: str) -> bool:
    return source_digest.is_source(Path(path).relative_to(ROOT))


async def _show_change(paths: StackPaths, cloud: Cloud, live: Hosts) -> None:
    """Delete what the old code rendered, in the CDN and in the bucket."""
    await asyncio.to_thread(derivatives.delete_all, cloud, read_stack_info(paths)["media_bucket"])
    await live.refresh()
    live.clear()


async def _find_mistakes(paths: StackPaths) -> str:
    """Return the mistakes in presets.toml and dialects.toml, a line each, by the code that is on disk now."""
    command = [sys.executable, "-m", "local.configuration"]
    done = await run(command, env=dict(os.environ), cwd=ROOT, log=paths.logs / "configuration.log")
    return done.tail() if done.status else ""


async def _build_edge(paths: StackPaths) -> None:
    """Write the edge function into the template, as ``make edge`` does."""
    done = await run([sys.executable, EDGE / "build.py"], env=dict(os.environ), cwd=ROOT, log=paths.logs / "edge.log")
    if done.status:
        raise StartError(f"make edge failed:\n{done.tail()}")


def _list_names(changes: list[Path]) -> str:
    names = [str(path.relative_to(ROOT)) for path in changes]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

"""Start a MiniStack for one run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from local import tool_venvs
from local.ministack import MiniStack
from local.paths import Ports, StackPaths
from local.ports import find_free_ports
from local.progress import Progress


@asynccontextmanager
async def ministack(folder: Path) -> AsyncIterator[str]:
    """Start MiniStack on a free port with its data in ``folder``, and yield its URL. Raises CannotStart."""
    await tool_venvs.ensure(Progress())
    [port] = find_free_ports(1)
    ports = Ports(cdn=0, aws=port)
    running = MiniStack(StackPaths(folder), ports)
    try:
        await running.start()
        yield ports.aws_url
    finally:
        await asyncio.shield(running.stop())

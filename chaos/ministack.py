"""Start a MiniStack for one run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import tool_venvs
from local.ministack import MiniStack
from local.paths import Ports, StackPaths
from local.ports import find_free_ports
from local.progress import Progress


@contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """Start MiniStack on a free port with its data in ``folder``, and yield its URL. Raises StartError."""
    asyncio.run(tool_venvs.ensure(Progress()))
    [port] = find_free_ports(1)
    ports = Ports(cdn=0, aws=port)
    running = MiniStack(StackPaths(folder), ports)
    try:
        asyncio.run(running.start())
        yield ports.aws_url
    finally:
        asyncio.run(running.stop())

"""MiniStacks for the tests of mutants, one for each worker."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import tool_venvs
from local.ministack import MiniStack
from local.paths import Ports, StackPaths
from local.ports import find_free_ports
from local.progress import Progress


@contextmanager
def start_ministacks(count: int) -> Iterator[list[str]]:
    """Start ``count`` MiniStacks, yield their URLs, and stop them."""
    if not count:
        yield []
        return
    asyncio.run(tool_venvs.ensure(Progress()))
    with tempfile.TemporaryDirectory(prefix="mutation-ministack-", ignore_cleanup_errors=True) as folder:
        started: list[MiniStack] = []
        urls = []
        try:
            for number in range(count):
                place = Path(folder) / str(number)
                place.mkdir()
                cdn, aws = find_free_ports(2)
                ports = Ports(cdn=cdn, aws=aws)
                started.append(MiniStack(StackPaths(place), ports))
                asyncio.run(started[-1].start())
                urls.append(ports.aws_url)
            yield urls
        finally:
            for ministack in started:
                asyncio.run(ministack.stop())

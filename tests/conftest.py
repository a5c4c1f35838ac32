"""MiniStack as a process of the test session, on a free port and with a state of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from local import venvs
from local.ministack import MiniStack
from local.place import Place, Ports
from local.progress import Progress


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def ministack_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    asyncio.run(venvs.ensure(Progress()))
    ports = Ports(cdn=free_port(), aws=free_port())
    ministack = MiniStack(Place(tmp_path_factory.mktemp("ministack")), ports)
    asyncio.run(ministack.start())
    yield ports.aws_url
    asyncio.run(ministack.stop())

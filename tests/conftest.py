"""MiniStack as a process of the test session, on a free port and with a state of its own; and boto3 at it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from local import venvs
from local.ministack import MiniStack
from local.place import Place, Ports
from local.progress import Progress
from tests.profiles import register_profiles

register_profiles()


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


@pytest.fixture(scope="session")
def aws_environment(ministack_url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": ministack_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


@pytest.fixture(scope="session")
def aws(aws_environment: dict[str, str]) -> Callable[[str], Any]:
    """A boto3 client of the named service."""

    def client(service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=aws_environment["AWS_ENDPOINT_URL"],
            region_name=aws_environment["AWS_REGION"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    return client

"""Fixtures of all tests: the image corpus, MiniStack as a process on a free port, boto3 clients of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import venvs
from local.ministack import MiniStack
from local.place import Place, Ports
from local.progress import Progress

from .corpus import CORPUS
from .profiles import register_profiles

register_profiles()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def corpus() -> Path:
    """A folder of images that break image pipelines; a test that needs it is skipped where it is absent."""
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS}")
    return CORPUS


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

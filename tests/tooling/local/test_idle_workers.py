"""Workers of functions that are not called."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from bench.processes import list_descendants, name_process
from local import tool_venvs
from local.aws import ACCESS_KEY
from local.ministack import MiniStack
from local.paths import REGION, Ports, StackPaths
from local.progress import Progress
from tests.ports import free_port
from tests.roles import create_function
from tests.waiting import wait_until_async

CODE = """
import os, time

def handler(event, context):
    time.sleep(event["seconds"])
    return os.getpid()
"""
LONGER_S = 40
"""Longer than the pause between two looks for idle workers, 30 s."""

pytestmark = pytest.mark.slow


def test_idle_workers_end_and_others_do_not(tmp_path: Path) -> None:
    asyncio.run(tool_venvs.ensure(Progress()))
    ports = Ports(cdn=free_port(), aws=free_port())
    names = list[str]()

    def client(service: str) -> Any:
        keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": ACCESS_KEY}
        return boto3.client(service, endpoint_url=ports.aws_url, region_name=REGION, **keys)  # type: ignore[call-overload]

    def invoke(name: str, seconds: int) -> int:
        answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps({"seconds": seconds}))
        return int(answer["Payload"].read())

    async def run() -> None:
        ministack = MiniStack(StackPaths(tmp_path), ports, {"LAMBDA_WARM_TTL_SECONDS": "5"})
        await ministack.start()
        names.extend(create_function(client, CODE, Timeout=100) for _ in range(2))
        idle = await asyncio.to_thread(invoke, names[0], 0)
        busy = asyncio.create_task(asyncio.to_thread(invoke, names[1], LONGER_S))
        assert name_process(idle) == names[0]
        await wait_until_async(lambda: idle not in list_descendants(ministack.pid), "the idle worker has ended")
        assert await busy in list_descendants(ministack.pid)
        assert await asyncio.to_thread(invoke, names[0], 0) != idle
        await ministack.stop()

    asyncio.run(run())

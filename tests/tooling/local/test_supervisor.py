"""Supervised servers of the local stack."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.paths import ROOT
from local.supervisor import POLL_S, ServerSpec, State, SupervisedServer
from tests.ports import free_port
from tests.waiting import wait_until, wait_until_async

SERVER = """
import http.server, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, flush=True)
class Ping(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ping).serve_forever()
"""
"""A server with a child process that does not exit by itself."""


def lives(pid: int) -> bool:
    listed = subprocess.run(["ps", "-p", str(pid), "-o", "stat="], capture_output=True, text=True, check=False).stdout
    return bool(listed.strip()) and not listed.startswith("Z")


def children(log: Path) -> list[int]:
    return [int(line.split()[1]) for line in log.read_text().splitlines() if line.startswith("child ")]


@pytest.fixture
def served(tmp_path: Path) -> ServerSpec:
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    return ServerSpec(
        "It", command, {"PATH": os.environ["PATH"]}, f"http://127.0.0.1:{port}/", tmp_path / "logs" / "it"
    )


@pytest.mark.slow
def test_a_killed_server_is_restarted_and_leaves_no_process(served: ServerSpec) -> None:
    reports: list[str] = []

    async def run() -> None:
        server = SupervisedServer(served, reports.append, pauses_s=[0.1])
        assert (server.state, server.pid) == (State.WAITING, 0)
        task = asyncio.create_task(server.run())
        await wait_until_async(lambda: server.state is State.READY, "it is ready")
        first = server.pid
        os.kill(first, signal.SIGKILL)
        await wait_until_async(
            lambda: server.pid not in (0, first) and server.state is State.READY, "it is ready again"
        )
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert server.pid == 0
        assert not lives(first)

    asyncio.run(run())
    assert [re.split(" after| \\(", line)[0] for line in reports] == ["It is ready", "It exited", "It is ready"]
    started = children(served.log)
    assert len(started) == 2
    wait_until(lambda: not any(map(lives, started)), "both have ended")


@pytest.mark.slow
def test_a_server_without_calls_rests_until_the_next(served: ServerSpec) -> None:
    reports: list[str] = []

    async def run() -> None:
        server = SupervisedServer(served, reports.append, rest_after_s=0.5)
        task = asyncio.create_task(server.run())
        await wait_until_async(lambda: server.state is State.READY, "it is ready")
        first = server.pid
        async with server.call():
            await asyncio.sleep(1.5)
            assert server.pid == first, "it is in use"
        await wait_until_async(lambda: server.state is State.RESTING and not lives(first), "it rests")
        assert server.pid == 0
        await wait_until_async(lambda: not any(map(lives, children(served.log))), "it has left no process")
        async with server.call(), server.call():
            assert server.state is State.READY
            assert lives(server.pid)
        await wait_until_async(lambda: server.state is State.RESTING, "it rests again")
        server.wake()
        await wait_until_async(lambda: server.state is State.READY, "it is ready")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert all("is ready" in line for line in reports), "no failure"
    assert len(reports) == 3


@pytest.mark.slow
def test_calls_of_a_server_that_does_not_wake_go_on(served: ServerSpec, tmp_path: Path) -> None:
    once = f"import os\nif os.path.exists({str(tmp_path / 'started')!r}): raise SystemExit(3)\n"
    once += f"open({str(tmp_path / 'started')!r}, 'w').close()\n{SERVER}"
    command = [*served.command[:2], once, *served.command[3:]]

    async def run() -> None:
        server = SupervisedServer(replace(served, command=command), lambda _: None, [60.0], rest_after_s=0.1)
        task = asyncio.create_task(server.run())
        await wait_until_async(lambda: server.state is State.RESTING, "it rests")
        async with server.call():
            assert (server.state, server.pid) == (State.DOWN, 0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_restarts_are_delayed_increasingly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ServerSpec(
        "It", [sys.executable, "-c", "raise SystemExit(3)"], {}, "http://127.0.0.1:9/", tmp_path / "log"
    )
    reports: list[str] = []
    pauses_s: list[float] = []

    async def sleep(seconds: float) -> None:
        if seconds != POLL_S:
            pauses_s.append(seconds)
        await asyncio.sleep(0.01)

    async def run() -> None:
        server = SupervisedServer(broken, reports.append, pauses_s=[0.1, 1.0])
        monkeypatch.setattr("local.supervisor.asyncio", SimpleNamespace(sleep=sleep, to_thread=asyncio.to_thread))
        task = asyncio.create_task(server.run())
        await wait_until_async(lambda: len(pauses_s) == 3, "it is tried a third time")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert all("status 3" in text for text in reports)
    assert pauses_s[:3] == [0.1, 1.0, 1.0]


def test_a_server_stops_with_its_parent(tmp_path: Path) -> None:
    """The parent is killed, without time for a cleanup."""
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-P", str(ROOT / "local" / "parent_death.py"), sys.executable, "-c", SERVER, str(port)]
    starter = (
        "import subprocess, sys, time\n"
        "log = open(sys.argv[1], 'wb')\n"
        "it = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)\n"
        "print(it.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter, str(log), *command], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        wait_until(lambda: log.exists() and children(log), "it has a child")
        [child] = children(log)
        assert lives(pid)
        assert lives(child)
        process.kill()
    wait_until(lambda: not lives(pid) and not lives(child), "both have ended")

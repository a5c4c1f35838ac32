"""Servers that the local stack keeps alive, and that end with it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from local.kept import KeptServer, Served, State
from local.place import ROOT
from tests.conftest import free_port

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
"""A server with a child of its own, which does not end by itself."""


def lives(pid: int) -> bool:
    listed = subprocess.run(["ps", "-p", str(pid), "-o", "stat="], capture_output=True, text=True, check=False).stdout
    return bool(listed.strip()) and not listed.startswith("Z")


def within(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.05)
    return True


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.05)


def children(log: Path) -> list[int]:
    return [int(line.split()[1]) for line in log.read_text().splitlines() if line.startswith("child ")]


@pytest.fixture
def served(tmp_path: Path) -> Served:
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    return Served("It", command, {"PATH": os.environ["PATH"]}, f"http://127.0.0.1:{port}/", tmp_path / "logs" / "it")


def test_it_is_started_again_after_it_was_killed_and_leaves_nothing_behind(served: Served) -> None:
    said: list[str] = []

    async def run() -> None:
        server = KeptServer(served, said.append, pauses_s=[0.1])
        assert (server.state, server.pid) == (State.WAITING, 0)
        task = asyncio.create_task(server.keep())
        await until(lambda: server.state is State.READY)
        first = server.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: server.state is State.DOWN)
        await until(lambda: server.state is State.READY)
        assert server.pid not in (0, first)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert server.pid == 0
        assert not lives(first)

    asyncio.run(run())
    assert [line.split(",")[0].split(" (")[0] for line in said] == ["It is ready", "It has ended", "It is ready"]
    started = children(served.log)
    assert len(started) == 2
    assert within(lambda: not any(map(lives, started)))


def test_a_server_that_cannot_start_is_tried_at_growing_intervals(tmp_path: Path) -> None:
    broken = Served("It", [sys.executable, "-c", "raise SystemExit(3)"], {}, "http://127.0.0.1:9/", tmp_path / "log")
    said: list[tuple[float, str]] = []

    async def run() -> None:
        server = KeptServer(broken, lambda text: said.append((time.monotonic(), text)), pauses_s=[0.1, 1.0])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(server.keep(), 4)

    asyncio.run(run())
    assert len(said) >= 3
    assert all("status 3" in text for _, text in said)
    first, second = (later - before for (before, _), (later, _) in pairwise(said[:3]))
    assert first < second


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """By force: the stack has no time to tidy up."""
    port, log = free_port(), tmp_path / "log"
    tethered = [sys.executable, "-P", str(ROOT / "local" / "tethered.py"), sys.executable, "-c", SERVER, str(port)]
    starter = (
        "import subprocess, sys, time\n"
        "log = open(sys.argv[1], 'wb')\n"
        "it = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)\n"
        "print(it.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter, str(log), *tethered], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert within(lambda: log.exists() and bool(children(log)))
        [child] = children(log)
        assert lives(pid)
        assert lives(child)
        process.kill()
    assert within(lambda: not lives(pid) and not lives(child))

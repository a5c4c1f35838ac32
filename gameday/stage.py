"""The stack that is rehearsed on: one of its own, on free ports, ended when the rehearsal is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.place import ROOT
from local.ports import free_ports

from .waiting import until
from .world import World

STARTS_WITHIN_S = 600.0
STOPS_WITHIN_S = 120.0
READY_WITHIN_S = 600.0
"""Of the endpoint: its packages are installed and its models fetched once, which takes minutes."""


class NoStage(Exception):
    """The stack did not start."""


@contextmanager
def open_stage(state: Path) -> Iterator[World]:
    """A running stack with its endpoint ready. Raises NoStage."""
    state.mkdir(parents=True, exist_ok=True)
    cdn, aws = free_ports(2)
    ports = ["--port", str(cdn), "--aws-port", str(aws)]
    command = [sys.executable, "-m", "local", "up", "--state-dir", str(state), *ports, "--no-watch"]
    with (state / "output.log").open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=dict(os.environ))
    try:
        world = World(_facts(process, state))
        until(lambda: world.endpoint_state() == "ready", "the endpoint is ready", READY_WITHIN_S)
        yield world
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()


def running(state: Path) -> World:
    """The stack that runs in ``state`` already. Raises NoStage."""
    try:
        return World(json.loads((state / "stack.json").read_text()))
    except FileNotFoundError:
        raise NoStage(f"No stack runs in {state}") from None


def _facts(process: subprocess.Popen[bytes], state: Path) -> dict[str, object]:
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    facts = state / "stack.json"
    while not facts.exists():
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise NoStage(f"The stack did not start:\n{(state / 'output.log').read_text()[-2000:]}")
        time.sleep(0.2)
    return dict(json.loads(facts.read_text()))

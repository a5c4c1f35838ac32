"""When a stack beside others counts as started, and when as hanging."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import isolated_stack
from local.isolated_stack import HANGS_AFTER_S, LOG, StackError
from local.paths import StackPaths

SLEEP_S = HANGS_AFTER_S * 0.6


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running


class Clock:
    """The time of the module, which passes by its sleeps alone; each sleep does what the stack would do meanwhile."""

    def __init__(self, act: Callable[[int], None]) -> None:
        self.sleeps, self._act = 0, act

    def monotonic(self) -> float:
        return self.sleeps * SLEEP_S

    def sleep(self, _: float) -> None:
        self.sleeps += 1
        self._act(self.sleeps)


def test_a_start_that_writes_each_step_may_take_long_and_a_silent_one_hangs(
    process: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, steps = tmp_path / LOG, 5
    log.touch()

    def write(sleeps: int) -> None:
        with log.open("a") as output:
            output.write("Deploying ...\n")
        if sleeps == steps:
            StackPaths(tmp_path).stack_info.write_text(json.dumps({"pids": {"stack": process.pid}}))

    monkeypatch.setattr(isolated_stack, "time", Clock(write))
    assert isolated_stack._wait_for_info(process, tmp_path)["pids"] == {"stack": process.pid}
    StackPaths(tmp_path).stack_info.unlink()
    silent = Clock(lambda _: None)
    monkeypatch.setattr(isolated_stack, "time", silent)
    with pytest.raises(StackError, match="did not start:\nDeploying"):
        isolated_stack._wait_for_info(process, tmp_path)
    assert silent.sleeps == 2

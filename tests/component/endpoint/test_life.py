"""Start, shutdown and failures of the server."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.images.photographs import jpeg_photo
from tests.ports import free_port
from tests.waiting import HANG_S

from .serving import STOP_S, serving, start


def children_of(process_id: int) -> list[int]:
    text = Path(f"/proc/{process_id}/task/{process_id}/children").read_text()
    return [int(child) for child in text.split()]


def alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_a_termination_ends_all_of_it(environment: None, small: Path, tmp_path: Path) -> None:
    with serving(small, tmp_path) as server:
        family = children_of(server.process.pid)
        assert len(family) >= 3
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(STOP_S) == 0
        assert [child for child in family if alive(child)] == []
        assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_it_does_not_outlive_its_worker(environment: None, small: Path, tmp_path: Path) -> None:
    """A dead server is noticed, so that it can be restarted."""
    with serving(small, tmp_path) as server:
        [worker] = [child for child in children_of(server.process.pid) if b"spawn_main" in _command(child)]
        os.kill(worker, signal.SIGKILL)
        assert server.process.wait(STOP_S) != 0


@pytest.mark.slow
def test_batches_can_be_switched_off(environment: None, small: Path, tmp_path: Path) -> None:
    with serving(small, tmp_path, BATCH_SIZE="1", BATCH_WAIT_MS="500") as server:
        replies = server.invoke_all([(jpeg_photo(), "similarity")] * 4)
        assert [(reply.status, reply.batch) for reply in replies] == [(200, 1)] * 4


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["sscd.onnx", "models.toml"])
def test_it_does_not_start_without_its_models(environment: None, small: Path, missing: str) -> None:
    (small / missing).unlink()
    process = start(small, subprocess.PIPE, PORT=str(free_port()))
    out, _ = process.communicate(timeout=HANG_S)
    assert process.returncode != 0
    assert b"no " in out or b"No such file" in out or b"doesn't exist" in out


def _command(process_id: int) -> bytes:
    return Path(f"/proc/{process_id}/cmdline").read_bytes()

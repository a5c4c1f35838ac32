"""Tests of the suite that measures the local stack at rest."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.processes import name_process, read_memory_mb, read_parent, read_shared_memory_mb
from bench.suites.local import format_disk, format_table, measure_disk_bytes, move_ended, read_tree

BUSY_MS = 200
BUSY = f"import time\nwhile time.process_time() < {BUSY_MS / 1000}: pass"


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that ends when its input does. Until exec, a child has the name and memory of this process."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b"started\n")
        running.stdin.flush()
        running.stdout.readline()
        yield running
        running.stdin.close()


def test_the_tree_has_every_descendant() -> None:
    shell = ["sh", "-c", "sh -c 'echo $$; read x; :'; :"]
    with subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin
        assert running.stdout
        grandchild = int(running.stdout.readline())
        assert set(read_tree(running.pid)) == {running.pid, grandchild}
        assert set(read_tree(os.getpid())) >= {os.getpid(), running.pid, grandchild}
        running.stdin.close()


def test_time_of_children_that_have_ended_counts() -> None:
    before = read_tree(os.getpid())[os.getpid()]
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert read_tree(os.getpid())[os.getpid()] - before >= BUSY_MS / 2


def test_time_before_of_an_ended_process_is_its_parents() -> None:
    """The shell's row does not get what its child took before, which the kernel adds to the shell's at its end."""
    before, parents = {1: 10.0, 2: 100.0, 3: 1_000.0}, {1: 0, 2: 1, 3: 2}
    assert move_ended(before, parents, {1, 2, 3}) == before
    assert move_ended(before, parents, {1, 2, 9}) == {1: 10.0, 2: 1_100.0}
    assert move_ended(before, parents, {1}) == {1: 1_110.0}
    assert read_parent(os.getpid()) == os.getppid()


def test_memory_is_at_most_what_is_resident(process: subprocess.Popen[bytes]) -> None:
    assert 0 < read_shared_memory_mb(process.pid) <= read_memory_mb(process.pid, "VmRSS")
    assert name_process(process.pid) == "cat"


def test_functions_are_named_by_their_environment() -> None:
    environment = os.environ | {"AWS_LAMBDA_FUNCTION_NAME": "darkroom-monitor"}
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b"started\n")
        running.stdin.flush()
        running.stdout.readline()  # until exec, a child has the environment of this process
        assert name_process(running.pid) == "darkroom-monitor"
        running.stdin.close()


def test_hard_links_count_once(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    (first / "wheel").write_bytes(bytes(1_000_000))
    alone = measure_disk_bytes([first])
    (second / "wheel").hardlink_to(first / "wheel")
    assert 1_000_000 <= alone <= measure_disk_bytes([first, second]) < 1_500_000


def test_the_largest_part_of_the_disk_space_is_first() -> None:
    table = format_disk({"small": 19.0, "large": 20.0, "largest": 300.4})
    assert table.rows == [("`largest`", "300"), ("`large`", "20")]


def test_the_table_has_the_difference_and_a_sum() -> None:
    me = os.getpid()
    table = format_table({me: 1_000.0}, {me: 2_500.0}, {me: 100.0}, 60.0)
    assert [row[1:] for row in table.rows] == [("100", "2.50"), ("100", "2.50")]

"""tests/stack/isolated/test_guide.py runs every block of docs/getting-started/deploy.md, less the lines that
tests/guide.py lists."""

from __future__ import annotations

import pytest

from tests.guide import DEVIATIONS, in_order, read_blocks, variables

BLOCKS = read_blocks()


def test_blocks_are_found() -> None:
    assert len(BLOCKS) >= 12
    assert {"secret", "new", "stack", "names"} <= variables(BLOCKS)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_no_block_is_lost(machine: str) -> None:
    assert sorted(in_order(BLOCKS, machine)) == sorted(BLOCKS)


@pytest.mark.parametrize("line", DEVIATIONS)
def test_each_deviation_is_a_line_of_the_guide(line: str) -> None:
    assert [found.startswith(line) for block in BLOCKS for found in block.splitlines()].count(True) == 1
    assert DEVIATIONS[line].reason

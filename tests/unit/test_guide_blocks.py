"""tests/stack/isolated/test_guide.py runs every block of docs/getting-started/deploy.md, less the lines that
tests/guide.py lists."""

from __future__ import annotations

import pytest

from local.paths import ROOT
from tests.guide import DEVIATIONS, in_order, read_blocks, variables

BLOCKS = read_blocks()


def test_blocks_are_found() -> None:
    assert len(BLOCKS) >= 12
    assert {"secret", "new"} <= variables(BLOCKS)


def read_console(path: str, heading: str) -> list[str]:
    """The lines of the first console block below a heading."""
    text = (ROOT / path).read_text(encoding="utf-8")
    section = text[text.index(heading) :]
    return section[section.index("```console\n") + len("```console\n") :].partition("```")[0].splitlines()


def test_the_readme_installs_by_the_commands_of_its_page() -> None:
    commands = read_console("README.md", "## Deploy to AWS")
    assert commands == read_console("docs/getting-started/install.md", "# Install a release")
    assert commands[-1].startswith("darkroom install ./darkroom-")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_no_block_is_lost(machine: str) -> None:
    assert sorted(in_order(BLOCKS, machine)) == sorted(BLOCKS)


@pytest.mark.parametrize("line", DEVIATIONS)
def test_each_deviation_is_a_line_of_the_guide(line: str) -> None:
    assert [found.startswith(line) for block in BLOCKS for found in block.splitlines()].count(True) == 1
    assert DEVIATIONS[line].reason

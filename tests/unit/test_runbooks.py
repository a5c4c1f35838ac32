"""Runbooks are of one form, so that a hurried reader knows where to look; their commands run in other tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "runbooks"
TESTS = FOLDER.parents[1] / "tests"
RUN = "".join(
    (TESTS / name).read_text(encoding="utf-8") for name in ("e2e/test_operating.py", "services/infer/test_runbook.py")
)
PAGES = sorted(FOLDER.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_runbook_has_its_four_parts(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Symptom", "First commands", "Fix", "How to be sure"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_commands_is_run(page: Path) -> None:
    blocks = len(re.findall(r"^```sh$", page.read_text(encoding="utf-8"), re.MULTILINE))
    calls = re.findall(rf'follow\("{re.escape(page.name)}"((?:, \d+)*)\)', RUN)
    assert {0, *(int(number) for call in calls for number in re.findall(r"\d+", call))} == set(range(blocks))

"""Runbooks share one structure; other tests run their commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from observability.alarm import CompositeAlarm, MetricAlarm
from observability.alarms import ALARMS, COMPOSITES

FOLDER = Path(__file__).parents[2] / "docs" / "guides" / "runbooks"
TESTS = Path(__file__).parents[1]
RUN = "".join(
    (TESTS / name).read_text(encoding="utf-8")
    for name in (
        "stack/test_operating.py",
        "stack/test_runbooks.py",
        "stack/test_operating_guide.py",
        "stack/isolated/test_inference.py",
        "component/services/inference/test_runbook.py",
    )
)
PAGES = sorted(FOLDER.glob("*.md"))
GUIDE = [FOLDER.parent / "operations" / f"{name}.md" for name in ("playbooks", "routines", "postmortem")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_runbook_has_its_four_parts(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Symptom", "First commands", "Fix", "How to be sure"]


@pytest.mark.parametrize("page", [*PAGES, *GUIDE], ids=lambda page: page.name)
def test_every_block_of_commands_is_run(page: Path) -> None:
    blocks = len(re.findall(r"^```sh$", page.read_text(encoding="utf-8"), re.MULTILINE))
    name = re.escape(page.relative_to(FOLDER, walk_up=True).as_posix())
    calls = re.findall(rf'(?:follow|run_blocks)\("{name}"((?:, \d+)*)\)', RUN)
    assert {0, *(int(number) for call in calls for number in re.findall(r"\d+", call))} == set(range(blocks))


BY_ITSELF = [alarm for alarm in (*ALARMS, *COMPOSITES) if alarm not in ALARMS or alarm.action]
"""All but the windows of composites: those are looked up by their composite's name."""


@pytest.mark.parametrize("alarm", BY_ITSELF, ids=lambda alarm: alarm.name)
def test_an_alarm_is_a_symptom_in_its_runbook(alarm: MetricAlarm | CompositeAlarm) -> None:
    page = (FOLDER / f"{alarm.runbook}.md").read_text(encoding="utf-8")
    symptom = page.partition("## Symptom")[2].partition("## First commands")[0]
    assert f"`darkroom-{alarm.name}`" in symptom


def test_every_window_has_a_runbook() -> None:
    assert {f"{alarm.runbook}.md" for alarm in (*ALARMS, *COMPOSITES)} <= {page.name for page in PAGES}

"""Every alarm that needs one has an owner, and the operating guide lists them."""

from __future__ import annotations

from collections import Counter

import pytest

from darkroom.slo import SLOS
from observability.alarms import ALARMS, COMPOSITES
from observability.owners import BEGIN, END, MODELS, OWNERS, find_owner, insert_owners, owned, owners_table
from tests.unit.test_docs import ROOT

GUIDE = ROOT / "docs" / "guides" / "operations" / "README.md"


def test_every_alarm_has_one_owner() -> None:
    """One of observability/owners.py: alarms that notify, with the groups of objectives."""
    counted = Counter(name for names in OWNERS.values() for name in names)
    assert counted == Counter(owned().keys())
    assert {one.name for one in ALARMS if one.action} | {one.group for one in SLOS} <= counted.keys()
    assert {one.name for one in COMPOSITES} <= counted.keys()


def test_alarms_of_models_belong_to_the_model_owner_and_no_others_do() -> None:
    assert {name for name, alarm in owned().items() if alarm.action == "model"} == set(OWNERS[MODELS])
    assert find_owner("drift") == MODELS


def test_each_owner_is_described_in_the_guide() -> None:
    roles = {line.split("|")[1].strip() for line in GUIDE.read_text().splitlines() if line.startswith("| ")}
    assert set(OWNERS) <= roles


def test_the_guide_is_as_generated() -> None:
    page = GUIDE.read_text(encoding="utf-8")
    assert insert_owners(page) == page, "run `make alarms`"
    assert sum(line.startswith("| ") for line in owners_table().splitlines()) == len(owned()) + 2


@pytest.mark.parametrize("page", ["", BEGIN, BEGIN + BEGIN + END, BEGIN + END + END])
def test_a_page_without_its_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="unpack"):
        insert_owners(page)

"""Tests that what users rely on changes with an entry in the changelog only."""

from __future__ import annotations

import json

import pytest

from extensions import Extension, list_extensions
from tools.public_surfaces import CHANGELOG, Surface, find_record, list_unexplained, read_surfaces

OWNERS = [None, *list_extensions()]


def read_record(owner: Extension | None) -> dict[str, Surface]:
    """The surfaces of the last release."""
    record: dict[str, Surface] = json.loads(find_record(owner).read_text(encoding="utf-8"))
    return record


@pytest.mark.parametrize("owner", OWNERS, ids=lambda one: one.name if one else "first stack")
def test_every_change_since_the_last_release_has_an_entry_in_the_changelog(owner: Extension | None) -> None:
    changelog = CHANGELOG.read_text(encoding="utf-8")
    unexplained = list(list_unexplained(read_record(owner), read_surfaces(owner), changelog))
    assert unexplained == [], "name them as code in the section [Unreleased]"


def test_every_surface_is_recorded() -> None:
    record = read_record(None)
    assert record.keys() == read_surfaces().keys()
    assert all(len(surface) > 5 for surface in record.values())
    for owner in list_extensions():
        assert read_record(owner).keys() == read_surfaces(owner).keys()
        assert read_record(owner)["parameters"]


OLD: dict[str, Surface] = {"parameters": {"Arch": {"Default": "arm64"}, "Alarms": {}}, "signatures": {"/a?s=1": {}}}


@pytest.mark.parametrize(
    ("new", "entry", "found"),
    [
        (OLD, "", []),
        ({**OLD, "parameters": {"Arch": {"Default": "x86_64"}, "Alarms": {}}}, "", ["parameters: Arch has changed"]),
        ({**OLD, "parameters": {"Arch": {"Default": "arm64"}}}, "", ["parameters: Alarms is gone"]),
        ({**OLD, "parameters": {"Arch": {"Default": "arm64"}}}, "- `Alarms=all` is gone.", []),
        ({**OLD, "parameters": {"Arch": {"Default": "arm64"}}}, "- Alarms: `MyAlarms`", ["parameters: Alarms is gone"]),
        ({**OLD, "events": {"ImageReady": {}}}, "", ["events: ImageReady is new"]),
        ({**OLD, "signatures": {"/a?s=1": {}, "/b?s=2": {}}}, "", []),
        ({**OLD, "signatures": {"/a?s=2": {}}}, "", ["signatures: /a?s=1 is gone"]),
    ],
)
def test_a_difference_is_explained_by_its_name_in_code(new: dict[str, Surface], entry: str, found: list[str]) -> None:
    changelog = f"# Changelog\n\n## [Unreleased]\n\n{entry}\n\n## [0.1.0]\n\n- `Arch`, `Alarms`, `ImageReady`\n"
    assert list(list_unexplained(OLD, new, changelog)) == found

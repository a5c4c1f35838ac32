"""Tests of the version of a checkout, and of the files that name it."""

from __future__ import annotations

import re
import subprocess
from datetime import date

import pytest

from darkroom import VERSION
from tools.release.cut import ROOT, VERSIONED, close_changelog, replace_version
from tools.release.notes import NoNotes, find_last_release


@pytest.mark.parametrize("name", VERSIONED)
def test_files_name_the_version_of_the_checkout(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    changed = replace_version(text, VERSION, "9.9.9", VERSIONED[name])
    assert changed != text
    assert replace_version(changed, "9.9.9", VERSION, VERSIONED[name]) == text


def test_no_other_file_names_a_release_by_its_version() -> None:
    command = ["git", "grep", "-lE", r"darkroom-[0-9]+\.[0-9]+\.[0-9]+", ":!tests"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(listed.split()) <= VERSIONED.keys()


def test_the_changelog_ends_with_the_version_of_the_checkout() -> None:
    assert find_last_release((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))[0] == VERSION


def test_a_version_within_a_longer_one_is_kept() -> None:
    assert replace_version("1.2.3, 11.2.3, 1.2.34, 1.2.3.4, x-1.2.3.\n1.2.3\n", "1.2.3", "2.0.0", 1) == (
        "2.0.0, 11.2.3, 1.2.34, 1.2.3.4, x-2.0.0.\n1.2.3\n"
    )


CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A feature.\n\n## [1.0.0] - 2026-12-02\n\n- All.\n"


def test_the_changelog_is_closed() -> None:
    closed = close_changelog(CHANGELOG, "1.1.0", date(2027, 1, 5))
    assert re.findall("^## .*$", closed, re.MULTILINE) == [
        "## [Unreleased]",
        "## [1.1.0] - 2027-01-05",
        "## [1.0.0] - 2026-12-02",
    ]
    assert find_last_release(closed) == ("1.1.0", "2027-01-05")
    with pytest.raises(NoNotes):
        close_changelog(closed, "1.1.1", date(2027, 1, 6))

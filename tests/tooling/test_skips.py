"""Tests of privacy, redaction and faces run in every clone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.paths import ROOT

CASES = """
import pytest

@pytest.fixture
def absent():
    pytest.skip("no corpus")

@pytest.mark.never_skips
def test_by_a_fixture(absent): ...

@pytest.mark.never_skips
def test_by_itself():
    pytest.skip("no image")

@pytest.mark.never_skips
@pytest.mark.skipif(True, reason="no exiftool")
def test_without_a_program(): ...

def test_of_another_subject(absent): ...
"""


@pytest.mark.slow
def test_a_skip_is_a_failure_where_the_mark_forbids_it(tmp_path: Path) -> None:
    (tmp_path / "test_cases.py").write_text(CASES, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.skips", "-p", "no:cacheprovider", "--strict-markers"]
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", "-c", "/dev/null", "-rfE", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "1 failed, 2 skipped, 1 error" in done.stdout
    assert "test_by_itself must not skip" in done.stdout
    assert "test_by_a_fixture must not skip" in done.stdout

"""Tests of the marker that leaves most cases of a test to `make test-all`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.paths import ROOT

COLOURS = ("red", "green", "blue")
CASES = f"""
import pytest

@pytest.mark.sample(2)
@pytest.mark.parametrize("colour", {COLOURS})
@pytest.mark.parametrize("size", [1, 2])
def test_of_many(size, colour): ...

@pytest.mark.parametrize("size", [1, 2])
def test_of_few(size): ...
"""


@pytest.mark.parametrize(
    ("options", "cases"),
    [
        (("-m", "not slow"), ["many[1-red]", "many[1-blue]", "many[2-green]", "few[1]", "few[2]"]),
        (
            (),
            [*(f"many[{size}-{colour}]" for size in (1, 2) for colour in ("red", "green", "blue")), "few[1]", "few[2]"],
        ),
    ],
)
def test_one_case_in_n_is_not_slow(tmp_path: Path, options: tuple[str, ...], cases: list[str]) -> None:
    (tmp_path / "test_cases.py").write_text(CASES, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.sampling", "-p", "no:cacheprovider", "--strict-markers"]
    done = subprocess.run(
        [*command, "--collect-only", "-q", *options, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = [line.partition("::test_of_")[2] for line in done.stdout.splitlines() if "::" in line]
    assert found == cases

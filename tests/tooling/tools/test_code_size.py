"""Tests of line counts and import cycles; the project has none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.paths import ROOT
from tools.code_size import DISTRIBUTIONS, TOOLING, Size, find_cycles, measure_file

SOURCE = '''"""Module
docstring."""

# a comment
LIMIT = 3
"""Attribute docstring."""


def double(value: int) -> int:
    """Double it."""
    return 2 * value  # trailing
'''


def test_docstrings_comments_and_blank_lines_are_not_code() -> None:
    assert measure_file(SOURCE) == Size(files=1, lines=11, code=3)


def test_a_cycle_is_found_also_through_an_import_inside_a_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "circular"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("from circular import two\n")
    (package / "two.py").write_text("def late():\n    import circular.three\n")
    (package / "three.py").write_text("import circular.one\n")
    (package / "apart.py").write_text("import circular.one\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_cycles("circular") == [["circular.one", "circular.three", "circular.two"]]


@pytest.mark.parametrize(
    "statement",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from circular.pages.one import Page\n",
        "from importlib import import_module\nimport_module('circular.pages.one')\n",
        "import importlib\nimportlib.import_module('.pages.one', __package__)\n",
        "from importlib import import_module\n\n\ndef load(name):\n    import_module(f'.pages.{name}', __package__)\n",
    ],
)
def test_imports_in_strings_and_for_type_checks_count(
    statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = tmp_path / "circular" / "pages"
    pages.mkdir(parents=True)
    for folder in (pages.parent, pages):
        (folder / "__init__.py").write_text("")
    (pages.parent / "loading.py").write_text(statement)
    (pages / "one.py").write_text("import circular.loading\n\nclass Page: ...\n")
    (pages / "two.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "circular", raising=False)
    assert find_cycles("circular") == [["circular.loading", "circular.pages.one"]]


def test_the_project_has_no_import_cycle() -> None:
    assert find_cycles(*DISTRIBUTIONS, *TOOLING) == []


@pytest.mark.slow
def test_a_closed_pipe_is_no_error() -> None:
    """As in ``python -m tools.code_size | head``."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "tools.code_size"]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.stderr == ""

"""Extensions: files that describe them, and a copy of the project without one of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from extensions import ExtensionError, find_extension, list_extensions, read_extension
from local.paths import ROOT

NAMES = [one.name for one in list_extensions()]
QUICK = NAMES[sum(Path(ROOT / "pyproject.toml").read_bytes()) % len(NAMES)] if NAMES else ""
"""The one that `make test` removes. It changes with the project's file."""

HISTORY = ("CHANGELOG.md",)
MAKE = ("make", "--old-file=.venv/.ready")
"""The environment is that of this checkout, whatever the times of the copied files are."""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title = 'A'", "missing"),
        ("title = ", "Invalid value"),
        ("title = 'A'\nsummary = ''\nup = ''\nwork = ''\ncolour = 'red'", "colour"),
        ("title = 'A'\nsummary = ''\nup = ''\nwork = ''\n[[queues]]\nage = 1", "age"),
    ],
)
def test_a_file_with_a_mistake_is_named(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "colours" / "extension.toml"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(ExtensionError, match=f"(?s)colours/extension.toml.*{problem}"):
        read_extension(file)


def test_an_extension_is_found_by_its_name_and_its_flag() -> None:
    for one in list_extensions():
        assert find_extension(one.name) == find_extension(one.flag) == one
        assert one.template.is_file()
        assert (ROOT / one.guide).is_file()


def test_the_example_of_the_how_to_page_is_one_as_printed(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "howto" / "extension.md").read_text(encoding="utf-8")
    files = re.findall(r"^```\w+\n# (extensions/counter/\S+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    for name, text in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = read_extension(tmp_path / "extensions" / "counter" / "extension.toml")
    assert [one.logical_id for one in found.functions] == ["CounterFunction"]
    required = {f"extensions/counter/{name}" for name in ("__init__.py", "smoke.py", "stack.yaml")}
    assert required < {name for name, _ in files}
    modules = {
        name for _, text in files for name in re.findall(r"^from ((?:cli|tools)[\w.]*) import", text, re.MULTILINE)
    }
    assert [name for name in sorted(modules) if find_spec(name) is None] == []
    assert f"The guide, `{found.guide}`:" in page
    command = [sys.executable, "-m", "ruff", "check", "--config", ROOT / "pyproject.toml", tmp_path]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def copy_without(name: str, folder: Path) -> Path:
    """A copy of the files of the project, with its environment, from which one extension was removed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for path in listed.stdout.decode().split("\0"):
        if path and os.path.lexists(ROOT / path):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / path, follow_symlinks=False)
    for path in (".venv", ".local"):
        (folder / path).symlink_to(ROOT / path)
    shutil.rmtree(folder / "extensions" / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    return folder


def run(folder: Path, *command: str) -> str:
    """Output of a command in the copy, which must succeed."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=folder, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def check_removal(name: str, folder: Path) -> None:
    copy = copy_without(name, folder)
    run(copy, *MAKE, "alarms", "docs")
    found = subprocess.run(["git", "grep", "-il", name], cwd=copy, capture_output=True, text=True, check=False)
    named = subprocess.run(["git", "ls-files", f"*{name}*"], cwd=copy, capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) | set(named.stdout.split()) <= set(HISTORY)
    run(copy, sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-p", "no:cacheprovider")


@pytest.mark.skipif(not NAMES, reason="there is no extension")
def test_nothing_else_names_an_extension(tmp_path: Path) -> None:
    check_removal(QUICK, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_everything_works_without_an_extension(name: str, tmp_path: Path) -> None:
    check_removal(name, tmp_path)
    run(tmp_path, *MAKE, "lint", "site", "test-fast")

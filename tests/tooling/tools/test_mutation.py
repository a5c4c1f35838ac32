"""Tests of mutants, the selection of their tests, and the score."""

from __future__ import annotations

import ast
import importlib
import py_compile
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from tools.mutation.javascript import list_javascript_mutants, mutate_javascript
from tools.mutation.loading import install
from tools.mutation.mutants import (
    Mutant,
    find_changed_lines,
    list_python_mutants,
    mutate_python,
    sample_mutants,
)
from tools.mutation.packages import PACKAGES, ROOT
from tools.mutation.recording import Recording
from tools.mutation.report import Equivalent, Outcome, format_report, read_equivalents
from tools.mutation.selection import ENOUGH_TESTS, find_covering, find_names, find_statement, order_tests

SOURCE = """\
from typing import Final

LIMIT: Final[int | None] = 3


def add(left: int | str, right: int) -> int | None:
    return left + right if right > 0 else None


def double(value: int) -> int:
    return value * LIMIT
"""


def test_annotations_are_not_mutated() -> None:
    mutants = list_python_mutants("m.py", SOURCE)
    assert {mutant.line for mutant in mutants} == {3, 7, 11}
    assert not [mutant for mutant in mutants if "BitOr" in mutant.operator.partition("_")[2].partition("_")[0]]


def test_protocols_are_not_mutated() -> None:
    source = "class Kind(Protocol):\n    @property\n    def size(self) -> int:\n        return 1\n"
    assert list_python_mutants("m.py", source) == []
    assert {mutant.line for mutant in list_python_mutants("m.py", source.replace("Protocol", "Base"))} == {2, 4}


def test_every_python_mutant_changes_its_line() -> None:
    for mutant in list_python_mutants("m.py", SOURCE):
        mutated = mutate_python(SOURCE, mutant)
        assert mutated is not None, mutant
        before, after = find_changed_lines(SOURCE, mutated, mutant.line)
        assert before == SOURCE.splitlines()[mutant.line - 1].strip() != after


def test_a_removed_decorator_leaves_no_line() -> None:
    source = "import functools\n\n\n@functools.cache\ndef f():\n    return 1\n"
    (mutant,) = [mutant for mutant in list_python_mutants("m.py", source) if mutant.operator == "RemoveDecorator"]
    mutated = mutate_python(source, mutant)
    assert mutated is not None
    assert find_changed_lines(source, mutated, mutant.line) == ("@functools.cache", "")


def test_identity_is_not_exchanged_for_equality() -> None:
    source = "if a == b:\n    c()\n"
    mutated = {mutate_python(source, mutant) for mutant in list_python_mutants("m.py", source)}
    assert "if a is b:\n    c()\n" not in mutated
    assert "if a != b:\n    c()\n" in mutated


def test_a_mutant_that_is_not_python_is_dropped() -> None:
    source = "def f(a, *, b):\n    return a\n"
    star = [mutant for mutant in list_python_mutants("m.py", source) if "Mul_Add" in mutant.operator]
    assert [mutate_python(source, mutant) for mutant in star] in ([], [None])


def test_a_seed_repeats_the_sample() -> None:
    mutants = list_python_mutants("m.py", SOURCE)
    drawn = list(sample_mutants(mutants, 7))
    assert drawn == list(sample_mutants(mutants, 7)) != list(sample_mutants(mutants, 8))
    assert sorted(drawn, key=str) == sorted(mutants, key=str)
    positions = {(mutant.line, mutant.column) for mutant in mutants}
    assert len({(mutant.line, mutant.column) for mutant in drawn[: len(positions)]}) == len(positions)


@pytest.mark.parametrize(
    ("source", "mutated"),
    [
        ("a === b;", {"a !== b;", ";"}),
        ("let a = b < 1;", {"let a = b <= 1;", "let a = b >= 1;", "let a = b < 2;", "let a = b < (0);"}),
        ("let a = !true;", {"let a = true;", "let a = !false;"}),
        ("let a = 'é' || '';", {"let a = '' || '';", "let a = 'é' && '';"}),
        ("let a = b ? c : d;", {"let a = (!(b)) ? c : d;"}),
        ("import a from 'b';", set()),
    ],
)
def test_javascript_mutants(source: str, mutated: set[str]) -> None:
    mutants = list_javascript_mutants("m.js", source)
    assert {mutate_javascript(source, mutant) for mutant in mutants} == mutated


RECORDING = Recording(
    {"a.py::one": 0.1, "a.py::two": 0.2, "b.py::one": 5.0},
    {"m.py": {3: set(), 6: set(), 7: {"a.py::one"}, 10: set(), 11: {"b.py::one"}}},
)


def _covering(line: int, recording: Recording = RECORDING) -> set[str]:
    return find_covering(Mutant("m.py", line, 0, "NumberReplacer", 0), {"m.py": SOURCE}, recording)


def test_tests_that_run_the_line_cover_it() -> None:
    assert _covering(7) == {"a.py::one"}


def test_a_constant_is_covered_by_tests_that_run_its_uses() -> None:
    assert _covering(3) == {"a.py::one", "b.py::one"}  # too few run its use, so those of the file count, too
    many = {f"b.py::{number}" for number in range(ENOUGH_TESTS)}
    lines: dict[int, set[str]] = {3: set(), 7: {"a.py::one"}, 11: many}
    assert _covering(3, Recording({}, {"m.py": lines})) == many


def test_a_constant_is_covered_if_its_file_was_imported_before_the_recording() -> None:
    assert _covering(3, Recording({}, {"m.py": {11: {"b.py::one"}}})) == {"b.py::one"}


def test_a_line_that_nothing_runs_is_not_covered() -> None:
    assert _covering(7, Recording({}, {"m.py": {3: set()}})) == set()


def test_statements_and_names() -> None:
    tree = ast.parse("class A:\n    b: int = 1\n    c = [\n        2,\n    ]\n\n    def d(self):\n        return 3\n")
    assert find_statement(tree, 4) == (3, 5)
    assert find_statement(tree, 7) == (7, 7)
    assert find_names(tree, 2) == {"A", "b"}
    assert find_names(tree, 4) == {"A", "c"}


def test_cheap_tests_of_all_files_come_first() -> None:
    durations = {"a.py::slow": 9.0, "a.py::fast": 1.0, "b.py::fast": 2.0, "b.py::next": 3.0}
    assert order_tests(durations, durations, 100.0) == [["a.py::fast", "a.py::slow", "b.py::fast", "b.py::next"]]
    assert order_tests(durations, durations, 4.0) == [["a.py::fast", "b.py::fast"]]
    assert order_tests(["a.py::slow"], durations, 4.0) == [["a.py::slow"]]
    assert order_tests([], durations, 4.0) == []


def test_a_mutated_module_is_loaded_from_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the byte code of the file itself is cached."""
    path, other = tmp_path / "mutated_module.py", tmp_path / "other_module.py"
    for one in (path, other):
        one.write_text("VALUE = 1\n")
        py_compile.compile(str(one))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(SourceFileLoader, "get_code", SourceFileLoader.get_code)  # restored after the test
    install(path, "VALUE = 2\n")
    assert importlib.import_module("mutated_module").VALUE == 2
    assert importlib.import_module("other_module").VALUE == 1
    del sys.modules["mutated_module"], sys.modules["other_module"]


def test_a_mutated_text_is_read_in_place_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "request.js"
    path.write_text("let a = 1;")
    monkeypatch.setattr(Path, "read_text", Path.read_text)  # restored after the test
    install(path, "let a = 2;")
    assert path.read_text(encoding="utf-8") == "let a = 2;"


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_have_sources_and_tests(name: str) -> None:
    assert PACKAGES[name].files()
    assert all((ROOT / folder).is_dir() for folder in PACKAGES[name].tests)


def _outcome(line: int, ended: str, covering: int | None = 2) -> Outcome:
    return Outcome("m.py", line, "AddNot", f"if a{line}:", f"if not a{line}:", covering, 2, ended)


def test_equivalent_mutants_are_not_counted() -> None:
    outcomes = [_outcome(1, "failed"), _outcome(2, "timeout"), _outcome(3, "survived"), _outcome(4, "survived")]
    outcomes.append(_outcome(5, "not covered", 0))
    equivalents = [Equivalent("m.py", "if a3:", "if not a3:", "both branches are the same")]
    head, text = format_report("p", 1, outcomes, equivalents).split("\n", 1)
    counts = "1 survived, 1 not covered, 1 by timeout; seed 1"
    assert head == f"p: score 50.0% = 2 killed of 5 less 1 equivalent; {counts}"
    assert "m.py:4  AddNot  (2 of 2 covering tests run)\n    - if a4:\n    + if not a4:" in text


def test_the_equivalent_mutants_name_lines_of_their_files() -> None:
    for entry in read_equivalents():
        lines = [line.strip() for line in (ROOT / entry.file).read_text(encoding="utf-8").splitlines()]
        assert entry.original in lines, entry
        assert entry.original != entry.mutated
        assert entry.reason

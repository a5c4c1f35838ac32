"""Select the tests of a mutant: those that run its line, cheapest first, within a budget."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import zip_longest

from .mutants import Mutant
from .recording import Recording

FIRST_TESTS = 12
FIRST_FILES = 4
MOST_TESTS = 1000
ENOUGH_TESTS = 20
"""If fewer tests run the uses of a constant, all tests that run a line of its file cover it."""


def find_covering(mutant: Mutant, sources: Mapping[str, str], recording: Recording) -> set[str]:
    """Find the tests that run the mutant's line, or the lines that mention a name assigned there on import.

    A test module that names the module in its own name covers it too, where no line of it is run by a test.
    """
    lines = recording.lines.get(mutant.file, {})
    on_line = lines.get(mutant.line, set())
    if on_line:
        return on_line
    tree = ast.parse(sources[mutant.file])
    start, end = find_statement(tree, mutant.line)
    on_statement = set().union(*(lines.get(line, set()) for line in range(start, end + 1)))
    if on_statement or not is_run_on_import(tree, mutant.line):
        return on_statement
    names = re.compile(rf"\b(?:{'|'.join(find_names(tree, mutant.line)) or '(?!)'})\b")
    mentioned = {
        test
        for file, source in sources.items()
        for number, text in enumerate(source.splitlines(), 1)
        if names.search(text)
        for test in recording.lines.get(file, {}).get(number, ())
    }
    return mentioned if len(mentioned) >= ENOUGH_TESTS else mentioned.union(*lines.values())


def is_run_on_import(tree: ast.Module, line: int) -> bool:
    """Return whether ``line`` is in no body of a function. It may have run before the recording began."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return not any(one.body[0].lineno <= line <= (one.end_lineno or one.lineno) for one in functions)


def find_statement(tree: ast.Module, line: int) -> tuple[int, int]:
    """Return the first and last line of the innermost statement at ``line``, without its body."""
    found = (line, line)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            body = getattr(node, "body", None)
            end = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno
            if line <= end:
                found = (node.lineno, end)
    return found


def find_names(tree: ast.Module, line: int) -> set[str]:
    """Return the names that statements at ``line`` outside functions define."""
    found: set[str] = set()
    bodies: list[list[ast.stmt]] = [tree.body]
    while bodies:
        for node in bodies.pop():
            first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
            if not first <= line <= (node.end_lineno or node.lineno):
                continue
            match node:
                case ast.ClassDef():
                    found.add(node.name)
                    bodies.append(node.body)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    found.add(node.name)
                case ast.Assign():
                    found.update(
                        one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)
                    )
                case ast.AnnAssign(target=ast.Name(id=name)):
                    found.add(name)
    return found


def order_tests(tests: Iterable[str], durations: Mapping[str, float], budget_s: float) -> list[list[str]]:
    """Return two stages of tests: a few from few files, then more from all files, up to ``budget_s`` in total.

    Files take turns, each with its cheapest test that is left. A first test is always taken. Within a stage, the tests
    of a file follow each other, so that they share fixtures.
    """
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in sorted(tests, key=lambda test: (durations[test], test)):
        by_file[test.partition("::")[0]].append(test)
    files = list(by_file.values())
    first = _take_turns(files[:FIRST_FILES])[:FIRST_TESTS]
    taken: list[str] = []
    spent = 0.0
    for test in dict.fromkeys([*first, *_take_turns(files)]):
        spent += durations[test]
        if taken and (spent > budget_s or len(taken) >= MOST_TESTS):
            break
        taken.append(test)
    ranks = {test: rank for rank, group in enumerate(files) for test in group}
    stages = [taken[: len(first)], taken[len(first) :]]
    return [sorted(stage, key=lambda test: ranks[test]) for stage in stages if stage]


def _take_turns(groups: list[list[str]]) -> list[str]:
    return [test for row in zip_longest(*groups) for test in row if test]

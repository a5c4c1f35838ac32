"""Python mutants: cosmic-ray's operators at every position of a source, and a random sample of mutants."""

from __future__ import annotations

import ast
import random
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cosmic_ray.ast import get_ast  # type: ignore[import-untyped]
from cosmic_ray.mutating import mutate_code  # type: ignore[import-untyped]
from cosmic_ray.operators.provider import OperatorProvider  # type: ignore[import-untyped]

_LEFT_OUT = frozenset(
    {
        *("VariableReplacer", "VariableInserter"),
        *(f"ReplaceComparisonOperator_{name}" for name in ("Eq_Is", "NotEq_IsNot", "Is_Eq", "IsNot_NotEq")),
    }
)
"""Operators that need arguments; identity for equality and back, which differ only by how values are interned."""

_MUTABLE = frozenset(
    {
        *("operator", "keyword", "comparison", "factor", "not_test", "number", "decorator"),
        *("for_stmt", "if_stmt", "while_stmt", "assert_stmt", "test", "except_clause"),
    }
)
"""Types of parso nodes that some operator changes."""

_CHECKER_DECORATORS = ("@overload", "@override", "@final", "@runtime_checkable")
"""Decorators without effect at run time."""

type Position = tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """One change of one source, at ``line`` (from 1) and ``column`` (from 0)."""

    file: str
    line: int
    column: int
    operator: str
    occurrence: int


def list_python_mutants(file: str, source: str) -> list[Mutant]:
    """List the mutants of ``source`` without changes of annotations."""
    ignored = list_ignored_ranges(source)
    lines = source.splitlines()
    found = []
    nodes = [node for node in _walk(get_ast(source)) if node.type in _MUTABLE]
    for name, operator in _operators().items():
        positions = (start for node in nodes for start, _ in operator.mutation_positions(node))
        for occurrence, (line, column) in enumerate(positions):
            text = lines[line - 1] if line <= len(lines) else ""
            offset = len(text[:column].encode())
            if not any(start <= (line, offset) < end for start, end in ignored) and not _is_for_checkers(text):
                found.append(Mutant(file, line, column, name, occurrence))
    return found


def list_ignored_ranges(source: str) -> list[tuple[Position, Position]]:
    """List the ranges of annotations, type aliases and protocols, with columns in bytes of UTF-8."""
    found: list[ast.expr | ast.stmt | None] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.arg() | ast.AnnAssign():
                found.append(node.annotation)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.append(node.returns)
            case ast.TypeAlias():
                found.append(node.value)
            case ast.ClassDef(bases=[ast.Name(id="Protocol")]):
                found.append(node)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)) for node in found if node
    ]


def mutate_python(source: str, mutant: Mutant) -> str | None:
    """Return the mutated source, or None where it is not valid Python or means the same."""
    mutated: str | None = mutate_code(source, _operators()[mutant.operator], mutant.occurrence)
    if mutated is None:
        return None
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
            tree = ast.parse(mutated)
            compile(tree, mutant.file, "exec")
    except SyntaxError:
        return None
    return None if ast.dump(tree) == ast.dump(ast.parse(source)) else mutated


def sample_mutants(mutants: Iterable[Mutant], seed: int) -> Iterator[Mutant]:
    """Yield all mutants in random order, one of each position before the second of any.

    Operators differ in how many mutants they make of one position, so positions are drawn rather than mutants.
    """
    chance = random.Random(seed)  # noqa: S311
    by_position = defaultdict(list)
    for mutant in mutants:
        by_position[mutant.file, mutant.line, mutant.column].append(mutant)
    groups = [by_position[position] for position in sorted(by_position)]
    for group in groups:
        chance.shuffle(group)
    while groups:
        chance.shuffle(groups)
        for group in groups:
            yield group.pop()
        groups = [group for group in groups if group]


def find_changed_lines(source: str, mutated: str, line: int) -> tuple[str, str]:
    """Return the first line that differs, before and after, without indents; ``line`` and nothing if it was removed."""
    before, after = source.splitlines(), mutated.splitlines()
    if len(before) == len(after):
        for old, new in zip(before, after, strict=True):
            if old != new:
                return old.strip(), new.strip()
    return before[line - 1].strip(), ""


@lru_cache(maxsize=1)
def _operators() -> dict[str, Any]:
    provider = OperatorProvider()
    return {name: provider[name]() for name in provider if name not in _LEFT_OUT}


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", ()):
        yield from _walk(child)


def _is_for_checkers(text: str) -> bool:
    return text.strip().startswith(_CHECKER_DECORATORS) or text.startswith("if TYPE_CHECKING")

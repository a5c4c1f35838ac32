"""No function that is deployed has more than 60 lines, its docstring included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
MOST_LINES = 60
PRODUCT = ("layers", "functions", "endpoint", "extensions")
"""Folders with deployed code. That of extensions is beside their tests."""


def list_functions() -> Iterator[tuple[str, int]]:
    """Yield each function with its number of lines."""
    for folder in PRODUCT:
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT).parts
            if "tests" in parts or "bench" in parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    assert node.end_lineno is not None
                    yield f"{'/'.join(parts)}: {node.name}", node.end_lineno - node.lineno + 1


def test_functions_are_short() -> None:
    found = dict(list_functions())
    assert len(found) > 2_000
    assert not {name: lines for name, lines in found.items() if lines > MOST_LINES}

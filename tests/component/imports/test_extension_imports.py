"""Arrows between extensions and the rest: nothing outside imports one, and what they deploy imports no tooling."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from extensions import FOLDER, ROOT, list_packages

PLACES = (
    "layers",
    "functions",
    "endpoint",
    "cli",
    "local",
    "cloudfront_local",
    "observability",
    "tools",
    "bench",
    "chaos",
)
TOOLING = {
    "cli",
    "local",
    "cloudfront_local",
    "observability",
    "tools",
    "bench",
    "chaos",
    "gameday",
    "tests",
    "extensions",
}


def list_imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, also late and for type checks."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)


def test_nothing_imports_an_extension_by_name() -> None:
    packages = {one.name for folder in list_packages() for one in folder.iterdir() if (one / "__init__.py").exists()}
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for place in PLACES
        for path in (ROOT / place).rglob("*.py")
        if "node_modules" not in path.parts
        for name in list_imports(path)
        if name.split(".")[0] in packages or name.startswith("extensions.")
    }
    assert found == set()


def test_deployed_code_of_extensions_imports_no_tooling() -> None:
    deployed = [path for place in ("src", "functions") for path in FOLDER.glob(f"*/{place}/**/*.py")]
    found = {f"{path.relative_to(ROOT)}: {name}" for path in deployed for name in list_imports(path)}
    assert {one for one in found if one.partition(": ")[2].split(".")[0] in TOOLING} == set()

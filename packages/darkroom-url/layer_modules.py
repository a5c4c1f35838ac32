"""Build hook: put the layer's modules that the package needs into the wheel, so that no source is copied.

The modules are found by their imports, from those that ``darkroom_url`` names. They are written for Python
3.9 (``per-file-target-version`` of ruff in the root's ``pyproject.toml``), but for the two things of :func:`_convert`.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # hatchling's own dependency

HERE = Path(__file__).resolve().parent
LAYER = HERE.parents[1] / "layers" / "darkroom" / "darkroom"
PACKAGE = HERE / "src" / "darkroom_url"
DATA = ("presets.toml",)
"""Files that modules read."""


class LayerModules(BuildHookInterface[Any]):
    """Adds the modules."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002, as hatchling calls it
        """Write the converted files, and map each to its place in the wheel."""
        self.folder = TemporaryDirectory()  # until the hook is deleted
        for number, name in enumerate(sorted({*DATA, *modules()})):
            path, text = _convert(name, (LAYER / name).read_text(encoding="utf-8"))
            converted = Path(self.folder.name, str(number))
            converted.write_text(text, encoding="utf-8")
            build_data["force_include"][str(converted)] = f"darkroom_url/_darkroom/{path}"


def _convert(path: str, text: str) -> tuple[str, str]:
    """Return path and text of a file in the wheel: Python 3.9 has no slots of dataclasses and no reader of TOML."""
    if path.endswith(".toml"):
        return f"{path[:-5]}.json", json.dumps(tomllib.loads(text))
    return path, text.replace(", slots=True", "")


def modules() -> set[str]:
    """The files of the layer that the package imports, directly or not, with the packages that they are in."""
    found: set[str] = set()
    named = (module for path in PACKAGE.glob("*.py") for module, _ in _imports(path))
    waiting = [module.removeprefix("_darkroom.") for module in named if module.startswith("_darkroom.")]
    while waiting:
        module = waiting.pop()
        path = _file(module)
        if path is None or (name := str(path.relative_to(LAYER))) in found:
            continue
        found.add(name)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        waiting += [package, ""]
        for imported, level in _imports(path):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - level + 1]) if package else ""
            waiting.append(f"{base}.{imported}".strip("."))
    return found


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """Modules that a file imports relatively, and how many dots are before each; names may be modules, too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.module or "", node.level
            yield from (
                (f"{node.module}.{alias.name}" if node.module else alias.name, node.level) for alias in node.names
            )


def _file(module: str) -> Path | None:
    path = LAYER.joinpath(*module.split(".")) if module else LAYER
    for candidate in (path.with_suffix(".py") if module else path / "__init__.py", path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None

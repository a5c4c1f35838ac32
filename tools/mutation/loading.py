"""Load a mutated source in place of a file, in this process only."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from .packages import get_module_name


class MutatedLoader(importlib.machinery.SourceFileLoader):
    """Loader of one module from text."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return compile(self._text, self.path, "exec", dont_inherit=True)


class MutatedFinder:
    """Meta path finder of one module, placed before all others."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self._name, self._path, self._text = name, path, text

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        loader = MutatedLoader(name, str(self._path), self._text)
        folders = [str(self._path.parent)] if self._path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, self._path, loader=loader, submodule_search_locations=folders
        )


def install(path: Path, text: str) -> None:
    """Give ``text`` to every import of ``path``, or to every ``Path.read_text`` where it is not Python."""
    if path.suffix == ".py":
        sys.meta_path.insert(0, MutatedFinder(get_module_name(path), path, text))
        return
    read = Path.read_text

    def read_text(self: Path, *arguments: Any, **options: Any) -> str:
        return text if self.name == path.name and self.resolve() == path else read(self, *arguments, **options)

    Path.read_text = read_text  # type: ignore[method-assign]

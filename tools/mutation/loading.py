"""Load a mutated source in place of a file, in this process only."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any


def install(path: Path, text: str) -> None:
    """Give ``text`` to every import of ``path``, or to every ``Path.read_text`` where it is not Python."""
    get_code, read = SourceFileLoader.get_code, Path.read_text

    def get_mutated_code(self: SourceFileLoader, name: str) -> CodeType | None:
        if Path(self.path) != path:
            return get_code(self, name)
        return compile(text, self.path, "exec", dont_inherit=True)

    def read_text(self: Path, *arguments: Any, **options: Any) -> str:
        return text if self.name == path.name and self.resolve() == path else read(self, *arguments, **options)

    if path.suffix == ".py":
        SourceFileLoader.get_code = get_mutated_code  # type: ignore[method-assign,assignment]
    else:
        Path.read_text = read_text  # type: ignore[method-assign]

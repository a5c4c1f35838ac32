"""Extensions: what is deployed beside the stack of ``template.yaml``, each in a folder with an ``extension.toml``.

Everything outside finds an extension by that file, so that ``rm -r extensions/NAME`` removes it
(docs/howto/extension.md describes the folder). Code of an extension may import all of Darkroom; nothing outside imports
an extension by name. Only the standard library is imported here: the small environment of ``./darkroom`` has no other.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
FILE = "extension.toml"


class ExtensionError(Exception):
    """An ``extension.toml`` does not describe an extension; the message names the file and the key."""


@dataclass(frozen=True, slots=True)
class WatchedFunction:
    """A function by its logical id; it counts ``Faults`` as ``service``, "" if it raises them only."""

    logical_id: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class WatchedQueue:
    """A queue by its logical id, with the age of the oldest message that is a ticket, and what that means."""

    logical_id: str
    age_s: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension as its ``extension.toml`` describes it. Paths in tables are relative to its folder.

    ``title`` heads its guide, ``summary`` is its line in README, ``up`` the help of its flag of ``./darkroom up``, and
    ``ready`` what that command prints then: ``{Output}`` is an output of the stack, ``{cdn}`` the address of the CDN.
    ``work`` is the subject of its alarm on faults. ``environments`` maps names of virtual environments to requirements
    files, ``locks`` these files to extras of its ``pyproject.toml``; ``alone`` are files that are locked without
    dependencies. ``licensed`` are lock files of pip or npm of what is deployed, ``licences`` the licence of each
    package in them, and ``binaries`` the libraries within wheels, with the keys of ``tools/licences.toml``.
    ``purposes`` are those of its signatures, with what each permits and which text it signs. ``first_stack_parameters``
    are parameters of ``template.yaml`` that it needs; ``./darkroom up`` sets them.
    """

    name: str
    title: str
    summary: str
    up: str
    work: str
    ready: Sequence[str] = ()
    functions: Sequence[WatchedFunction] = ()
    queues: Sequence[WatchedQueue] = ()
    environments: Mapping[str, str] = field(default_factory=dict)
    locks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    alone: Sequence[str] = ()
    licensed: Sequence[str] = ()
    licences: Mapping[str, str] = field(default_factory=dict)
    binaries: Sequence[Mapping[str, str]] = ()
    purposes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first_stack_parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def flag(self) -> str:
        """Return its name in options and in the names of stacks."""
        return self.name.replace("_", "-")

    @property
    def folder(self) -> Path:
        """Return its folder."""
        return FOLDER / self.name

    @property
    def template(self) -> Path:
        """Return the template of its stack."""
        return self.folder / "stack.yaml"

    @property
    def guide(self) -> str:
        """Return the path of its guide in the repository."""
        return f"extensions/{self.name}/docs/guide.md"

    def load(self, module: str) -> ModuleType | None:
        """Import a module of its folder, such as ``cli`` or ``tests.purposes``; return None where there is none."""
        if not self.folder.joinpath(*module.split(".")).with_suffix(".py").exists():
            return None
        add_packages()
        return import_module(f"{__name__}.{self.name}.{module}")


@cache
def list_extensions() -> tuple[Extension, ...]:
    """Return all extensions by name. Raises ExtensionError for a file with an unknown, missing or mistyped key."""
    return tuple(read_extension(path) for path in sorted(FOLDER.glob(f"*/{FILE}")))


def read_extension(path: Path) -> Extension:
    """Return the extension that the file ``path`` describes. Raises ExtensionError."""
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        watched = document.pop("functions", {})
        queues = document.pop("queues", [])
        return Extension(
            name=path.parent.name,
            functions=tuple(WatchedFunction(*one) for one in watched.items()),
            queues=tuple(WatchedQueue(**one) for one in queues),
            **document,
        )
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ExtensionError(f"{path}: {error}") from error


def find_extension(name: str) -> Extension:
    """Return the extension with this name or flag; raises KeyError."""
    return {key: one for one in list_extensions() for key in (one.name, one.flag)}[name]


def list_templates() -> list[Path]:
    """Return the templates of all extensions."""
    return [one.template for one in list_extensions()]


def find_template(name: str) -> Path:
    """Return the template of the stack ``name`` beside the first one: of an extension, or in ``stacks/``."""
    found = {one.flag: one.template for one in list_extensions()}
    return found.get(name, ROOT / "stacks" / f"{name}.yaml")


def list_packages() -> list[Path]:
    """Return the folders with the packages of all extensions."""
    return [path for one in list_extensions() if (path := one.folder / "src").is_dir()]


def add_packages() -> None:
    """Make the packages of all extensions importable."""
    sys.path += [str(path) for path in list_packages() if str(path) not in sys.path]

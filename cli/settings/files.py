"""Settings as files that users edit: TOML or JSON to read, TOML to write."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from darkroom.settings import InvalidSettings
from darkroom.visible_text import escape_controls

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def read_file(path: Path) -> Mapping[str, Any]:
    """Read the table in ``path``: JSON by its suffix, otherwise TOML. Raises InvalidSettings, OSError."""
    return read_text(path.read_text(encoding="utf-8"), is_json=path.suffix == ".json", name=path.name)


def read_text(text: str, *, is_json: bool = False, name: str = "settings") -> Mapping[str, Any]:
    """Parse a table. Raises InvalidSettings."""
    try:
        found = json.loads(text) if is_json else tomllib.loads(text)
    except ValueError as error:
        raise InvalidSettings([f"{name} cannot be read: {error}"]) from error
    if not isinstance(found, dict):
        raise InvalidSettings([f"{name} must be a table"])
    return found


def to_toml(table: Mapping[str, Any]) -> str:
    """Format ``table`` as TOML: values before tables. Its values are those of JSON, without null."""
    return "\n".join(_lines(table, ())) + "\n" if table else ""


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if path and (plain or not table):
        yield from ("", f"[{'.'.join(map(_key, path))}]")
    for key, value in plain.items():
        yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines(value, (*path, key))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else format_string(name)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return format_string(value) if isinstance(value, str) else json.dumps(value)


def format_string(value: str) -> str:
    """Format a basic string: TOML's escapes are JSON's. Characters that are not shown are escaped too."""
    return escape_controls(json.dumps(value, ensure_ascii=False))

"""Check presets.toml and dialects.toml as they are saved, and locate mistakes in TOML files by line and key.

``python -m local.configuration`` prints a line for each mistake, by the code that is on disk now. The exit status is 1
if there is one.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.option_plugins import register_plugin
from darkroom.plan.options import OPTIONS_BY_NAME
from darkroom.plan.presets import Presets, parse_presets_toml
from darkroom_dialects.settings_file import parse_settings

from .paths import ROOT

register_plugin(OVERLAYS)

PRESETS = ROOT / "layers" / "darkroom" / "darkroom" / "presets.toml"
DIALECTS = ROOT / "layers" / "dialects" / "darkroom_dialects" / "dialects.toml"
FILES = (PRESETS, DIALECTS)

_HEADER = re.compile(r"\s*\[+\s*(?P<name>[^\]]+?)\s*\]+")
_KEY = re.compile(r"\s*(?P<name>\"[^\"]*\"|'[^']*'|[A-Za-z0-9_.-]+)\s*=")
_QUOTED = re.compile(r"'([^']*)'")


def find_mistakes() -> Iterator[str]:
    """Yield a line for each of FILES that is invalid: file, line, key and the rule."""
    presets = Presets({}, {})

    def load_presets(text: str) -> None:
        nonlocal presets
        presets = parse_presets_toml(text)

    yield from _check(PRESETS, load_presets)
    yield from _check(DIALECTS, lambda text: parse_settings(text, presets))


def _check(path: Path, parse: Callable[[str], object]) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    try:
        parse(text)
    except (ValueError, TypeError, AttributeError) as error:  # a table of the wrong shape raises all of them
        message = str(error) if isinstance(error, ValueError) else f"a value has the wrong type: {error}"
        yield describe(path.relative_to(ROOT), text, message)


def describe(path: Path, text: str, message: str) -> str:
    """Return ``message`` about the TOML ``text`` of ``path`` with the line and the key that it is about."""
    line, key = locate(text, message)
    return f"{path}:{line}: {f'{key}: ' if key else ''}{message}"


def locate(text: str, message: str) -> tuple[int, str]:
    """Return the line (from 1) and the dotted key that an error message is about; line 1 and "" if it names none.

    Messages begin with the name of a table, a preset or a key, and a colon; further names are in quotes.
    """
    if at := re.search(r"at line (\d+)", message):
        return int(at[1]), ""
    subject, _, rest = message.partition(": ")
    quoted = _QUOTED.findall(message)
    if subject.startswith("preset '"):
        table, wanted = f"presets.{quoted[0]}", [rest.split(" ")[0], *quoted[1:]]
    else:
        table, wanted = subject, [rest.split(" ")[0], *quoted]
    found, header = list[tuple[int, int, str]](), (1, "")
    for number, section, key, line in _entries(text):
        if not key and section == table:
            header = number, section
        if not key or (section != table and not section.startswith(f"{table}.") and key != table):
            continue
        name = f"{section}.{key}".lstrip(".")
        if key in wanted or _short(key) in wanted or key == table:
            found.append((0, number, name))
        elif any(word and f"{quote}{word}{quote}" in line for word in quoted for quote in "\"'"):
            found.append((1, number, name))
    return min(found)[1:] if found else header


def _entries(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield number, table, key and text of each line that is a header (without a key) or begins with a key."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            section = ".".join(part.strip(" \"'") for part in header["name"].split("."))
            yield number, section, "", line
        elif key := _KEY.match(line):
            yield number, section, key["name"].strip("\"'"), line


def _short(key: str) -> str:
    """Return the short name of an option, which messages use."""
    return OPTIONS_BY_NAME[key].short if key in OPTIONS_BY_NAME else ""


def parse_toml(path: Path, text: str) -> dict[str, object]:
    """Parse ``text``. Raises ValueError with file and line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(describe(path, text, str(error))) from error


def main() -> int:
    """Run the command. Return its exit status."""
    mistakes = list(find_mistakes())
    sys.stdout.writelines(f"{mistake}\n" for mistake in mistakes)
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())

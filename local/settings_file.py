"""The settings of the running stack as a file that is validated and put in force when it is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import awatch

from cli.settings.changes import EdgeBehind, put_in_force
from cli.settings.files import to_toml
from cli.settings.stacks import Target
from cloudfront_local.hosts import Hosts
from darkroom.errors import DarkroomError, ObjectChanged
from darkroom.settings import InvalidSettings

from .configuration import describe, parse_toml

NAME = "settings.toml"
SETTLE_MS = 200
COMPARE_MS = 5000
"""How often the file is compared with the document, which `darkroom settings` may have changed."""

HEADER = """\
# Settings of this stack (docs/reference/settings.md), version {number}. A saved change is validated and put in force.
# What is not named has its default.

"""


@dataclass
class SettingsFile:
    """The file ``path`` for the settings of ``target``."""

    path: Path
    target: Target
    _number: int = field(default=-1, init=False)
    _text: str = field(default="", init=False)
    _tried: str = field(default="", init=False)

    def refresh(self) -> None:
        """Write the settings in force, unless the file has them already or has a change that is not in force.

        Raises InvalidSettings for an invalid document, and Unavailable.
        """
        current = self.target.documents.current()
        if current.number == self._number or (self._number >= 0 and self._read() != self._text):
            return
        self._number = current.number
        self._text = HEADER.format(number=current.number) + to_toml(current.table)
        self.path.write_text(self._text, encoding="utf-8")

    def apply(self) -> str:
        """Put a changed file in force, and return what happened; "" if it has not changed.

        A file that is invalid, or based on other settings than those in force, changes nothing. Raises Unavailable.
        """
        text = self._read()
        if self._number < 0 or text in (self._text, self._tried):
            return ""
        self._tried = text
        try:
            return self._put_in_force(text, parse_toml(self.path, text))
        except InvalidSettings as error:
            lines = [describe(self.path, text, problem) for problem in error.problems]
            return "\n".join([*lines, "The settings before stay in force."])
        except ValueError as error:
            return f"{error}\nThe settings before stay in force."
        except (ObjectChanged, EdgeBehind) as error:
            return f"{self.path}: {error}"

    def _put_in_force(self, text: str, table: Mapping[str, object]) -> str:
        current = self.target.documents.current()
        if current.number != self._number:
            return (
                f"{self.path}: not applied, because version {current.number} of {current.by} was put in force "
                "meanwhile. Delete the file to get the present settings."
            )
        applied = put_in_force(self.target, table, by="local", reason=NAME, replaces=current)
        self._number, self._text = applied.version.number, text
        said = f"Version {self._number} of the settings is in force; functions read it within a minute."
        lines = [said, applied.difference.rstrip(), *(f"Removed: {one}" for one in applied.removed)]
        return "\n".join(filter(None, lines)) if applied.is_new else ""

    def _read(self) -> str:
        """Return the text of the file; a deleted one counts as unchanged, and is written again."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            self._number = -1
            return self._text


async def watch(file: SettingsFile, live: Hosts, report: Callable[[str], None]) -> None:
    """Apply the file whenever it is saved, and write it when the settings change otherwise, until cancelled."""
    await _compare(file, live, report)
    async for _ in awatch(
        file.path.parent,
        recursive=False,
        watch_filter=lambda _, path: Path(path).name == file.path.name,
        debounce=SETTLE_MS,
        rust_timeout=COMPARE_MS,
        yield_on_timeout=True,
    ):
        await _compare(file, live, report)


async def _compare(file: SettingsFile, live: Hosts, report: Callable[[str], None]) -> None:
    try:
        if said := await asyncio.to_thread(file.apply):
            report(said.rstrip("\n"))
            await live.refresh()
        await asyncio.to_thread(file.refresh)
    except DarkroomError as error:
        report(f"{file.path}: {error.message} {error.detail}".rstrip())
    except InvalidSettings as error:
        report(f"The settings document is invalid: {error}")

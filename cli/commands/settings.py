"""Commands about the settings of a stack, which need no deployment."""

from __future__ import annotations

import getpass
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..app import app
from ..errors import CommandError, WrongArgument
from ..exit_codes import ExitCode
from ..framework import FILE, Call, ask, write_note
from ..terminal import Line, Style, Table

if TYPE_CHECKING:
    from cli.settings.changes import Applied
    from cli.settings.stacks import Target
    from cli.settings.store import Version

VERSION = {"number": "version", "at": "ISO 8601", "by": "author", "reason": "as it was given"}
APPLIED = {
    "version": "number in force",
    "is_new": "whether this call has written it",
    "difference": "unified diff of TOML",
    "removed": "what was in force and is not now: presets, watermarks, entries and values",
    "edge_changes": "number of entries that changed at the edge",
}

type Decorated = Callable[..., Any]


def changing(function: Decorated) -> Decorated:
    """Add the options of commands that write a version: what the history has of it, and ``--yes``."""
    function = click.option("--yes", is_flag=True, help="Do not ask before something is removed.")(function)
    function = click.option("--reason", default="", metavar="TEXT", help="Reason, for the history.")(function)
    return click.option("--by", default=getpass.getuser, metavar="NAME", help="Author, for the history.")(function)


@app.group()
def settings() -> None:
    """Show and change settings; functions and the edge read them within a minute."""


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what changing settings raises into errors of the command."""
    from cli.settings.changes import EdgeBehind
    from darkroom.errors import ObjectChanged
    from darkroom.settings import InvalidSettings

    try:
        yield
    except InvalidSettings as error:
        raise WrongArgument(f"Nothing was changed. The settings are not valid: {'; '.join(error.problems)}") from error
    except ObjectChanged as error:
        raise CommandError("Nothing was changed: another version was written meanwhile. Run it again.") from error
    except EdgeBehind as error:
        raise CommandError(str(error)) from error
    except LookupError as error:
        raise CommandError(str(error.args[0]), ExitCode.NOT_FOUND) from error


def _target(call: Call) -> Target:
    from cli.settings.stacks import target_of

    return target_of(call.deployment)


@settings.command(
    output={**VERSION, "settings": "settings that differ from the defaults"},
    examples=("darkroom settings show --stack shop > settings.toml",),
)
@click.argument("number", type=click.IntRange(min=1), required=False)
def show(call: Call, number: int | None) -> None:
    """Print the settings in force, or of version NUMBER, as TOML."""
    from cli.settings.changes import read_version
    from cli.settings.files import to_toml

    target = _target(call)
    with _translated():
        version = read_version(target, number) if number else target.documents.current()
    lines = [f"# {_line(version)}", *to_toml(version.table).splitlines()]
    call.emit({**_document(version), "settings": dict(version.table)}, lines)


@settings.command(output=APPLIED, examples=("darkroom settings apply settings.toml --reason 'smaller previews'",))
@click.argument("file", type=FILE)
@changing
def apply(call: Call, file: Path, by: str, reason: str, yes: bool) -> None:
    """Put the settings of a TOML or JSON file in force. What it does not name has its default.

    What was in force and is not afterwards is listed, and the command asks before it writes.
    """
    from cli.settings.changes import put_in_force
    from cli.settings.files import read_file

    with _translated():
        table = read_file(file)
        _show_applied(call, put_in_force(_target(call), table, by=by, reason=reason, approve=_ask(yes=yes)))


@settings.command(output=APPLIED, examples=("darkroom settings edit --reason 'smaller previews'",))
@changing
def edit(call: Call, by: str, reason: str, yes: bool) -> None:
    """Edit the settings in force in $VISUAL or $EDITOR, and apply them."""
    from cli.settings.changes import put_in_force
    from cli.settings.files import read_text, to_toml

    target = _target(call)
    with _translated():
        current = target.documents.current()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "settings.toml"
            path.write_text(to_toml(current.table), encoding="utf-8")
            editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
            if subprocess.run([*editor.split(), str(path)], check=False).returncode:  # noqa: S603, the user's own
                raise CommandError("Nothing was changed: the editor failed.")
            table = read_text(path.read_text(encoding="utf-8"))
        applied = put_in_force(target, table, by=by, reason=reason, replaces=current, approve=_ask(yes=yes))
        _show_applied(call, applied)


@settings.command(
    output={
        "version": "number in force",
        "difference": "unified diff of TOML, empty if there is none",
        "removed": "what is in force and would not be: presets, watermarks, entries and values",
    },
    examples=("darkroom settings diff settings.toml --stack shop",),
)
@click.argument("file", type=FILE)
def diff(call: Call, file: Path) -> None:
    """Validate a TOML or JSON file, and show how it differs from the settings in force, and what it removes."""
    from cli.settings.changes import describe_difference
    from cli.settings.files import read_file
    from cli.settings.removals import list_removals
    from cli.settings.validation import validate

    with _translated():
        table = read_file(file)
        validate(table)
        current = _target(call).documents.current()
        removed = list_removals(current.table, table)
    difference = describe_difference(current.table, table, f"version {current.number}", file.name)
    document = {"version": current.number, "difference": difference, "removed": removed}
    call.emit(document, [*difference.splitlines(), *_list_removed(removed)])


@settings.command(
    output={"versions": f"per version {', '.join(f'`{name}`' for name in VERSION)} and `in_force`"},
    examples=("darkroom settings history",),
)
def history(call: Call) -> None:
    """List all versions, the oldest first."""
    from cli.settings.changes import read_history

    rows = list(read_history(_target(call)))
    notes = {(True, True): " (in force)", (False, True): "", (False, False): " (never in force)"}
    lines: list[str | Table] = [
        Table(
            ("version", "at", "by", "reason", ""),
            [
                (
                    str(one.number),
                    one.at,
                    one.by,
                    one.reason,
                    (notes[(now, ever)].strip(), Style.GOOD if now else Style.PLAIN),
                )
                for one, now, ever in rows
            ],
            [f"{_line(version)}{notes[(now, ever)]}" for version, now, ever in rows],
        )
    ]
    if rows and not any(now for _, now, _ in rows):
        said = "No version is in force: the document is not readable. Roll back to one."
        lines.append(Line((said, Style.PROBLEM)))
    call.emit({"versions": [_document(version) | {"in_force": now} for version, now, _ in rows]}, lines)


@settings.command(output=APPLIED, examples=("darkroom settings rollback 3 --reason 'previews are too small'",))
@click.argument("number", type=click.IntRange(min=1))
@changing
def rollback(call: Call, number: int, by: str, reason: str, yes: bool) -> None:
    """Put the settings of version NUMBER in force again, as a new version."""
    from cli.settings.changes import put_in_force, read_version

    target = _target(call)
    with _translated():
        version = read_version(target, number)
        said = reason or f"as version {version.number}"
        applied = put_in_force(target, version.table, by=by, reason=said, approve=_ask(yes=yes))
    _show_applied(call, applied)


@settings.command(
    output={
        "version": "number in force",
        "missing": "what the stack was not deployed with, and the settings need",
        "stale": "entries of the edge that differ from the document",
        "repaired": "number of entries that were written",
    },
    examples=(
        "darkroom settings check --stack shop",
        "darkroom settings check --repair",
    ),
)
@click.option("--repair", is_flag=True, help="Write the entries that differ.")
def check(call: Call, repair: bool) -> int:
    """Compare the edge's entries with the settings in force. The exit code is 1 if they differ and --repair is not set.

    A deployment publishes them. An interrupted `settings apply` may leave other ones.
    """
    from cli.settings import changes

    with _translated():
        found = changes.check(_target(call), repair=repair)
    document = {
        "version": found.version,
        "missing": list(found.missing),
        "stale": list(found.stale),
        "repaired": found.repaired,
    }
    lines = [Line((one, Style.PROBLEM)) for one in found.missing]
    if found.repaired:
        lines.append(Line(f"edge entries changed: {found.repaired}"))
    elif found.stale:
        said = f"Edge entries that are not as in the document: {', '.join(found.stale)}"
        lines.append(Line((said, Style.PROBLEM)))
    else:
        lines.append(Line((f"Document and edge agree on version {found.version}.", Style.GOOD)))
    call.emit(document, lines)
    return ExitCode.OK if found.is_consistent else ExitCode.FAILED


def _ask(*, yes: bool) -> Callable[[Sequence[str]], None]:
    """Return what lists removals on standard error, and asks unless ``yes``."""

    def approve(removed: Sequence[str]) -> None:
        for line in _list_removed(removed):
            write_note(line)
        if not yes:
            ask("Remove this?")

    return approve


def _list_removed(removed: Sequence[str]) -> list[str]:
    return ["Removed:", *(f"  {one}" for one in removed)] if removed else []


def _show_applied(call: Call, applied: Applied) -> None:
    number = applied.version.number
    document = {
        "version": number,
        "is_new": applied.is_new,
        "difference": applied.difference,
        "removed": list(applied.removed),
        "edge_changes": applied.edge_changes,
    }
    said = "is in force: functions read it within a minute." if applied.is_new else "has these settings already."
    lines = [
        *applied.difference.splitlines(),
        f"Version {number} {said}",
        f"edge entries changed: {applied.edge_changes}",
    ]
    call.emit(document, lines)


def _document(version: Version) -> dict[str, Any]:
    return {"number": version.number, "at": version.at, "by": version.by, "reason": version.reason}


def _line(version: Version) -> str:
    if not version.number:
        return "no document: all settings are defaults"
    return f"{version.number}  {version.at}  {version.by}" + (f"  {version.reason}" if version.reason else "")

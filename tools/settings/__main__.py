"""Show and change the settings of a stack, without deploying it.

``python -m tools.settings apply settings.toml --stack darkroom`` validates a TOML or JSON file, writes it as the next
version and updates the edge; functions read it within a minute. ``show``, ``edit``, ``diff``, ``history``, ``rollback``
and ``check`` are the other commands; ``--local`` is for the stack on this machine.
"""

from __future__ import annotations

import argparse
import getpass
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, MissingDependencyException

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "darkroom"))

from darkroom.errors import DarkroomError, ObjectChanged
from darkroom.settings import InvalidSettings, parse_settings

from .. import local_stack
from .edge import StoreConflict, differences, entries_of, publish
from .files import read_file, read_text, to_toml
from .stacks import Target, stack_here, stack_on_aws
from .store import Version, was_in_force

REPEAT = "The document is written; the edge is not up to date: run `check --repair`."
NEEDS_CRT = "CloudFront's KeyValueStore needs AWS's CRT library: pip install 'botocore[crt]'."


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """The command; its exit status: 0 if all is well, 1 if document and edge differ, 2 for an error."""
    chosen = _parser().parse_args(arguments)
    try:
        target = stack_here(chosen.state_dir) if chosen.local else stack_on_aws(chosen.stack, environment)
        return int(chosen.run(chosen, target))
    except InvalidSettings as error:
        sys.stderr.write("Nothing was changed. The settings are not valid:\n")
        sys.stderr.write("".join(f"  {problem}\n" for problem in error.problems))
    except ObjectChanged:
        sys.stderr.write("Nothing was changed: another version was written meanwhile. Look at it, and try again.\n")
    except MissingDependencyException:
        sys.stderr.write(f"Nothing was changed. {NEEDS_CRT}\n")
    except (DarkroomError, ValueError, OSError, ClientError, BotoCoreError) as error:
        detail = error.detail if isinstance(error, DarkroomError) else ""
        sys.stderr.write(f"{error} {detail}".strip() + "\n")
    return 2


def show(chosen: argparse.Namespace, target: Target) -> int:
    """Write a version as TOML."""
    version = _version(target, chosen.number) if chosen.number else target.documents.current()
    sys.stdout.write(f"# {_line(version)}\n{to_toml(version.table)}")
    return 0


def apply(chosen: argparse.Namespace, target: Target) -> int:
    """Put the settings of a file in force."""
    return put_in_force(target, read_file(chosen.file), by=chosen.by, reason=chosen.reason)


def edit(chosen: argparse.Namespace, target: Target) -> int:
    """Have the current settings edited, and put them in force."""
    current = target.documents.current()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.toml"
        path.write_text(to_toml(current.table), encoding="utf-8")
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        subprocess.run([*editor.split(), str(path)], check=True)  # noqa: S603 - the user's own editor
        table = read_text(path.read_text(encoding="utf-8"))
    return put_in_force(target, table, by=chosen.by, reason=chosen.reason, replaces=current)


def diff(chosen: argparse.Namespace, target: Target) -> int:
    """Write how a file differs from the settings in force."""
    table = read_file(chosen.file)
    parse_settings(table)
    current = target.documents.current()
    sys.stdout.write(_difference(current.table, table, f"version {current.number}", chosen.file.name))
    return 0


def history(_: argparse.Namespace, target: Target) -> int:
    """List all versions."""
    versions = {version.number: version for version in target.documents.history()}
    try:
        current = target.documents.current()
    except InvalidSettings as error:
        sys.stdout.write("".join(f"{_line(version)}\n" for version in versions.values()))
        sys.stdout.write(f"No version is in force: {error}\n")
        return 0
    in_force = was_in_force(versions, current)
    for number, version in versions.items():
        note = " (in force)" if number == current.number else "" if number in in_force else " (never in force)"
        sys.stdout.write(f"{_line(version)}{note}\n")
    return 0


def rollback(chosen: argparse.Namespace, target: Target) -> int:
    """Put the settings of an older version in force, as a new version."""
    version = _version(target, chosen.number)
    reason = chosen.reason or f"as version {version.number}"
    return put_in_force(target, version.table, by=chosen.by, reason=reason)


def check(chosen: argparse.Namespace, target: Target) -> int:
    """Compare the edge's entries with the settings in force, and repair them if asked to."""
    current = target.documents.current()
    settings = parse_settings(current.table)
    for sentence in target.missing(settings):
        sys.stdout.write(f"{sentence}\n")
    entries = entries_of(settings)
    puts, deletes = differences(target.edge.read(), entries)
    if not puts and not deletes:
        sys.stdout.write(f"Document and edge agree on version {current.number}.\n")
        return 0
    if chosen.repair:
        sys.stdout.write(f"edge entries changed: {publish(target.edge, entries)}\n")
        return 0
    listed = [*puts, *(f"{key} (obsolete)" for key in deletes)]
    sys.stdout.write("Edge entries that are not as in the document: " + ", ".join(listed) + "\n")
    return 1


def put_in_force(
    target: Target, table: Mapping[str, Any], *, by: str, reason: str = "", replaces: Version | None = None
) -> int:
    """Write ``table`` as the next version unless it is the current one, then the edge's entries; the exit status.

    Functions are never laxer than the edge for longer than a minute, and whatever stops this in between is repaired by
    the same call again, or by ``check``.
    """
    settings = parse_settings(table)
    entries = entries_of(settings)
    if missing := target.missing(settings):
        raise InvalidSettings(missing)
    target.edge.read()  # before anything is written: credentials and libraries for it are there
    current = replaces or target.documents.replaced()
    if current.settings is not None and table == current.settings:
        sys.stdout.write(f"Version {current.number} has these settings already.\n")
    else:
        sys.stdout.write(_difference(current.table, table, f"version {current.number}", "new"))
        current = target.documents.write(table, replaces=current, by=by, reason=reason)
        sys.stdout.write(f"Version {current.number} is in force: functions read it within a minute.\n")
    try:
        changed = publish(target.edge, entries)
    except (StoreConflict, ClientError, BotoCoreError, OSError) as error:
        sys.stderr.write(f"{error!r}\n{REPEAT}\n")
        return 1
    sys.stdout.write(f"edge entries changed: {changed}\n")
    return 0


def _version(target: Target, number: int) -> Version:
    version = target.documents.version(number)
    if version is None:
        raise ValueError(f"There is no version {number}.")
    return version


def _line(version: Version) -> str:
    if not version.number:
        return "no document: all settings are defaults"
    return f"{version.number}  {version.at}  {version.by}" + (f"  {version.reason}" if version.reason else "")


def _difference(old: Mapping[str, Any], new: Mapping[str, Any], old_name: str, new_name: str) -> str:
    before, after = to_toml(old).splitlines(keepends=True), to_toml(new).splitlines(keepends=True)
    return "".join(unified_diff(before, after, old_name, new_name, n=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.settings", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    where = common.add_mutually_exclusive_group()
    where.add_argument("--stack", default="darkroom", help="name of the stack (darkroom)")
    where.add_argument("--local", action="store_true", help="the stack on this machine")
    common.add_argument("--state-dir", type=Path, default=local_stack.STATE, help="its folder, with --local")
    writes = argparse.ArgumentParser(add_help=False)
    writes.add_argument("--by", default=getpass.getuser(), help="name that the history has for the author")
    writes.add_argument("--reason", default="", help="reason that the history has")
    known = {
        "show": (show, [common], "write the settings in force, or an older version, as TOML"),
        "edit": (edit, [common, writes], "edit the settings in force in $EDITOR, and apply them"),
        "apply": (apply, [common, writes], "put the settings of a TOML or JSON file in force"),
        "diff": (diff, [common], "validate a file, and show how it differs from the settings in force"),
        "history": (history, [common], "list all versions"),
        "rollback": (rollback, [common, writes], "put an older version in force again"),
        "check": (check, [common], "compare the edge's entries with the document"),
    }
    made = {}
    for name, (run, parents, text) in known.items():
        made[name] = commands.add_parser(name, parents=parents, help=text)
        made[name].set_defaults(run=run)
    made["show"].add_argument("number", nargs="?", type=int, help="number of an older version")
    made["rollback"].add_argument("number", type=int, help="number of the version")
    for name in ("apply", "diff"):
        made[name].add_argument("file", type=Path, help="TOML or JSON; what it does not name has its default")
    made["check"].add_argument("--repair", action="store_true", help="write what differs")
    return parser


if __name__ == "__main__":
    sys.exit(main())

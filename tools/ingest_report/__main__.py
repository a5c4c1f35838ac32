"""The command line."""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.errors import StartError
from local.paths import StackPaths
from local.stack_info import read_stack_info

from . import ROOT
from .fates import Fate, Stack
from .table import depths, table, totals

SETTLES_WITHIN_S = 20
"""How long the last message may take to leave the queue after its work is done."""

DEAD_LETTERS = "ingest_dead_letters"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status."""
    chosen = _parser().parse_args(arguments)
    if not chosen.folder.is_dir():
        return _complain(f"{chosen.folder} is no folder")
    try:
        stack = Stack.of(read_stack_info(StackPaths(chosen.state_dir.resolve())))
        expected = _expected(chosen.expect) if chosen.expect else None
    except (StartError, ValueError, OSError) as error:
        return _complain(str(error))
    dead_before = stack.depths()[DEAD_LETTERS].total
    sent = stack.send(chosen.folder, chosen.prefix)
    _say(f"{len(sent)} files sent to {stack.facts['uploads_bucket']}, now waiting")
    fates = list(stack.follow(sent, chosen.timeout))
    settled = stack.idle("ingest", SETTLES_WITHIN_S)
    found = stack.depths()
    wrong = complaints(fates, expected)
    _say(f"\n{table(fates, wrong)}\n\n{totals(fates)}\n\n{depths(found)}\n")
    general = [f"{name}: {complaint}" for name, complaint in wrong.items()]
    if not settled:
        general.append("the ingest queue is not empty")
    if (dead := found[DEAD_LETTERS].total - dead_before) > 0:
        general.append(f"{dead} more dead letters than before")
    if general:
        return _complain("\n".join(["Not as it should be:", *(f"    {line}" for line in general)]))
    _say("Everything is accounted for" + (", and as expected." if expected else "."))
    return 0


def complaints(fates: Sequence[Fate], expected: Mapping[str, str] | None) -> dict[str, str]:
    """What is wrong, by file name. ``expected``: ``ready`` or a code, of every file; None if anything goes."""
    wrong = {}
    for fate in fates:
        if fate.record is None:
            wrong[fate.sent.name] = "nothing was heard of it in time"
        elif fate.missing:
            wrong[fate.sent.name] = f"missing: {', '.join(fate.missing)}"
        elif expected is not None and fate.outcome != expected.get(fate.sent.name):
            wrong[fate.sent.name] = f"expected is {expected.get(fate.sent.name, 'no such file')}"
    absent = set(expected or ()) - {fate.sent.name for fate in fates}
    return wrong | dict.fromkeys(sorted(absent), "expected, but not in the folder")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.ingest_report", description="Upload a folder to the running stack, say what became of it."
    )
    parser.add_argument("folder", type=Path, help="all files in it and below are uploaded")
    parser.add_argument("--prefix", default="corpus/", help="what their keys begin with (corpus/)")
    parser.add_argument("--expect", type=Path, metavar="FILE", help="TOML or JSON: file name = 'ready' or a code")
    parser.add_argument("--timeout", type=float, default=600, metavar="S", help="until what is not done is lost (600)")
    parser.add_argument("--state-dir", type=Path, default=ROOT / ".local", help="where the stack's data is (.local)")
    return parser


def _expected(path: Path) -> dict[str, str]:
    """Raises ValueError or OSError."""
    read = json.loads if path.suffix == ".json" else tomllib.loads
    return {str(name): str(outcome) for name, outcome in read(path.read_text(encoding="utf-8")).items()}


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _complain(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

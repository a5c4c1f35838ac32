"""Check a deployed stack, with pictures of its own, which are removed at the end.

``python -m tools.smoke --stack darkroom --region eu-central-1`` checks a stack on AWS, ``--local`` the local one. Exit
status: 0 if no check failed, 1 if one failed or something was not removed, 2 if there is no stack, 130 if interrupted.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from .. import local_stack
from .checks import GROUPS
from .model import Check
from .report import Report
from .running import Selected, run_all, selected
from .world import World, on_aws, on_this_machine

OPTIONS = ("large",)
"""Options that switch costly checks on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    chosen = _parser().parse_args(arguments)
    if chosen.list:
        for group, check in selected(GROUPS, chosen.only):
            sys.stdout.write(f"{group}/{check.name}: {check.proves}\n")
        return 0
    try:
        checks = selected(GROUPS, chosen.only)
        world = (
            on_this_machine(chosen.state_dir) if chosen.local else on_aws(chosen.stack, chosen.region, chosen.profile)
        )
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    report = check_stack(world, checks, [name for name in OPTIONS if getattr(chosen, name)])
    for line in report.lines():
        sys.stdout.write(line + "\n")
    if chosen.json:
        chosen.json.write_text(json.dumps(report.document(), indent=2) + "\n")
    return report.status


def check_stack(world: World, checks: Selected, options: Sequence[str]) -> Report:
    """Run ``checks`` and remove what they have created, also after Ctrl-C or SIGTERM."""
    report = Report(world.stack, world.region, world.folder, datetime.now(UTC).isoformat(timespec="seconds"))
    former = signal.signal(signal.SIGTERM, _interrupt)
    try:
        for group, result in run_all(checks, world, options, _show):
            report.results.append((group, result))
    except KeyboardInterrupt:
        report.is_interrupted = True
    finally:
        signal.signal(signal.SIGTERM, former)
        former = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave pictures behind
        try:
            sys.stderr.write(f"removing {len(world.keys)} pictures of {world.folder}\n")
            report.left = world.clean_up()
        finally:
            signal.signal(signal.SIGINT, former)
    return report


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _show(group: str, check: Check) -> None:
    sys.stderr.write(f"{group}/{check.name} ...\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.smoke", description=(__doc__ or "").partition("\n")[0])
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stack", default="darkroom", help="name of the stack on AWS (darkroom)")
    where.add_argument("--local", action="store_true", help="check the local stack")
    parser.add_argument("--region", help="of the stack; by default that of the AWS configuration")
    parser.add_argument("--profile", help="of the AWS configuration")
    parser.add_argument("--state-dir", type=Path, default=local_stack.STATE, help="of the local stack (.local)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="run these checks or groups alone")
    parser.add_argument("--large", action="store_true", help="upload a file of over 1 GiB too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
    parser.add_argument("--list", action="store_true", help="print the checks and what they prove")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Run checks one after another, regardless of failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from .failures import CheckFailed, CheckSkipped
from .model import Check, Outcome, Result
from .world import World

type Selected = Sequence[tuple[str, Check]]
"""Checks with their groups."""


def selected(groups: Mapping[str, Sequence[Check]], only: Sequence[str]) -> Selected:
    """Return the checks or groups that ``only`` names, all if it is empty. Raises ValueError for others."""
    every = [(group, check) for group, checks in groups.items() for check in checks]
    known = {*groups, *(check.name for _, check in every)}
    if unknown := [name for name in only if name not in known]:
        raise ValueError(f"There is no check {', '.join(unknown)}. There are: {', '.join(c.name for _, c in every)}")
    return [(group, check) for group, check in every if not only or group in only or check.name in only]


def run_check(check: Check, world: World, options: Sequence[str]) -> Result:
    """Run one check. ``options`` are the command's active options."""
    started_s = time.monotonic()
    if reason := _inapplicable(check, world, options):
        return Result(check, Outcome.SKIPPED, reason, 0.0)
    try:
        outcome, detail = Outcome.PASSED, check.run(world)
    except CheckSkipped as skipped:
        outcome, detail = Outcome.SKIPPED, str(skipped)
    except (CheckFailed, ClientError, BotoCoreError, ImportError, KeyError, ValueError) as error:
        outcome, detail = Outcome.FAILED, str(error) if isinstance(error, CheckFailed) else repr(error)
    return Result(check, outcome, detail, time.monotonic() - started_s)


def _inapplicable(check: Check, world: World, options: Sequence[str]) -> str:
    """Return the reason why ``check`` does not apply, "" if it does."""
    if missing := [name for name in check.outputs if name not in world.outputs]:
        return f"the stack has no output {', '.join(missing)}"
    return f"it needs --{check.option}" if check.option and check.option not in options else ""


def run_all(
    checks: Selected, world: World, options: Sequence[str], show: Callable[[str, Check], object]
) -> Iterator[tuple[str, Result]]:
    """Run each check; groups with results. ``show`` is called with each check before it runs."""
    for group, check in checks:
        show(group, check)
        yield group, run_check(check, world, options)

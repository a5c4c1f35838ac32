"""Checks and their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from .world import World


class Outcome(StrEnum):
    """Result of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One check. ``run`` returns what it saw, in one line, or raises.

    ``proves`` completes "this proves that ...". ``look_at`` is what to check first when it fails. ``outputs`` are the
    outputs of the stack without which it is skipped. ``option`` is the command's option that it needs, "" for none.
    """

    name: str
    proves: str
    look_at: str
    run: Callable[[World], str]
    outputs: tuple[str, ...] = ()
    option: str = ""


@dataclass(frozen=True)
class Result:
    """The outcome of ``check``. ``detail`` is what it saw, why it failed, or why it was skipped."""

    check: Check
    outcome: Outcome
    detail: str
    took_s: float

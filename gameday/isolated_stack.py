"""Start a stack for the game day on free ports, and stop it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli import local_stack
from local import isolated_stack
from local.isolated_stack import StackError

from .environment import Environment
from .wait_for import wait_until

READY_WITHIN_S = 600.0
"""Limit of the endpoint's start: on the first run it installs packages and fetches models, which takes minutes."""


@contextmanager
def open_stack(state: Path) -> Iterator[Environment]:
    """Start a stack, wait for its endpoint, and yield its environment. Raises StackError."""
    with isolated_stack.run_stack(state, "--no-watch") as stack:
        environment = Environment(stack.info, state)
        wait_until(lambda: environment.endpoint_state() == "ready", "the endpoint is ready", READY_WITHIN_S)
        yield environment


def running(state: Path) -> Environment:
    """Return the environment of the stack that runs in ``state``. Raises StackError if none runs."""
    try:
        return Environment(local_stack.read(state), state)
    except ValueError as error:
        raise StackError(str(error)) from None

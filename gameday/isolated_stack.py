"""The stack that is rehearsed on: one of its own, on free ports, ended when the rehearsal is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import isolated_stack
from local.isolated_stack import NoStack
from tools import local_stack

from .environment import Environment
from .wait_for import wait_until

READY_WITHIN_S = 600.0
"""Of the endpoint: its packages are installed and its models fetched once, which takes minutes."""


@contextmanager
def open_stack(state: Path) -> Iterator[Environment]:
    """A running stack with its endpoint ready. Raises NoStack."""
    with isolated_stack.running(state, "--no-watch") as stack:
        world = Environment(stack.facts)
        wait_until(lambda: world.endpoint_state() == "ready", "the endpoint is ready", READY_WITHIN_S)
        yield world


def running(state: Path) -> Environment:
    """The stack that runs in ``state`` already. Raises NoStack where none does."""
    try:
        return Environment(local_stack.read(state))
    except ValueError as error:
        raise NoStack(str(error)) from None

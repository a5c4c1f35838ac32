"""The stack that is rehearsed on: one of its own, on free ports, ended when the rehearsal is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import beside
from local.beside import NoStack
from tools import local_stack

from .waiting import until
from .world import World

READY_WITHIN_S = 600.0
"""Of the endpoint: its packages are installed and its models fetched once, which takes minutes."""


@contextmanager
def open_stage(state: Path) -> Iterator[World]:
    """A running stack with its endpoint ready. Raises NoStack."""
    with beside.running(state, "--no-watch") as stack:
        world = World(stack.facts)
        until(lambda: world.endpoint_state() == "ready", "the endpoint is ready", READY_WITHIN_S)
        yield world


def running(state: Path) -> World:
    """The stack that runs in ``state`` already. Raises NoStack where none does."""
    try:
        return World(local_stack.read(state))
    except ValueError as error:
        raise NoStack(str(error)) from None

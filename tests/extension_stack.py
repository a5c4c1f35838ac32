"""A local stack with all extensions, which the tests in ``extensions/*/tests/stack`` share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from extensions import list_extensions

if TYPE_CHECKING:
    from .stack.operating import Operator


@pytest.fixture(scope="session")
def extensions_operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """The commands of an operator, and the stack that they are about."""
    from .stack.conftest import start_stack, stop_stack
    from .stack.operating import Operator

    flags = [f"--{one.flag}" for one in list_extensions()]
    running = start_stack(tmp_path_factory.mktemp("extensions"), "--no-inference", "--no-watch", *flags)
    yield Operator(running, tmp_path_factory.mktemp("operator"))
    assert stop_stack(running) == 0

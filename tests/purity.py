"""Enforce what a pure test is, one below a folder ``unit``: it starts no process and opens no connection."""

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest

_FORBIDDEN = frozenset(
    {"subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "socket.bind", "socket.connect"}
)
"""Audit events (https://docs.python.org/3/library/audit_events.html) that a pure test must not raise."""

_running: list[str] = []


def _reject_side_effects(event: str, _: tuple[object, ...]) -> None:
    if _running and event in _FORBIDDEN:
        raise RuntimeError(f"{event} in a pure test ({_running[-1]}): move it to tests/component or tests/tooling")


sys.addaudithook(_reject_side_effects)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Reject processes and connections while a pure test and its fixtures run."""
    if "unit" not in item.path.parts:
        return (yield)
    _running.append(item.nodeid)
    try:
        return (yield)
    finally:
        _running.pop()

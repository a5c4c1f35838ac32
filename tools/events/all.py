"""Collect the events of all functions: each folder of functions/ with a handler has a module here of the same name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from . import ROOT, Event


def _events_of(function: str) -> Callable[[], dict[str, Event]]:
    name = f"{__package__}.{function}"
    if find_spec(name) is None:
        raise LookupError(f"functions/{function} has no sample events: add tools/events/{function}.py with events()")
    found: Callable[[], dict[str, Event]] = import_module(name).events
    return found


EVENTS = {path.parent.name: _events_of(path.parent.name) for path in sorted(ROOT.glob("functions/*/app.py"))}
"""Events by file name, by the function's folder."""

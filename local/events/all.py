"""Collect the events of all functions.

Each folder of ``functions/`` with a handler has a module here of the same name. An extension has them in the mapping
``EVENTS`` of its module ``sample_events``, by the names of the folders in its own ``functions/``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from extensions import Extension, list_extensions

from . import FOLDER, ROOT, Event


def _events_of(function: str) -> Callable[[], dict[str, Event]]:
    name = f"{__package__}.{function}"
    if find_spec(name) is None:
        raise LookupError(f"functions/{function} has no sample events: add local/events/{function}.py with events()")
    found: Callable[[], dict[str, Event]] = import_module(name).events
    return found


def _events_of_extension(extension: Extension) -> dict[Path, Callable[[], dict[str, Event]]]:
    functions = [path.parent.name for path in sorted(extension.folder.glob("functions/*/app.py"))]
    module = extension.load("sample_events") if functions else None
    found = {} if module is None else module.EVENTS
    if missing := set(functions) - set(found):
        raise LookupError(f"extensions/{extension.name}/sample_events.py has no events of {', '.join(sorted(missing))}")
    return {extension.folder / "events" / name: found[name] for name in functions}


EVENTS: dict[Path, Callable[[], dict[str, Event]]] = {
    **{FOLDER / path.parent.name: _events_of(path.parent.name) for path in sorted(ROOT.glob("functions/*/app.py"))},
    **{folder: events for one in list_extensions() for folder, events in _events_of_extension(one).items()},
}
"""Events by file name, by the folder that they are written to."""

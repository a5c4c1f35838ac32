"""Options that optional packages implement. The core has their value as a text; a plug-in says what it means.

``app.py`` of a function that renders registers the plug-ins before the first request, and so does what builds URLs or
checks settings. Other processes take the text as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from ..errors import BadOption
from .model import Plan
from .option_types import PluginText
from .options import OPTIONS

PLUGIN_OPTIONS = tuple(option for option in OPTIONS if isinstance(option.type, PluginText))

get_plugin_texts: Callable[[Plan], object] = attrgetter(*(option.plan_field for option in PLUGIN_OPTIONS))
"""Get the texts of all plug-ins' options from a plan."""

NO_TEXTS = get_plugin_texts(Plan(""))


@dataclass(frozen=True, slots=True)
class OptionPlugin:
    """What an optional package does for the option ``option``, by its short name.

    ``check`` raises BadOption if a text is invalid: the type of the option reads any. ``list_files`` returns the
    objects of the media bucket that the option's result is made of; all are below ``files_below``, which functions have
    permission to read. ``step`` changes the finished image of a ``RenderContext``. Both raise BadOption. It is None
    where no image is rendered.
    """

    option: str
    check: Callable[[str], object]
    list_files: Callable[[str], Iterable[str]]
    files_below: str
    step: Callable[[Any], None] | None = None


_PLUGINS: dict[str, OptionPlugin] = {}


def register_plugin(plugin: OptionPlugin) -> None:
    """Use ``plugin`` in this process."""
    _PLUGINS[plugin.option] = plugin


def check_plugin_options(plan: Plan) -> None:
    """Raise BadOption if an option of a registered plug-in is invalid."""
    for option, text in _read_texts(plan):
        if plugin := _PLUGINS.get(option):
            plugin.check(text)


def list_plugin_files(plan: Plan) -> tuple[str, ...]:
    """Return the objects of the media bucket of which plug-ins make ``plan``, each once. Raises BadOption."""
    return tuple(dict.fromkeys(name for plugin, text in _find_plugins(plan) for name in plugin.list_files(text)))


def find_file_plugin(name: str) -> OptionPlugin | None:
    """Return the plug-in whose object ``name`` is."""
    return next((plugin for plugin in _PLUGINS.values() if name.startswith(plugin.files_below)), None)


def list_plugin_steps(plan: Plan) -> list[Callable[[Any], None]]:
    """Return the steps of the plug-ins whose options ``plan`` has. Raises BadOption."""
    return [plugin.step for plugin, _ in _find_plugins(plan) if plugin.step]


def _find_plugins(plan: Plan) -> Iterator[tuple[OptionPlugin, str]]:
    for option, text in _read_texts(plan):
        if option not in _PLUGINS:
            raise BadOption(f"{option} is not available here", option=option)
        yield _PLUGINS[option], text


def _read_texts(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the short names and the texts of options of plug-ins that ``plan`` has."""
    for option in PLUGIN_OPTIONS:
        if text := getattr(plan, option.plan_field):
            yield option.short, text

"""What a change of the settings removes: presets, watermarks, and entries and values that a new document lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from darkroom.plan.presets import Presets
from darkroom.settings import PRESET_TABLES, InvalidSettings, list_setting_fields, parse_settings

_DEFAULTS: Mapping[str, Any] = {
    one.name: {} if hasattr(one.default, "_fields") else one.default for one in list_setting_fields()
}
"""Defaults by name; a named tuple is a table in a document, empty by default."""


def list_removals(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what is in force with the document ``old`` and not with ``new``, one line each.

    An invalid ``old`` counts as one without presets of its own. Raises InvalidSettings for an invalid ``new``.
    """
    after = parse_settings(new).presets
    return [*_list_presets(_read_presets(old), after), *_list_values(old, new)]


def _read_presets(document: Mapping[str, Any]) -> Presets:
    try:
        return parse_settings(document, ignore_unknown=True).presets
    except InvalidSettings:
        return parse_settings({}).presets


def _list_presets(before: Presets, after: Presets) -> Iterator[str]:
    for name in sorted(before.options.keys() - after.options.keys()):
        yield f"preset {name}: its URLs are refused with 400"
    for name in before.at_ingest:
        if name in after.options and name not in after.at_ingest:
            yield f"preset {name} at ingest: it is rendered at its first request"
    for name in sorted(before.watermarks.keys() - after.watermarks.keys()):
        yield f"watermark {name}: URLs with it are refused with 400"


def _list_values(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys([*old, *new]):
        if name in PRESET_TABLES or name not in _DEFAULTS:
            continue
        default = _DEFAULTS[name]
        before, after = (document.get(name, default) for document in (old, new))
        if isinstance(before, Mapping):
            yield from (f"{name}: {path}" for path in _list_paths(before, after))
        elif isinstance(before, list | tuple):
            kept = after if isinstance(after, list | tuple) else ()
            yield from (f"{name}: {_text(one)}" for one in before if one not in kept)
        elif name not in new and before != default:
            yield f"{name}: {_text(before)} becomes the default {_text(default)}"


def _list_paths(before: Mapping[str, Any], after: object) -> Iterator[str]:
    """Yield the paths of keys that ``before`` has and ``after`` lacks, of whole tables only that of the table."""
    tables = after if isinstance(after, Mapping) else {}
    for key, value in before.items():
        if key not in tables:
            yield _text(key)
        elif isinstance(value, Mapping):
            yield from (f"{_text(key)}.{path}" for path in _list_paths(value, tables[key]))


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

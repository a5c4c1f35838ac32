"""Validate a settings document as a whole: the core validates no tables of dialects, which it does not import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.option_plugins import register_plugin
from darkroom.settings import InvalidSettings, Settings, parse_settings
from darkroom_dialects.settings_file import load_settings

register_plugin(OVERLAYS)


def validate(table: Mapping[str, Any]) -> Settings:
    """Return the settings of ``table``. Raises InvalidSettings with every problem."""
    settings = parse_settings(table)
    try:
        load_settings(settings.dialects)
    except (ValueError, TypeError, AttributeError) as error:  # a table of the wrong shape raises all of them
        raise InvalidSettings([f"dialects: {error}"]) from error
    return settings

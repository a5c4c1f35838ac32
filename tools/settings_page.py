"""Generate the tables of docs/reference/settings.md from the fields of :class:`darkroom.settings.Settings`."""

from __future__ import annotations

import json
from dataclasses import Field
from typing import Any

from darkroom.settings import list_setting_fields
from tools.generated_blocks import ROOT, Content, table

PAGE = ROOT / "docs" / "reference" / "settings.md"


def _settings() -> str:
    rows = (
        (
            f"`{one.name}`",
            f"`{_default(one)}`",
            one.metadata["unit"],
            one.metadata["about"] + f" Must be {one.metadata['rule'].allowed_values}.".replace("|", "\\|"),
        )
        for one in list_setting_fields()
    )
    return table(("setting", "default", "unit", "description"), *rows)


def _default(one: Field[Any]) -> str:
    value = one.default
    if one.metadata["rule"].allowed_values.startswith("a table"):
        return "{}"
    return json.dumps(list(value) if isinstance(value, tuple) else value)


CONTENT: Content = {"settings": _settings}
"""Content of the page's places."""

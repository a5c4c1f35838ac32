"""The documented schemas of announcements, and how announcements are held against them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from local.place import ROOT

SCHEMAS: Mapping[str, dict[str, Any]] = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "docs" / "schemas").glob("*.schema.json"))
}
"""By detail type."""


def complaints(detail_type: str, detail: Mapping[str, Any]) -> list[str]:
    """What of an announcement is not as documented: wrong, missing, or not mentioned."""
    schema = SCHEMAS[detail_type]
    wrong = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(detail)]
    return wrong + [f"{name} is not documented" for name in _unknown(schema, detail)]


def _unknown(schema: Mapping[str, Any], value: Any, place: str = "$") -> list[str]:
    """Fields of ``value`` that ``schema`` does not name."""
    if not isinstance(value, dict) or "additionalProperties" in schema:
        return []
    known = schema.get("properties", {})
    inner = [_unknown(known[name], part, f"{place}.{name}") for name, part in value.items() if name in known]
    return [f"{place}.{name}" for name in value if name not in known] + [one for found in inner for one in found]

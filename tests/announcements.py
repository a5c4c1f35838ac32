"""Schemas of published events, and the check of an event against its schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft4Validator, Draft202012Validator

from extensions import FOLDER as EXTENSIONS
from local.paths import ROOT

_SCHEMAS = ROOT / "docs" / "reference" / "schemas"

SCHEMAS: Mapping[str, dict[str, Any]] = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted([*_SCHEMAS.glob("*.schema.json"), *EXTENSIONS.glob("*/docs/*.schema.json")])
}
"""By detail type."""

CORE = frozenset(path.name.removesuffix(".schema.json") for path in _SCHEMAS.glob("*.schema.json"))
"""Detail types of events that no extension publishes."""

REGISTRY: Mapping[str, dict[str, Any]] = {
    path.stem.removeprefix("darkroom@"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted([*(_SCHEMAS / "registry").glob("*.json"), *EXTENSIONS.glob("*/docs/darkroom@*.json")])
}
"""By detail type: the OpenAPI documents for EventBridge's schema registry."""

_AROUND = {
    **dict.fromkeys(("account", "id", "region", "version"), ""),
    "resources": [],
    "source": "darkroom",
    "time": "2026-11-25T12:00:03Z",
}
"""The envelope that EventBridge adds to a detail."""


def find_registry_faults(event: Mapping[str, Any]) -> list[str]:
    """Return the deviations of an event from the registry's document."""
    document = _nullable(REGISTRY[event["detail-type"]])
    schema = {"$ref": "#/components/schemas/AWSEvent", **document}
    return [f"{error.json_path}: {error.message}" for error in Draft4Validator(schema).iter_errors(event)]


def _nullable(node: Any) -> Any:
    """OpenAPI 3.0's ``nullable`` as JSON Schema has it."""
    if isinstance(node, list):
        return [_nullable(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {name: _nullable(one) for name, one in node.items() if name != "nullable"}
    return found | ({"type": [node["type"], "null"]} if node.get("nullable") is True else {})


def complaints(detail_type: str, detail: Mapping[str, Any]) -> list[str]:
    """Return the deviations of a detail from its documented schema: wrong, missing and undocumented fields."""
    schema = SCHEMAS[detail_type]
    wrong = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(detail)]
    wrong += find_registry_faults({**_AROUND, "detail-type": detail_type, "detail": detail})
    return wrong + [f"{name} is not documented" for name in _unknown(schema, detail)]


def _unknown(schema: Mapping[str, Any], value: Any, place: str = "$") -> list[str]:
    """Fields of ``value`` that ``schema`` does not name."""
    if not isinstance(value, dict) or "additionalProperties" in schema:
        return []
    known = schema.get("properties", {})
    inner = [_unknown(known[name], part, f"{place}.{name}") for name, part in value.items() if name in known]
    return [f"{place}.{name}" for name in value if name not in known] + [one for found in inner for one in found]

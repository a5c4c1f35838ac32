"""Build event schemas for Amazon EventBridge's schema registry: OpenAPI 3.0 of the whole event.

``docs/reference/schemas/registry/darkroom@<detail type>.json`` is made of each
``docs/reference/schemas/<detail type>.schema.json``, which describes the ``detail`` in JSON Schema 2020-12; those of
extensions are in their folders ``docs``. Source:
Amazon EventBridge user guide, "Creating an event schema" and "Creating a schema from event JSON" (``AWSEvent`` and its
``x-amazon-events-…`` keys); OpenAPI Specification 3.0.3, "Schema Object".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extensions import list_extensions

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference" / "schemas"
REGISTRY = FOLDER / "registry"
SUFFIX = ".schema.json"
SOURCE = "darkroom"

SHARED = frozenset(
    [
        "type",
        "description",
        "properties",
        "required",
        "items",
        "enum",
        "pattern",
        "format",
        "minLength",
        "minimum",
        "maximum",
        "maxItems",
        "minItems",
        "minProperties",
        "additionalProperties",
    ]
)
"""Keywords with the same meaning in both."""

DROPPED = frozenset({"$schema", "$id", "title", "propertyNames"})
"""Keywords that OpenAPI 3.0 lacks, and names that are elsewhere in the document."""

_TEXT = {"type": "string"}
_ENVELOPE: Mapping[str, Mapping[str, Any]] = {
    "account": _TEXT,
    "detail-type": _TEXT,
    "id": _TEXT,
    "region": _TEXT,
    "resources": {"type": "array", "items": _TEXT},
    "source": _TEXT,
    "time": {"type": "string", "format": "date-time"},
    "version": _TEXT,
}
"""Fields of every event: Amazon EventBridge user guide, "AWS service event metadata"."""


def build_document(detail_type: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Build the OpenAPI document of an event whose ``detail`` follows ``schema``. ValueError for an unknown keyword."""
    event = {
        "type": "object",
        "required": ["detail", *_ENVELOPE],
        "x-amazon-events-detail-type": detail_type,
        "x-amazon-events-source": SOURCE,
        "properties": {"detail": {"$ref": f"#/components/schemas/{detail_type}"}, **_ENVELOPE},
    }
    return {
        "openapi": "3.0.0",
        "info": {"version": "1.0.0", "title": detail_type},
        "paths": {},
        "components": {"schemas": {"AWSEvent": event, detail_type: convert(schema)}},
    }


def convert(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a JSON Schema of 2020-12 to OpenAPI 3.0. ValueError for an unknown keyword."""
    found: dict[str, Any] = {}
    for keyword, value in schema.items():
        match keyword, value:
            case "const", _:
                found["enum"] = [value]
            case "type", list():
                [found["type"]] = [name for name in value if name != "null"]
                found["nullable"] = True
            case "properties", dict():
                found["properties"] = {name: convert(one) for name, one in value.items()}
            case (("items" | "additionalProperties"), dict()):
                found[keyword] = convert(value)
            case _ if keyword in SHARED:
                found[keyword] = value
            case _ if keyword not in DROPPED:
                raise ValueError(f"{keyword} has no conversion to OpenAPI 3.0")
    if "enum" in found and "type" not in found:
        found["type"] = {bool: "boolean", int: "integer", str: "string"}[type(found["enum"][0])]
    return found


def documents() -> dict[Path, str]:
    """Build each registry file: those of extensions are beside their schemas."""
    places = dict.fromkeys(sorted(FOLDER.glob(f"*{SUFFIX}")), REGISTRY)
    places |= {path: path.parent for one in list_extensions() for path in sorted(one.folder.glob(f"docs/*{SUFFIX}"))}
    found = {}
    for path, folder in places.items():
        detail_type = path.name.removesuffix(SUFFIX)
        document = build_document(detail_type, json.loads(path.read_text(encoding="utf-8")))
        found[folder / f"{SOURCE}@{detail_type}.json"] = json.dumps(document, indent=2) + "\n"
    return found

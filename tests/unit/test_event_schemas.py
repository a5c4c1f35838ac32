"""Schema registry files equal the documented schemas and validate documented events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft4Validator

from extensions import list_extensions
from tests.announcements import SCHEMAS, complaints, find_registry_faults
from tools.event_schemas import REGISTRY, build_document, convert, documents

KEYWORDS = frozenset(
    [
        "title",
        "multipleOf",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
        "maxProperties",
        "minProperties",
        "required",
        "enum",
        "type",
        "allOf",
        "oneOf",
        "anyOf",
        "not",
        "items",
        "properties",
        "additionalProperties",
        "description",
        "format",
        "default",
        "nullable",
        "discriminator",
        "readOnly",
        "writeOnly",
        "xml",
        "externalDocs",
        "example",
        "deprecated",
        "$ref",
    ]
)
"""Of a Schema Object (OpenAPI Specification 3.0.3)."""

PAGES = [REGISTRY.parent.parent / "events.md", *(one.folder / "docs" / "guide.md" for one in list_extensions())]
PAGE = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
EVENTS: list[dict[str, Any]] = [
    event for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if "detail" in (event := json.loads(block))
]


def schema_objects(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield schema
    for one in schema.get("properties", {}).values():
        yield from schema_objects(one)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from schema_objects(schema[keyword])


def test_the_files_are_as_they_are_generated() -> None:
    found = documents()
    assert {path: path.read_text(encoding="utf-8") for path in found} == found, "make docs"
    assert {*REGISTRY.iterdir()} == {path for path in found if path.parent == REGISTRY}
    assert {path.stem.removeprefix("darkroom@") for path in found} == SCHEMAS.keys()


@pytest.mark.parametrize("detail_type", SCHEMAS)
def test_a_document_is_openapi_as_the_registry_takes_it(detail_type: str) -> None:
    document = build_document(detail_type, SCHEMAS[detail_type])
    assert set(document) == {"openapi", "info", "paths", "components"}
    assert re.fullmatch(r"3\.0\.\d", document["openapi"])
    event = document["components"]["schemas"]["AWSEvent"]
    assert (event["x-amazon-events-source"], event["x-amazon-events-detail-type"]) == ("darkroom", detail_type)
    for schema in document["components"]["schemas"].values():
        for one in schema_objects(schema):
            assert {name for name in one if not name.startswith("x-")} <= KEYWORDS
            assert "$ref" in one or isinstance(one["type"], str)
            Draft4Validator.check_schema({name: value for name, value in one.items() if name != "nullable"})


def test_every_documented_event_follows_both() -> None:
    assert {event["detail-type"] for event in EVENTS} <= SCHEMAS.keys()
    assert len(EVENTS) >= 5
    for event in EVENTS:
        assert find_registry_faults(event) == []
        assert complaints(event["detail-type"], event["detail"]) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [("time", None), ("source", 7), ("detail", "text"), ("detail.key", ""), ("detail.sha256", "no digest")],
)
def test_a_wrong_event_is_found(place: str, value: object) -> None:
    event = json.loads(json.dumps(next(one for one in EVENTS if one["detail-type"] == "ImageReady")))
    outer, _, inner = place.partition(".")
    if inner:
        event[outer][inner] = value
    else:
        event[outer] = value
    assert find_registry_faults(event)


def test_null_and_constants_have_a_form_and_unknown_keywords_are_refused() -> None:
    assert convert({"type": ["number", "null"]}) == {"type": "number", "nullable": True}
    assert convert({"const": True}) == {"enum": [True], "type": "boolean"}
    with pytest.raises(ValueError, match="if has no conversion"):
        convert({"if": {}})

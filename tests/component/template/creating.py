"""Build service API requests from CloudFormation properties, as CloudFormation does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from .schemas import identified
from .stack import Node, Stack

WITH_QUANTITY = {"Quantity", "Items"}
"""Members of a list of CloudFront, which is a plain list or has Items alone in CloudFormation."""


def properties_of(stack: Stack, kind: str) -> dict[str, Node]:
    """Properties of every resource of type ``kind``, with identifiers in place of references."""
    return {logical_id: identified(stack, properties) for logical_id, properties in stack.of_type(kind).items()}


def request_of(client: Any, operation: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``operation`` with these properties, which the client refuses if it has not one of them.

    Parameters are texts in CloudFormation, which converts them.
    """
    found = converted(client.meta.service_model.operation_model(operation).input_shape, properties)
    assert isinstance(found, dict)
    return found


def converted(shape: Shape, value: Any) -> Any:
    """``value`` with the types and names of ``shape``; a property that it has not is as it was."""
    if isinstance(shape, StructureShape):
        return _structure(shape, value)
    if isinstance(shape, ListShape):
        return [converted(shape.member, one) for one in value] if isinstance(value, list) else value
    if isinstance(shape, MapShape):
        found = {tag["Key"]: tag["Value"] for tag in value} if isinstance(value, list) else value
        return {name: converted(shape.value, one) for name, one in found.items()}
    return _scalar(shape.type_name, value)


def _structure(shape: StructureShape, value: Any) -> Any:
    if set(shape.members) >= WITH_QUANTITY:
        value = value if isinstance(value, Mapping) else {"Items": value}
        value = {"Quantity": len(value.get("Items", []))} | value
    if not isinstance(value, Mapping):
        return value
    names = {name.lower(): name for name in shape.members}
    known = {name: names.get(name.lower(), name) for name in value}
    return {
        known[name]: converted(shape.members[known[name]], one) if known[name] in shape.members else one
        for name, one in value.items()
    }


def _scalar(kind: str, value: Any) -> Any:
    match kind:
        case "integer" | "long":
            return int(value)
        case "double" | "float":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else {"true": True, "false": False}[value]
        case "blob":
            return value.encode() if isinstance(value, str) else value
        case "string" if isinstance(value, Mapping | list):
            return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)

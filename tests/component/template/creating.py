"""Build service API requests from CloudFormation properties, as CloudFormation does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from .schemas import identified
from .stack import Node, Stack


def properties_of(stack: Stack, kind: str) -> dict[str, Node]:
    """Properties of every resource of type ``kind``, with identifiers in place of references."""
    return {logical_id: identified(stack, properties) for logical_id, properties in stack.of_type(kind).items()}


def request_of(client: Any, operation: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``operation`` with these properties; raises KeyError for a property that it has not.

    Parameters are texts in CloudFormation, which converts them.
    """
    found = _converted(client.meta.service_model.operation_model(operation).input_shape, properties)
    assert isinstance(found, dict)
    return found


def _converted(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {name: _converted(shape.members[name], one) for name, one in value.items()}
    if isinstance(shape, ListShape):
        return [_converted(shape.member, one) for one in value]
    if isinstance(shape, MapShape):
        return {name: _converted(shape.value, one) for name, one in value.items()}
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("double", "float"):
        return float(value)
    if shape.type_name == "boolean":
        return value if isinstance(value, bool) else {"true": True, "false": False}[value]
    return str(value)

"""The stacks beside the first one, for checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from .failures import CheckSkipped
from .world import World


@dataclass(frozen=True)
class FurtherStack:
    """A stack of an extension."""

    name: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


def find_further(world: World, extension: str) -> FurtherStack:
    """Return the stack of the ``extension`` with this flag, with the name that its guide gives it.

    Raises CheckSkipped if it is not deployed, ClientError for other refusals.
    """
    name = f"{world.stack}-{extension}"
    try:
        [found] = world.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise CheckSkipped(f"there is no stack {name}") from error
        raise
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    parameters = {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])}
    return FurtherStack(name, outputs, parameters)


def find_api(world: World, url: str) -> str:
    """Return where the HTTP API whose address on AWS is ``url`` is served, without a path."""
    host = url.split("//", 1)[1].split("/", 1)[0]
    if not world.is_local:
        return f"https://{host}"
    return f"{world.endpoints['']}/_aws/execute-api/{host.split('.', 1)[0]}"

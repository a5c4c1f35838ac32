"""Commands about map tiles: parameters of their stack."""

from __future__ import annotations

import shlex

from ..app import app
from ..framework import Call


@app.group("map-tiles")
def map_tiles() -> None:
    """Deploy map tiles (docs/guides/map-tiles.md)."""


@map_tiles.command("parameters", output={"parameters": "values by the name of the parameter"})
def map_tiles_parameters(call: Call) -> None:
    """Print the parameters of stacks/map-tiles.yaml for this stack, for `sam deploy --parameter-overrides`."""
    from tools.stack_parameters import build_map_tiles_parameters

    deployment = call.deployment
    found = build_map_tiles_parameters(deployment.name, deployment.outputs, deployment.parameters)
    call.emit({"parameters": found}, (shlex.quote(f"{name}={value}") for name, value in found.items() if value))

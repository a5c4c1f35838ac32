"""Commands about map tiles: parameters of their stack."""

from __future__ import annotations

from ..app import app
from ..framework import Call
from ..own_stacks import PARAMETERS, print_parameters


@app.group("map-tiles")
def map_tiles() -> None:
    """Deploy map tiles (docs/guides/map-tiles.md)."""


@map_tiles.command("parameters", output=PARAMETERS)
def map_tiles_parameters(call: Call) -> None:
    """Print the parameters of stacks/map-tiles.yaml for this stack, for `sam deploy --parameter-overrides`."""
    from tools.stack_parameters import build_map_tiles_parameters

    print_parameters(call, build_map_tiles_parameters)

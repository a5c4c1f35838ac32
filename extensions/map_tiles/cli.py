"""Commands about map tiles: parameters of their stack, and signed TileJSON."""

from __future__ import annotations

import time

import click

from cli.app import app
from cli.commands.images import iso
from cli.framework import Call


@app.group("map-tiles")
def map_tiles() -> None:
    """Deploy and sign map tiles (extensions/map_tiles/docs/guide.md)."""


@map_tiles.command(
    "sign",
    output={"target": "path and signed query", "expires_at": "ISO 8601, or null"},
    examples=("darkroom map-tiles sign scenes/rome.tif 'bands=4,3,2&rescale=20,180'",),
)
@click.argument("key")
@click.argument("query")
@click.option("--expires-in", type=click.IntRange(min=1), metavar="SECONDS", help="Validity; unlimited by default.")
def sign_tilejson(call: Call, key: str, query: str, expires_in: int | None) -> None:
    """Sign the TileJSON of the raster KEY with the parameters of QUERY, such as "bands=4,3,2&rescale=20,180".

    The output follows the address of the tiles (TilesUrl). The document has signed tiles.
    """
    from map_tiles.requests import BASE, sign_target

    expires_s = None if expires_in is None else int(time.time()) + expires_in
    text = f"{BASE}{key}/tilejson.json?{query}" + ("" if expires_s is None else f"&exp={expires_s}")
    target = sign_target(text, call.deployment.signing_key)
    call.emit({"target": target, "expires_at": iso(expires_s)}, [target])

"""Signed texts of map tiles for the test vectors of signers, and what verifies them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from darkroom.signing import KeySource, Purpose
from map_tiles.requests import TILE_URL, parse_request

TEXTS: Mapping[Purpose, Sequence[str]] = {
    TILE_URL: (
        "/tiles/bay/2000-06.tif/{z}/{x}/{y}.png?bands=3&rescale=0,120",
        "/tiles/bay/2000-06.tif/{z}/{x}/{y}.webp?bands=4,3,2&resampling=cubic&exp=1900000000",
        "/tiles/bay/2000-06.tif/tilejson.json?bands=4,3,2",
    )
}


def accept(text: str, signature: str, keys: KeySource[tuple[str, ...]], now_s: float) -> None:
    """Raise DarkroomError unless the function would serve a tile, or the TileJSON."""
    path, _, query = f"{text}&s={signature}".partition("?")
    parse_request(path.replace("{z}/{x}/{y}", "12/655/1583"), query, keys, now_s)

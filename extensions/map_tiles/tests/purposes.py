"""A text that is valid for the purpose of this extension, and what accepts a signature of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from darkroom.signing import Purpose
from map_tiles.requests import TILE_URL, parse_request
from tests.fixed_keys import FixedKeys

KEY = "0123456789abcdef0123456789abcdef"
NOW_S = 1_800_000_000
TILEJSON = "/tiles/a.tif/tilejson.json?bands=1"


def _accept(signature: str) -> None:
    path, query = f"{TILEJSON}&s={signature}".split("?")
    parse_request(path, query, FixedKeys((KEY,)), NOW_S)


CREDENTIALS: Mapping[Purpose, tuple[str, Callable[[str], object]]] = {
    TILE_URL: (TILEJSON, _accept),
}

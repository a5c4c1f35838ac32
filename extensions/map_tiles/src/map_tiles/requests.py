"""Parse and verify requests for tiles and TileJSON.

Without a query, a raster has a finite number of tiles. Every query needs a signature. One signature covers all tiles
with the same query: it is made over the path with the placeholders ``{z}/{x}/{y}``, as map libraries write it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from darkroom.errors import BadOption, SourceMissing, Unsigned
from darkroom.http.query import parse_parameters
from darkroom.signing import KeySource, Purpose, remove_signature, sign_message, verify_text

from .descriptor import Descriptor, check_raster_key
from .grid import MAX_ZOOM, Tile

TILE_URL = Purpose("tile-url")
BASE = "/tiles/"
FORMATS = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg"}
RESAMPLING = ("nearest", "bilinear", "cubic", "cubic_spline", "lanczos", "average", "mode")
MAX_BANDS_SHOWN = 3
MAX_QUERY_CHARACTERS = 512
PARAMETERS = ("bands", "rescale", "resampling", "exp", "s")
_TILE = re.compile(
    r"(?P<key>.+)/(?P<z>0|[1-9][0-9]?)/(?P<x>0|[1-9][0-9]{0,8})/(?P<y>0|[1-9][0-9]{0,8})\.(?P<format>png|webp|jpg)"
)
"""One spelling of each number: the CDN caches, and the function renders, each path by itself."""

_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_TILEJSON = re.compile(r"(?P<key>.+)/tilejson\.json")
_PLACEHOLDERS = "{z}/{x}/{y}"

type Keys = KeySource[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Style:
    """How values become colours. Empty fields are the raster's defaults. ``expires_s`` is Unix time, 0 for never."""

    bands: tuple[int, ...] = ()
    rescale: tuple[tuple[float, float], ...] = ()
    resampling: str = ""
    expires_s: int = 0

    def check(self, raster: Descriptor) -> None:
        """Raise BadOption if the raster has no such bands, or if the ranges are not as many."""
        shown = len(self.bands or raster.bands)
        if any(not 1 <= band <= raster.band_count for band in self.bands):
            raise BadOption(f"The raster has bands 1 to {raster.band_count}", option="bands")
        if self.rescale and len(self.rescale) not in (1, shown):
            raise BadOption(f"rescale has one range, or one for each of {shown} bands", option="rescale")


class TileRequest(NamedTuple):
    """A request for one tile. ``format`` is a key of :data:`FORMATS`."""

    key: str
    tile: Tile
    format: str
    style: Style


class TileJsonRequest(NamedTuple):
    """A request for the document that describes the tiles. ``query`` is as written, without the signature."""

    key: str
    style: Style
    query: str


def parse_request(path: str, query: str, keys: Keys, now_s: float) -> TileRequest | TileJsonRequest:
    """Parse a path below :data:`BASE` and its query, and verify the signature.

    Raises SourceMissing (no such path), BadKey, BadOption, Unsigned, BadSignature, Expired, and Unavailable if the
    keys cannot be read.
    """
    found = _TILE.fullmatch(path.removeprefix(BASE)) or _TILEJSON.fullmatch(path.removeprefix(BASE))
    if not path.startswith(BASE) or found is None:
        raise SourceMissing("The path is neither a tile nor tilejson.json")
    named = found.groupdict()
    key = check_raster_key(named["key"])
    style, signature = parse_query(query)
    unsigned = remove_signature(f"?{query}").removeprefix("?")
    if query:
        name = f"{_PLACEHOLDERS}.{named['format']}" if "z" in named else "tilejson.json"
        _verify(f"{BASE}{key}/{name}?{unsigned}", signature, style, keys, now_s)
    if "z" not in named:
        return TileJsonRequest(key, style, unsigned)
    tile = Tile(int(named["z"]), int(named["x"]), int(named["y"]))
    if tile.z > MAX_ZOOM:
        raise SourceMissing(f"Zooms end at {MAX_ZOOM}")
    return TileRequest(key, tile, named["format"], style)


def build_template(key: str, extension: str, query: str, sign: Keys) -> str:
    """Return the path of all tiles with placeholders, signed with the current key if it has a ``query``."""
    text = f"{BASE}{key}/{_PLACEHOLDERS}.{extension}"
    if not query:
        return text
    return sign_target(f"{text}?{query}", sign.get()[0])


def sign_target(target: str, key: str) -> str:
    """Return ``target``, a path with placeholders or of a TileJSON, and its query, with the signature."""
    return f"{target}&s={sign_message(target, key, TILE_URL)}"


def _verify(text: str, signature: str, style: Style, keys: Keys, now_s: float) -> None:
    if not signature:
        raise Unsigned("Tiles with a query need a signature")
    verify_text(TILE_URL, text, signature, style.expires_s or None, keys, now_s)


def parse_query(query: str) -> tuple[Style, str]:
    """Parse a query into a style and its signature; raises BadOption for every other parameter and value."""
    values = parse_parameters(query, PARAMETERS, MAX_QUERY_CHARACTERS, "parameter of tiles")
    return _build_style(values), values.get("s", "")


def _build_style(values: Mapping[str, str]) -> Style:
    resampling = values.get("resampling", "")
    if resampling and resampling not in RESAMPLING:
        raise BadOption(f"resampling is one of {', '.join(RESAMPLING)}", option="resampling")
    expires = values.get("exp", "0")
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 11):
        raise BadOption("exp is a Unix time in seconds", option="exp")
    return Style(_parse_bands(values.get("bands")), _parse_ranges(values.get("rescale")), resampling, int(expires))


def _parse_bands(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    parts = text.split(",")
    if len(parts) not in (1, MAX_BANDS_SHOWN) or not all(re.fullmatch(r"[1-9][0-9]?", part) for part in parts):
        raise BadOption("bands is one band or three, such as 4,3,2", option="bands")
    return tuple(map(int, parts))


def _parse_ranges(text: str | None) -> tuple[tuple[float, float], ...]:
    if text is None:
        return ()
    parts = text.split(",")
    if len(parts) not in (2, 2 * MAX_BANDS_SHOWN) or not all(map(_NUMBER.fullmatch, parts)):
        raise BadOption("rescale is a pair of decimal numbers, or one for each of three bands", option="rescale")
    numbers = list(map(float, parts))
    ranges = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    if any(not low < high or not math.isfinite(high - low) for low, high in ranges):
        raise BadOption("Each pair of rescale ascends", option="rescale")
    return ranges

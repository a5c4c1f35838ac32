"""Encode one strip of a large image: the tiles of all of its levels, and its rows of the first top level.

The top levels lie above all strips, and are made from those rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

import pyvips

from darkroom.imaging.formats.probe import Header
from darkroom.imaging.formats.tiff.container import Tag
from darkroom.imaging.render.pipeline import internal_errors
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits

from .plan import PyramidPlan
from .read import Region, open_region
from .tiff_write import Tiled, Value, read_tiled
from .tiles import DEFLATED, halve, load_page, open_tiled, save_tiled, shrink_pairs

_NEXT_LEVEL_OPTIONS = DEFLATED | {"level": 1}
_MIN_TILED_READ_PX = 129
"""Longer side of an image from which libvips 8.18 reads tiles of 512 px; smaller ones fail. Smaller levels, of the last
strip of a narrow image, are halved from the pixels that were saved."""
_PER_LEVEL_TAGS = frozenset((Tag.WIDTH, Tag.HEIGHT, *Tag.RESOLUTION))
"""Tags that do not affect how a tile is decoded."""


class TileIndex(NamedTuple):
    """What assembly needs of a strip, or of the top levels.

    ``lengths``: by level, in full first, the bytes of each tile in order. ``encoding_checksum``: of the tags that all
    levels share, which define how tiles are decoded.
    """

    lengths: tuple[tuple[int, ...], ...]
    encoding_checksum: int

    @property
    def size_bytes(self) -> int:
        """Of all tiles together."""
        return sum(map(sum, self.lengths))

    def to_document(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {"lengths": [list(level) for level in self.lengths], "alike": self.encoding_checksum}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> TileIndex:
        """Reverse :meth:`to_document`; raises KeyError for an invalid document."""
        return cls(tuple(map(tuple, document["lengths"])), document["alike"])


@dataclass(frozen=True, slots=True)
class EncodedStrip:
    """A strip. ``body``: its tiles as they lie in the file, those of the smallest level first.

    ``next_level``: its rows of the first top level as a lossless TIFF, empty where it has none.
    """

    body: bytes
    next_level: bytes
    index: TileIndex


def cut_strip(source: Source, header: Header, plan: PyramidPlan, strip: int, limits: Limits) -> EncodedStrip:
    """Encode the strip with the number ``strip``, from 0 at the top; the same bytes each time.

    Costs no more than the strip where ``plan.by_region``, else a decode of all that lies above it as well. Raises
    DamagedSource, or what the source's stream raised.
    """
    top = strip * plan.layout.strip_px
    whole = Region(source, header, 0)
    window = open_region(source, header, top, plan.layout.strip_px) if plan.by_region else whole
    image = load_page(window.source, window.header, 0, limits.for_scenes)
    return encode_strip(image.crop(0, top - window.top, *plan.layout.part(strip, 0)), window.source, plan, strip)


def encode_strip(image: pyvips.Image, source: Source, plan: PyramidPlan, strip: int) -> EncodedStrip:
    """Encode the strip ``strip``, whose pixels in full are ``image``, decoded from ``source``."""
    layout = plan.layout
    with source.decoding():
        image = _ensure_readable(image)
        bodies = [save_tiled(image, plan.tile_options, layout.tile_px)]
    with internal_errors():
        for level in range(1, layout.first_top_level):
            size = layout.part(strip, level)
            if size.height == 0:
                break
            image = _ensure_readable(shrink_pairs(_reopen(image, bodies[-1]), size))
            bodies.append(save_tiled(image, plan.tile_options, layout.tile_px))
        size = layout.part(strip, layout.first_top_level)
        next_level = _save_next_level(shrink_pairs(_reopen(image, bodies[-1]), size)) if size.height else b""
    saved = [read_tiled(body) for body in bodies]
    return EncodedStrip(join_tiles(saved), next_level, index_tiles(saved, layout.first_top_level))


def _ensure_readable(image: pyvips.Image) -> pyvips.Image:
    """Return ``image``, in memory where it cannot be read from its tiles."""
    return image if _is_readable(image) else image.copy_memory()


def _reopen(image: pyvips.Image, body: bytes) -> pyvips.Image:
    """Return ``image``, which was saved as ``body``, from its top."""
    return open_tiled(body) if _is_readable(image) else image


def _is_readable(image: pyvips.Image) -> bool:
    return bool(max(image.width, image.height) >= _MIN_TILED_READ_PX)


def _save_next_level(image: pyvips.Image) -> bytes:
    """Encode rows of the next level, which may be small, without tiles."""
    body: bytes = image.tiffsave_buffer(keep="none", **_NEXT_LEVEL_OPTIONS)
    return body


def join_tiles(levels: Sequence[Tiled]) -> bytes:
    """Join the tiles of levels, given in full first, in the order of the file: the smallest level first."""
    return b"".join(tile for level in reversed(levels) for tile in level.tiles)


def index_tiles(saved: Sequence[Tiled], levels: int) -> TileIndex:
    """Return the index of ``levels`` levels; those that are not in ``saved`` have no tile."""
    lengths = [tuple(map(len, level.tiles)) for level in saved]
    checks = {_encoding_checksum(level.values) for level in saved}
    if len(checks) != 1:
        raise ValueError("the levels of one image are encoded differently")
    return TileIndex((*lengths, *[()] * (levels - len(lengths))), checks.pop())


def _encoding_checksum(values: Mapping[int, Value]) -> int:
    return crc32(repr(sorted((tag, value) for tag, value in values.items() if tag not in _PER_LEVEL_TAGS)).encode())


@dataclass(frozen=True, slots=True)
class TopLevels:
    """The levels from the first that is not in strips. ``body``: their tiles, those of the smallest level first.

    ``values``: the tags that define how tiles are decoded, of all levels of the pyramid.
    """

    body: bytes
    values: Mapping[int, Value]
    index: TileIndex


def build_top_levels(plan: PyramidPlan, rows: Sequence[bytes]) -> TopLevels:
    """Build the top levels from the ``rows`` of all strips, in order, empty ones too.

    Raises ValueError where rows are missing or another strip's.
    """
    layout = plan.layout
    with internal_errors():
        parts = [open_tiled(row) for row in rows if row]
        wanted = [layout.part(strip, layout.first_top_level) for strip in range(layout.strips)]
        if [(part.width, part.height) for part in parts] != [tuple(size) for size in wanted if size.height]:
            raise ValueError("the next-level rows are not those of the strips")
        image = pyvips.Image.arrayjoin(parts, across=1, valign="low") if len(parts) > 1 else parts[0]
        image = image.crop(0, 0, *layout.sizes[layout.first_top_level])
        bodies = [save_tiled(image, plan.tile_options, layout.tile_px)]
        while len(bodies) < len(layout.sizes) - layout.first_top_level:
            bodies.append(save_tiled(halve(open_tiled(bodies[-1])), plan.tile_options, layout.tile_px))
    saved = [read_tiled(body) for body in bodies]
    return TopLevels(join_tiles(saved), saved[0].values, index_tiles(saved, len(saved)))

"""Encode one strip of a large image, and the levels above all strips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

import pyvips

from ...plan.limits import Limits
from ..formats.probe import Header
from ..formats.tiff.container import HEIGHT, RESOLUTION, WIDTH
from ..render.pipeline import internal_errors
from ..source import Source
from .plan import PyramidPlan
from .read import Region, open_region
from .tiff_write import Tiled, Value, read_tiled
from .tiles import DEFLATED, halve, load_page, open_tiled, save_tiled, shrink_pairs

_NEXT_LEVEL_OPTIONS = DEFLATED | {"level": 1}
_MIN_TILED_READ_PX = 129
"""Longer side of a picture from which libvips 8.18 reads tiles of 512 px; others are out of its range. Smaller levels,
of the last strip of a narrow scene, are halved from the pixels that were saved."""
_PER_LEVEL_TAGS = frozenset((WIDTH, HEIGHT, *RESOLUTION))
"""Tags that say nothing of how a tile is decoded."""


class TileIndex(NamedTuple):
    """What binding has to know of a strip, or of the crown.

    ``lengths``: by level, in full first, the bytes of each tile in their order. ``alike``: a check sum of the tags that
    all levels share, which tell how tiles are decoded.
    """

    lengths: tuple[tuple[int, ...], ...]
    encoding_checksum: int

    @property
    def size_bytes(self) -> int:
        """Of all tiles together."""
        return sum(map(sum, self.lengths))

    def to_document(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {"lengths": [list(level) for level in self.lengths], "alike": self.encoding_checksum}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> TileIndex:
        """The opposite of :meth:`document`; raises KeyError for what is none."""
        return cls(tuple(map(tuple, document["lengths"])), document["alike"])


@dataclass(frozen=True, slots=True)
class EncodedStrip:
    """A strip. ``body``: its tiles as they will lie in the file, those of the smallest level first.

    ``share``: its part of the crown's first level as a lossless TIFF, empty where that has no line of it.
    """

    body: bytes
    next_level: bytes
    index: TileIndex


def cut_strip(source: Source, header: Header, plan: PyramidPlan, strip: int, limits: Limits) -> EncodedStrip:
    """The strip with the number ``strip``, from 0 at the top; the same bytes whenever it is made.

    Costs no more than the strip where ``scene.by_region`` says so, else a decode of all that lies above it as well.
    Raises Damaged, or what the source's stream raised.
    """
    top = strip * plan.layout.strip_px
    whole = Region(source, header, 0)
    window = open_region(source, header, top, plan.layout.strip_px) if plan.by_region else whole
    image = load_page(window.source, window.header, 0, limits.for_scenes)
    return encode_strip(image.crop(0, top - window.top, *plan.layout.part(strip, 0)), window.source, plan, strip)


def encode_strip(image: pyvips.Image, source: Source, plan: PyramidPlan, strip: int) -> EncodedStrip:
    """The strip ``strip``, whose pixels in full are ``image``, decoded from ``source``."""
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
    sheets = [read_tiled(body) for body in bodies]
    return EncodedStrip(join_tiles(sheets), next_level, index_tiles(sheets, layout.first_top_level))


def _ensure_readable(image: pyvips.Image) -> pyvips.Image:
    """``image``, in memory where it cannot be read from its tiles."""
    return image if _is_readable(image) else image.copy_memory()


def _reopen(image: pyvips.Image, body: bytes) -> pyvips.Image:
    """``image``, which was saved as ``body``, from its top."""
    return open_tiled(body) if _is_readable(image) else image


def _is_readable(image: pyvips.Image) -> bool:
    return bool(max(image.width, image.height) >= _MIN_TILED_READ_PX)


def _save_next_level(image: pyvips.Image) -> bytes:
    """A share, which may be as small as that, without tiles."""
    body: bytes = image.tiffsave_buffer(keep="none", **_NEXT_LEVEL_OPTIONS)
    return body


def join_tiles(levels: Sequence[Tiled]) -> bytes:
    """The tiles of levels, in full first, as they lie in the file: the smallest level first."""
    return b"".join(tile for sheet in reversed(levels) for tile in sheet.tiles)


def index_tiles(sheets: Sequence[Tiled], levels: int) -> TileIndex:
    """The facts of ``levels`` levels, of which those that are not in ``sheets`` have no tile."""
    lengths = [tuple(map(len, sheet.tiles)) for sheet in sheets]
    checks = {_encoding_checksum(sheet.values) for sheet in sheets}
    if len(checks) != 1:
        raise ValueError("levels of one scene are encoded in different ways")
    return TileIndex((*lengths, *[()] * (levels - len(lengths))), checks.pop())


def _encoding_checksum(values: Mapping[int, Value]) -> int:
    return crc32(repr(sorted((tag, value) for tag, value in values.items() if tag not in _PER_LEVEL_TAGS)).encode())


@dataclass(frozen=True, slots=True)
class TopLevels:
    """Levels from the first that is not in strips. ``body``: their tiles, those of the smallest level first.

    ``values``: the tags that tell how tiles are decoded, of all levels of the scene.
    """

    body: bytes
    values: Mapping[int, Value]
    index: TileIndex


def build_top_levels(plan: PyramidPlan, rows: Sequence[bytes]) -> TopLevels:
    """The crown of the strips whose ``shares`` these are, in order, empty ones too.

    Raises ValueError where a share is missing or another strip's.
    """
    layout = plan.layout
    with internal_errors():
        parts = [open_tiled(share) for share in rows if share]
        wanted = [layout.part(strip, layout.first_top_level) for strip in range(layout.strips)]
        if [(part.width, part.height) for part in parts] != [tuple(size) for size in wanted if size.height]:
            raise ValueError("these are not the shares of all strips")
        image = pyvips.Image.arrayjoin(parts, across=1, valign="low") if len(parts) > 1 else parts[0]
        image = image.crop(0, 0, *layout.sizes[layout.first_top_level])
        bodies = [save_tiled(image, plan.tile_options, layout.tile_px)]
        while len(bodies) < len(layout.sizes) - layout.first_top_level:
            bodies.append(save_tiled(halve(open_tiled(bodies[-1])), plan.tile_options, layout.tile_px))
    sheets = [read_tiled(body) for body in bodies]
    return TopLevels(join_tiles(sheets), sheets[0].values, index_tiles(sheets, len(sheets)))

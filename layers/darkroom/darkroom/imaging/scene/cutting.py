"""One strip of a scene: the tiles of all of its levels, and its share of the first level above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

import pyvips

from ...plan.limits import Limits
from ..containers.tiffwriting import Tiled, Value, tiled
from ..formats.probe import Header
from ..formats.tiff.container import HEIGHT, RESOLUTION, WIDTH
from ..render import own_fault
from ..source import Source
from ..tiling import DEFLATED, opened, paired, saved, settled
from .planning import Scene
from .regions import region

_SHARE = DEFLATED | {"level": 1}
_READABLE_PX = 129
"""Longer side of a picture from which libvips 8.18 reads tiles of 512 px; others are out of its range. Smaller levels,
of the last strip of a narrow scene, are halved from the pixels that were saved."""
_OWN = frozenset((WIDTH, HEIGHT, *RESOLUTION))
"""Tags that say nothing of how a tile is decoded."""


class Facts(NamedTuple):
    """What binding has to know of a strip, or of the crown.

    ``lengths``: by level, in full first, the bytes of each tile in their order. ``alike``: a check sum of the tags that
    all levels share, which tell how tiles are decoded.
    """

    lengths: tuple[tuple[int, ...], ...]
    alike: int

    @property
    def size_bytes(self) -> int:
        """Of all tiles together."""
        return sum(map(sum, self.lengths))

    def document(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {"lengths": [list(level) for level in self.lengths], "alike": self.alike}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Facts:
        """The opposite of :meth:`document`; raises KeyError for what is none."""
        return cls(tuple(map(tuple, document["lengths"])), document["alike"])


@dataclass(frozen=True, slots=True)
class Cut:
    """A strip. ``body``: its tiles as they will lie in the file, those of the smallest level first.

    ``share``: its part of the crown's first level as a lossless TIFF, empty where that has no line of it.
    """

    body: bytes
    share: bytes
    facts: Facts


def cut(source: Source, header: Header, scene: Scene, strip: int, limits: Limits) -> Cut:
    """The strip with the number ``strip``, from 0 at the top; the same bytes whenever it is made.

    Costs no more than the strip where ``scene.by_region`` says so, else a decode of all that lies above it as well.
    Raises Damaged, or what the source's stream raised.
    """
    top = strip * scene.layout.strip_px
    window = region(source, header, scene, top)
    image = settled(window.source, window.header, 0, limits.of_scenes)
    return cut_of(image.crop(0, top - window.top, *scene.layout.part(strip, 0)), window.source, scene, strip)


def cut_of(image: pyvips.Image, source: Source, scene: Scene, strip: int) -> Cut:
    """The strip ``strip``, whose pixels in full are ``image``, decoded from ``source``."""
    layout = scene.layout
    with source.decoding():
        image = _in_hand(image)
        bodies = [saved(image, scene.knobs, layout.tile_px)]
    with own_fault():
        for level in range(1, layout.crown):
            size = layout.part(strip, level)
            if size.height == 0:
                break
            image = _in_hand(paired(_again(image, bodies[-1]), size))
            bodies.append(saved(image, scene.knobs, layout.tile_px))
        size = layout.part(strip, layout.crown)
        share = _shared(paired(_again(image, bodies[-1]), size)) if size.height else b""
    sheets = [tiled(body) for body in bodies]
    return Cut(in_order(sheets), share, facts_of(sheets, layout.crown))


def _in_hand(image: pyvips.Image) -> pyvips.Image:
    """``image``, in memory where it cannot be read from its tiles."""
    return image if _is_readable(image) else image.copy_memory()


def _again(image: pyvips.Image, body: bytes) -> pyvips.Image:
    """``image``, which was saved as ``body``, from its top."""
    return opened(body) if _is_readable(image) else image


def _is_readable(image: pyvips.Image) -> bool:
    return bool(max(image.width, image.height) >= _READABLE_PX)


def _shared(image: pyvips.Image) -> bytes:
    """A share, which may be as small as that, without tiles."""
    body: bytes = image.tiffsave_buffer(keep="none", **_SHARE)
    return body


def in_order(sheets: Sequence[Tiled]) -> bytes:
    """The tiles of levels, in full first, as they lie in the file: the smallest level first."""
    return b"".join(tile for sheet in reversed(sheets) for tile in sheet.tiles)


def facts_of(sheets: Sequence[Tiled], levels: int) -> Facts:
    """The facts of ``levels`` levels, of which those that are not in ``sheets`` have no tile."""
    lengths = [tuple(map(len, sheet.tiles)) for sheet in sheets]
    checks = {_check(sheet.values) for sheet in sheets}
    if len(checks) != 1:
        raise ValueError("levels of one scene are encoded in different ways")
    return Facts((*lengths, *[()] * (levels - len(lengths))), checks.pop())


def _check(values: Mapping[int, Value]) -> int:
    return crc32(repr(sorted((tag, value) for tag, value in values.items() if tag not in _OWN)).encode())

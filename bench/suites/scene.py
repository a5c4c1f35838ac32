"""A large image of 1.2 gigapixels: its pyramid within 3 GB compared with libvips' own, and its tiles at all levels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ..environment import describe_machine
from ..goals import Figure, Rounds, Section
from ..link.process import run_link
from ..machine import separate_cores
from ..paths import WORK
from ..scene.run import MEMORY_BYTES, PyramidResult, TileResult, build_pyramid, build_with_vips, read_tiles
from ..scene.sources import SCENE_PX, make_large_image
from ..scene.tiles import SIDE_PX, choose_tiles
from ..tables import Table
from . import Progress

TURNS = {"full": 21, "quick": 5}
LATENCY_MS, MEGABYTES_PER_S = 25, 85
TILE_PX, QUALITY = 512, 92
"""Tile size and quality of Darkroom's pyramids, used for libvips, too."""


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Build the pyramids, one after the other, on all cores; then read the tiles."""
    load = os.getloadavg()[0]
    progress("large image: the source")
    source = make_large_image()
    with TemporaryDirectory(dir=WORK) as folder:
        progress("large image: its pyramid")
        ours = build_pyramid(source, Path(folder), TILE_PX)
        progress("large image: libvips' own")
        peer = build_with_vips(source, Path(folder), TILE_PX, QUALITY)
        progress("large image: tiles")
        made = Path(folder) / "scene.tif"
        with separate_cores() as core, run_link([made], LATENCY_MS, MEGABYTES_PER_S) as url:
            found = read_tiles(made, url, choose_tiles(*SCENE_PX), TURNS[rounds], core)
    tables = [making_table(ours, peer, source.stat().st_size), tiles_table(found, load)]
    return Section("\n\n".join(table.markdown() for table in tables), figures(ours, peer, found))


def figures(ours: PyramidResult, peer: PyramidResult, found: Sequence[TileResult]) -> list[Figure]:
    """Return memory and time, and the most expensive tile."""
    cold = [one.cold_bytes / 1e6 for one in found]
    warm = [one.ratio for one in found]
    taken = ours.seconds / peer.seconds
    return [
        Figure("scene-memory", ours.peak_mb, ours.peak_mb, ours.peak_mb, why="tiles of one strip, and all top levels"),
        Figure("scene-ingest", taken, taken, taken, why="each level is made from the tiles of the one before"),
        Figure("scene-cold", max(cold), min(cold), max(cold), why="four times a tile's pixels, for the resize"),
        Figure("scene-warm", max(warm), min(warm), max(warm), why="libtiff's reads go through Python"),
    ]


def making_table(ours: PyramidResult, peer: PyramidResult, source_bytes: int) -> Table:
    """Format a row for each pyramid."""
    rows = [
        (
            name,
            f"{made.seconds:.0f}",
            f"{made.seconds / peer.seconds:.2f}",
            f"{made.peak_mb:.0f}",
            f"{made.size_bytes:,}",
        )
        for name, made in (("Darkroom", ours), ("libvips alone", peer))
    ]
    width, height = SCENE_PX
    notes = [
        f"- The source: {width:,} × {height:,} px, {source_bytes:,} bytes, tiles of 256 px, JPEG.",
        f"- **Darkroom**: strip by strip, read by ranges, within {MEMORY_BYTES / 1e9:.0f} GB of address space "
        "(`RLIMIT_AS`).",
        f"- **libvips alone**: `vips tiffsave --pyramid --tile`, the same tiles ({TILE_PX} px, JPEG {QUALITY}), in one "
        "pass, the full image first in the file; without a limit.",
        "- MB: the kernel's VmHWM, of 10⁶ bytes.",
    ]
    return Table("A pyramid of 1.2 gigapixels", ("", "s", "ratio", "peak MB", "bytes"), rows, ["\n".join(notes)])


def tiles_table(found: Sequence[TileResult], load: float) -> Table:
    """Format a row for each level with its most expensive tile in each respect."""
    rows = []
    for shrink in dict.fromkeys(one.tile.shrink for one in found):
        of_level = [one for one in found if one.tile.shrink == shrink]
        rows.append(
            (
                f"1 : {shrink}",
                str(len(of_level)),
                f"{max(one.cold_bytes for one in of_level):,}",
                str(max(one.cold_requests for one in of_level)),
                f"{max(one.cold_ms for one in of_level):.0f}",
                f"{max(one.warm.median for one in of_level):.1f}",
                f"{max(one.ratio for one in of_level):.2f}",
            )
        )
    notes = [
        f"- Tiles of {SIDE_PX} px as JPEG, up to four a level: the first, one in the middle, one at the right edge, "
        "the last. Columns show the most expensive of them.",
        "- **Cold**: nothing of the image is cached and the connection is new. Bytes and requests are those received "
        f"from S3, {LATENCY_MS} ms to the first byte and {MEGABYTES_PER_S} MB/s.",
        "- **Warm**: the data of S3 is cached; the ratio is to the same render of a local file that libvips reads "
        "by itself, the mean within each turn without a fifth at either end.",
        f"- {describe_machine()}; one core. {len(found[0].warm.values)} turns; load average before: {load:.1f}.",
    ]
    headings = ("level", "tiles", "cold bytes", "requests", "cold ms", "warm ms", "warm ratio")
    return Table("Tiles", headings, rows, ["\n".join(notes)])

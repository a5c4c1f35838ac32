"""Equal quality for a series of pictures: each of a peer's looks as much like what is wanted as ours does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from .build_cache import STAMP, hash_sources
from .competitors.model import Competitor
from .equal_quality import FOUND, NEIGHBOURS, Match, match
from .machine import Core
from .quality import Pixels, decode_pixels
from .ssimulacra2 import Original
from .worker import Worker

type Preset = Mapping[str, object]
type Prints = Callable[[Path, Mapping[str, Preset]], Competitor]
"""From a source and presets by name to who makes them."""


def render_presets(contender: Competitor, core: Core) -> Mapping[str, bytes]:
    """What ``contender`` makes, by preset."""
    with Worker(contender, core) as worker:
        worker.stages_ms()
        return worker.made()


def match_presets(
    prints: Prints,
    source: Path,
    presets: Mapping[str, Preset],
    ours: Mapping[str, bytes],
    wanted: Mapping[str, Pixels],
    core: Core,
) -> Mapping[str, Match]:
    """For each preset in ``wanted``, the quality at which a peer's picture scores as ``ours`` does; kept."""
    stamp = prints(source, presets).folder / STAMP
    made_from = stamp.read_text(encoding="ascii") if stamp.exists() else ""
    pictures = {name: ours[name].hex() for name in wanted}
    path = FOUND / f"{hash_sources([], str(NEIGHBOURS), repr(presets), made_from, repr(pictures))}.json"
    if path.exists():
        return {name: Match(**found) for name, found in json.loads(path.read_text(encoding="ascii")).items()}
    found = {}
    for name, pixels in wanted.items():

        def picture(quality: int, name: str = name) -> bytes:
            return render_presets(prints(source, {name: {**presets[name], "quality": quality}}), core)[name]

        found[name] = _match(Original(pixels), ours[name], picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({name: asdict(match) for name, match in found.items()}), encoding="ascii")
    return found


def _match(original: Original, ours: bytes, picture: Callable[[int], bytes]) -> Match:
    def scored(quality: int) -> tuple[float, int]:
        body = picture(quality)
        return original.score(decode_pixels(body)), len(body)

    return match(original.score(decode_pixels(ours)), scored)

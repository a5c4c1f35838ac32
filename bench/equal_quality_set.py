"""Find equal quality for a set of images: a quality for each image of a peer."""

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
"""Builds a competitor from a source and presets by name."""


def render_presets(competitor: Competitor, core: Core) -> Mapping[str, bytes]:
    """Return the images of ``competitor`` by preset."""
    with Worker(competitor, core) as worker:
        worker.stages_ms()
        return worker.made()


def match_presets(
    prints: Prints,
    source: Path,
    presets: Mapping[str, Preset],
    ours: Mapping[str, bytes],
    target: Mapping[str, Pixels],
    core: Core,
) -> Mapping[str, Match]:
    """Return, for each preset in ``target``, the peer's quality that scores as ``ours`` does. Cached."""
    stamp = prints(source, presets).folder / STAMP
    made_from = stamp.read_text(encoding="ascii") if stamp.exists() else ""
    images = {name: ours[name].hex() for name in target}
    path = FOUND / f"{hash_sources([], str(NEIGHBOURS), repr(presets), made_from, repr(images))}.json"
    if path.exists():
        return {name: Match(**found) for name, found in json.loads(path.read_text(encoding="ascii")).items()}
    found = {}
    for name, pixels in target.items():

        def image(quality: int, name: str = name) -> bytes:
            return render_presets(prints(source, {name: {**presets[name], "quality": quality}}), core)[name]

        found[name] = _match(Original(pixels), ours[name], image)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({name: asdict(match) for name, match in found.items()}), encoding="ascii")
    return found


def _match(original: Original, ours: bytes, image: Callable[[int], bytes]) -> Match:
    def scored(quality: int) -> tuple[float, int]:
        body = image(quality)
        return original.score(decode_pixels(body)), len(body)

    return match(original.score(decode_pixels(ours)), scored)

"""Find equal quality for a set of images: a quality for each image of a peer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from .build_cache import read_stamp
from .competitors.model import Competitor
from .equal_quality import NEIGHBOURS, Match, match_image, remember
from .machine import Core
from .quality import Pixels
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

    def search() -> Mapping[str, object]:
        found = {}
        for name, pixels in target.items():

            def render(quality: int, name: str = name) -> bytes:
                return render_presets(prints(source, {name: {**presets[name], "quality": quality}}), core)[name]

            found[name] = asdict(match_image(ours[name], pixels, render))
        return found

    images = {name: ours[name].hex() for name in target}
    facts = (str(NEIGHBOURS), repr(presets), read_stamp(prints(source, presets).folder), repr(images))
    return {name: Match(**found) for name, found in remember(search, [], *facts).items()}

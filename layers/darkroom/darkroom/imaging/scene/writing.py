"""A whole scene in one process, strip by strip: what is held is one strip, and all shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...plan.limits import Limits
from ..formats.probe import Header
from ..source import Source
from ..tiling import settled
from .binding import Binding, bind
from .crowning import crown
from .cutting import Cut, Facts, cut, cut_of
from .planning import Scene

type Put = Callable[[int, bytes], None]
"""Takes the body of the strip with that number."""


def cuts(source: Source, header: Header, scene: Scene, limits: Limits) -> Iterator[Cut]:
    """All strips from the top, each once; the source is decoded once. Raises what :func:`cut` does."""
    if scene.by_region:
        for strip in range(scene.layout.strips):
            yield cut(source, header, scene, strip, limits)
        return
    image = settled(source, header, 0, limits.of_scenes)
    for strip in range(scene.layout.strips):
        part = scene.layout.part(strip, 0)
        yield cut_of(image.crop(0, strip * scene.layout.strip_px, *part), source, scene, strip)


def write(source: Source, header: Header, scene: Scene, put: Put, limits: Limits) -> Binding:
    """Make the scene in ``source`` and give its strips to ``put``; what then says how they become a file.

    Raises Damaged, OverLimits where the file would be too large, or what the source's stream or ``put`` raised.
    """
    facts: list[Facts] = []
    shares: list[bytes] = []
    for strip, made in enumerate(cuts(source, header, scene, limits)):
        put(strip, made.body)
        facts.append(made.facts)
        shares.append(made.share)
        del made
    return bind(scene, facts, crown(scene, shares), limits)

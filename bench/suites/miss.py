"""A miss as a viewer sees it: the whole path through the CDN, for Darkroom and for DIT behind the same CDN."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from cli.library.prices import LATENCY_MS, MEGABYTES_PER_S

from ..competitors.darkroom import darkroom, darkroom_unstored
from ..competitors.dit import NAME as DIT
from ..competitors.dit import dit
from ..competitors.model import Event, MissingCompetitor
from ..emulator import install_emulator
from ..environment import describe_machine, describe_rounds
from ..equal_quality import match_peers
from ..goals import Figure, Rounds, Section
from ..images import make_images
from ..link.process import run_link
from ..machine import Core, separate_cores
from ..measure import Entry, order_turns, start
from ..mezzanines import write_mezzanines
from ..origin.function_url import FunctionUrl, open_function_url
from ..origin.viewing import Viewer, open_viewer
from ..quality import resize_reference
from ..runtime import CompetitorError
from ..statistics import Spread
from ..tables import Table
from . import Progress
from .origin import CASE, QUERY, TURNS, UNMEASURED

ALWAYS_FUNCTION, STORES_NOTHING = "--always-function", "--stores-nothing"
"""Options of the CDN: the function is the only origin, and the settings are those of a deployment without a store."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Times of a miss in ms: until the viewer has the last byte, and the function's own part of it."""

    viewer_ms: float
    function_ms: float


@dataclass(frozen=True, slots=True)
class Path:
    """A competitor behind the CDN."""

    name: str
    viewer: Viewer
    function: FunctionUrl

    def request(self, number: int) -> Seen:
        """Request an image that was not requested before. Raises CompetitorError unless the function made it.

        The emulator responds when extensions have finished, Lambda before: that difference is subtracted.
        """
        known = len(self.function.invocations)
        seen = self.viewer.get(f"/{number}/{CASE.image}?{QUERY}")
        made = self.function.invocations[known:]
        if seen.status != 200 or len(made) != 1 or not seen.headers["content-type"].startswith("image/"):
            raise CompetitorError(f"{self.name}: {seen.status} {dict(seen.headers)} {seen.body[:200]!r}")
        [invocation] = made
        return Seen(seen.ms - (invocation.billed_ms - invocation.ms), invocation.ms)


@contextmanager
def open_path(entry: Entry, s3_url: str, core: Core, *options: str) -> Iterator[Path]:
    """Run a competitor, its Function URL, and a CDN in front of it with ``options``."""

    def build(target: str) -> Event:
        event = entry.event(CASE, int(target.split("/")[1]))
        if ALWAYS_FUNCTION in options:
            return event
        http = {**event["requestContext"]["http"], "path": target}
        return {**event, "rawPath": target, "requestContext": {**event["requestContext"], "http": http}}

    with ExitStack() as stack:
        running = stack.enter_context(start(entry.competitor, install_emulator(), core))
        function = stack.enter_context(open_function_url(running, build))
        viewer = stack.enter_context(open_viewer(s3_url, core, "--function", function.url, *options))
        yield Path(entry.competitor.name, viewer, function)


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure Darkroom as deployed and storing nothing, and DIT's calls, in turn."""
    load, turns = os.getloadavg()[0], TURNS[rounds]
    image = next(file for file in make_images() if file.name == CASE.image)
    derived = write_mezzanines([image])
    with separate_cores() as core, run_link([image], LATENCY_MS, MEGABYTES_PER_S, derived) as url:
        ours, unstored = darkroom(url), darkroom_unstored(url)
        try:
            peer = dit(url)
        except MissingCompetitor as reason:
            return Section("", missing=[f"{reason}."])
        reference = resize_reference(image, CASE.width)
        entries = match_peers(CASE, ours, [ours, unstored, peer], reference, install_emulator(), core)
        with ExitStack() as stack:
            paths = [
                stack.enter_context(open_path(entry, url, core, *options))
                for entry, options in zip(entries, ((), (STORES_NOTHING,), (ALWAYS_FUNCTION,)), strict=True)
            ]
            seen = measure_in_turns(paths, turns, progress)
    names = [path.name for path in paths]
    return Section(text(names, seen, turns, load), list(figures(seen)))


def measure_in_turns(paths: Sequence[Path], turns: int, progress: Progress) -> list[list[Seen]]:
    """Return what each path took, a list for each."""
    found: list[list[Seen]] = [[] for _ in paths]
    for turn in range(turns + UNMEASURED):
        progress(f"Misses through the CDN: {turn + 1}/{turns + UNMEASURED}")
        for index in order_turns(len(paths), turn):
            found[index].append(paths[index].request(turn * len(paths) + index))
    return [one[UNMEASURED:] for one in found]


def figures(seen: Sequence[Sequence[Seen]]) -> Iterator[Figure]:
    """Yield the ratio to the peer, and what the path adds to the function where nothing is stored."""
    stored, _, peer = (Spread.of(one.viewer_ms for one in path) for path in seen)
    ratios = [ours / theirs for ours, theirs in zip(stored.values, peer.values, strict=True)]
    own = Spread.of(one.function_ms for one in seen[0]).ratio_to(peer)
    why = f"the function alone is {own:.2f} of {DIT} behind the CDN; S3's response before it is the rest"
    yield Figure("miss-through-cdn", stored.ratio_to(peer), min(ratios), max(ratios), own, why)
    added = Spread.of(one.viewer_ms - one.function_ms for one in seen[1])
    why = "the CDN is Python, and runs the function at the edge in another process"
    yield Figure("miss-over-function", added.middle, added.low, added.high, None, why)


def text(names: Sequence[str], seen: Sequence[Sequence[Seen]], turns: int, load: float) -> str:
    """Format the table and its conditions."""
    viewers = [Spread.of(one.viewer_ms for one in path) for path in seen]
    rows = [
        (
            name,
            str(viewer),
            f"{viewer.ratio_to(viewers[-1]):.2f}",
            str(Spread.of(one.function_ms for one in path)),
            str(Spread.of(one.viewer_ms - one.function_ms for one in path)),
        )
        for name, viewer, path in zip(names, viewers, seen, strict=True)
    ]
    notes = [
        "- The local CDN with an empty cache. For Darkroom it has the distribution's origin group and both edge "
        "functions: S3 answers 404, then the function is asked; storing nothing, the function is asked at once, as for "
        f"{DIT}. API Gateway is left out.",
        "- Left out: the network to the viewer, Lambda's front end, TLS. The CDN is Python, slower than CloudFront.",
        f"- {describe_machine()}; S3 is {LATENCY_MS:.0f} ms to the first byte and {MEGABYTES_PER_S:.0f} MB/s.",
        f"- {describe_rounds(turns, load)}",
    ]
    heads = ("", "viewer ms", "ratio", "function ms", "added ms")
    return Table(f"{CASE.title}, not stored, through the CDN", heads, rows, ["\n".join(notes)]).markdown()

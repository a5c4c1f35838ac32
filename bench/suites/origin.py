"""A stored image through the CDN's origin group, compared with DIT, which renders each time."""

from __future__ import annotations

import os
from base64 import b64decode
from pathlib import Path

from cli.library.prices import LATENCY_MS, MEGABYTES_PER_S

from ..cases import WEBP_12MP
from ..competitors.darkroom import darkroom
from ..competitors.dit import NAME as DIT
from ..competitors.dit import dit
from ..competitors.model import MissingCompetitor
from ..emulator import install_emulator
from ..environment import describe_machine, describe_rounds
from ..equal_quality import match_peers
from ..goals import Figure, Rounds, Section
from ..images import make_images
from ..link.process import run_link
from ..machine import Core, separate_cores
from ..measure import Entry, build_event, order_turns, start
from ..origin.viewing import Viewer, ViewerResponse, open_viewer, store_image
from ..quality import resize_reference
from ..runtime import CompetitorError
from ..statistics import Spread
from ..tables import Table
from . import Progress

CASE = WEBP_12MP
OPTIONS = f"w-{CASE.width}.{CASE.form}"
QUERY = f"w={CASE.width}&f={CASE.form}"
TURNS = {"full": 31, "quick": 7}
UNMEASURED = 3
STORED = ("content-type", "cache-control")


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure both in turn, on one core."""
    load, times = os.getloadavg()[0], TURNS[rounds]
    image = next(file for file in make_images() if file.name == CASE.image)
    with separate_cores() as core, run_link([image], LATENCY_MS, MEGABYTES_PER_S) as url:
        body = store_copies(url, times + UNMEASURED, core)
        with open_viewer(url, core) as who:
            try:
                peer = enter_dit(url, image, core)
            except MissingCompetitor as reason:
                return Section(text(alone(who, body, times, progress), None, body, times, load), missing=[f"{reason}."])
            ours, theirs = measure_in_turns(who, body, peer, times, core, progress)
    return Section(text(ours, theirs, body, times, load), [figure(ours, theirs, body)])


def store_copies(url: str, copies: int, core: Core) -> bytes:
    """Store Darkroom's image under ``copies`` keys, with its headers. Return its bytes. Raises CompetitorError."""
    with start(darkroom(url), install_emulator(), core) as running:
        answer = running.invoke(build_event(CASE, 1_000_000)).answer
    body = b64decode(answer["body"])
    headers = {name: value for name, value in answer["headers"].items() if name.lower() in STORED}
    for number in range(copies):
        store_image(url, f"derivatives/{number}/{CASE.image}/_/{OPTIONS}", body, headers)
    return body


def enter_dit(url: str, image: Path, core: Core) -> Entry:
    """Return DIT's calls with the quality that scores as Darkroom's image. Raises MissingCompetitor."""
    reference = resize_reference(image, CASE.width)
    [entry] = match_peers(CASE, darkroom(url), [dit(url)], reference, install_emulator(), core)
    return entry


def measure_in_turns(
    who: Viewer, body: bytes, peer: Entry, times: int, core: Core, progress: Progress
) -> tuple[Spread, Spread]:
    """Measure the CDN's responses and the peer's, in turn, in ms."""
    found: tuple[list[float], list[float]] = ([], [])
    with start(peer.competitor, install_emulator(), core) as running:
        for turn in range(times + UNMEASURED):
            progress(f"Origin group: {turn + 1}/{times + UNMEASURED}")
            for index in order_turns(2, turn):
                theirs = index == 1
                ms = running.invoke(peer.event(CASE, turn)).ms if theirs else request_copy(who, turn, body).ms
                found[index].append(ms)
    return Spread.of(found[0][UNMEASURED:]), Spread.of(found[1][UNMEASURED:])


def alone(who: Viewer, body: bytes, times: int, progress: Progress) -> Spread:
    """Measure the CDN's responses only."""
    progress("Origin group")
    found = [request_copy(who, number, body).ms for number in range(times + UNMEASURED)]
    return Spread.of(found[UNMEASURED:])


def request_copy(who: Viewer, number: int, body: bytes) -> ViewerResponse:
    """Request copy ``number`` of the stored image. Raises CompetitorError unless S3 returns the image."""
    seen = who.get(f"/{number}/{CASE.image}?{QUERY}")
    if seen.status != 200 or seen.body != body or not seen.headers.get("x-cache", "").startswith("Miss"):
        raise CompetitorError(f"the CDN: {seen.status} {dict(seen.headers)} {len(seen.body)} bytes {seen.body[:200]!r}")
    return seen


def waiting_ms(body: bytes) -> float:
    """Return S3's time: its first byte and the image's bytes."""
    return LATENCY_MS + len(body) / MEGABYTES_PER_S / 1000


def figure(ours: Spread, theirs: Spread, body: bytes) -> Figure:
    """Return the ratio; the lower bound is waiting for S3."""
    ratios = [one / other for one, other in zip(ours.values, theirs.values, strict=True)]
    floor = waiting_ms(body) / theirs.middle
    why = f"S3's first byte and the image's bytes alone are {floor:.2f} of {DIT}"
    return Figure("origin-group", ours.ratio_to(theirs), min(ratios), max(ratios), floor, why)


def text(ours: Spread, theirs: Spread | None, body: bytes, times: int, load: float) -> str:
    """Format the table and its conditions."""
    base = theirs or ours
    rows = [("Darkroom, stored: CDN and S3", str(ours), f"{ours.ratio_to(base):.2f}")]
    if theirs is not None:
        rows.append((f"{DIT}, rendering", str(theirs), "1.00"))
    rows.append(("S3 alone", f"{waiting_ms(body):.0f}", f"{waiting_ms(body) / base.middle:.2f}"))
    notes = [
        f"- The local CDN with the distribution's origin group and both edge functions, an empty cache; the "
        f"viewer requests `?{QUERY}`, S3 has the image ({len(body):,} bytes), no function runs. Darkroom's time "
        f"includes the CDN's (in Python, slower than CloudFront); {DIT} have no CDN in front.",
        f"- {DIT} in their warm handler on the same link, at equal quality.",
        f"- {describe_machine()}; S3 is {LATENCY_MS:.0f} ms to the first byte and {MEGABYTES_PER_S:.0f} MB/s.",
        f"- {describe_rounds(times, load)}",
    ]
    return Table(f"{CASE.title}, already stored", ("", "ms", "ratio"), rows, ["\n".join(notes)]).markdown()

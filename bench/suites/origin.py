"""A picture that is stored, through the CDN's group of origins, beside DIT, which renders it each time."""

from __future__ import annotations

import os
from base64 import b64decode
from pathlib import Path

from ..cases import WEBP_12MP
from ..competitors.darkroom import darkroom
from ..competitors.dit import NAME as DIT
from ..competitors.dit import dit
from ..competitors.model import MissingCompetitor
from ..emulator import install_emulator
from ..environment import LATENCY_MS, MEGABYTES_PER_S, describe_machine, describe_rounds
from ..equal_quality import match_peers
from ..goals import Figure, Rounds, Section
from ..link.process import run_link
from ..machine import Core, separate_cores
from ..measure import Entry, build_event, order_turns, start
from ..origin.viewing import Viewer, ViewerResponse, open_viewer, store_image
from ..pictures import make_images
from ..quality import resize_reference
from ..runtime import NoAnswer
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
    """Both in turn, on one core."""
    load, times = os.getloadavg()[0], TURNS[rounds]
    picture = next(file for file in make_images() if file.name == CASE.picture)
    with separate_cores() as core, run_link([picture], LATENCY_MS, MEGABYTES_PER_S) as url:
        body = store_copies(url, times + UNMEASURED, core)
        with open_viewer(url, core) as who:
            try:
                peer = enter_dit(url, picture, core)
            except MissingCompetitor as reason:
                return Section(text(alone(who, body, times, progress), None, body, times, load), missing=[f"{reason}."])
            ours, theirs = measure_in_turns(who, body, peer, times, core, progress)
    return Section(text(ours, theirs, body, times, load), [figure(ours, theirs, body)])


def store_copies(url: str, copies: int, core: Core) -> bytes:
    """Store Darkroom's picture under so many keys, with the headers that it gives it; its bytes. Raises NoAnswer."""
    with start(darkroom(url), install_emulator(), core) as running:
        answer = running.invoke(build_event(CASE, 1_000_000)).answer
    body = b64decode(answer["body"])
    headers = {name: value for name, value in answer["headers"].items() if name.lower() in STORED}
    for number in range(copies):
        store_image(url, f"derivatives/{number}/{CASE.picture}/_/{OPTIONS}", body, headers)
    return body


def enter_dit(url: str, picture: Path, core: Core) -> Entry:
    """DIT's calls, at the quality that looks as Darkroom's picture does; raises Missing."""
    wanted = resize_reference(picture, CASE.width)
    [entry] = match_peers(CASE, darkroom(url), [dit(url)], wanted, install_emulator(), core)
    return entry


def measure_in_turns(
    who: Viewer, body: bytes, peer: Entry, times: int, core: Core, progress: Progress
) -> tuple[Spread, Spread]:
    """The CDN's answers and the peer's, in turn, in ms."""
    found: tuple[list[float], list[float]] = ([], [])
    with start(peer.contender, install_emulator(), core) as running:
        for turn in range(times + UNMEASURED):
            progress(f"Origin group: {turn + 1}/{times + UNMEASURED}")
            for index in order_turns(2, turn):
                theirs = index == 1
                ms = running.invoke(peer.event(CASE, turn)).ms if theirs else request_copy(who, turn, body).ms
                found[index].append(ms)
    return Spread.of(found[0][UNMEASURED:]), Spread.of(found[1][UNMEASURED:])


def alone(who: Viewer, body: bytes, times: int, progress: Progress) -> Spread:
    """The CDN's answers only."""
    progress("Origin group")
    found = [request_copy(who, number, body).ms for number in range(times + UNMEASURED)]
    return Spread.of(found[UNMEASURED:])


def request_copy(who: Viewer, number: int, body: bytes) -> ViewerResponse:
    """The stored picture's copy ``number``; raises NoAnswer unless it comes from S3 and is the picture."""
    seen = who.get(f"/{number}/{CASE.picture}?{QUERY}")
    if seen.status != 200 or seen.body != body or not seen.headers.get("x-cache", "").startswith("Miss"):
        raise NoAnswer(f"the CDN: {seen.status} {dict(seen.headers)} {len(seen.body)} bytes {seen.body[:200]!r}")
    return seen


def waiting_ms(body: bytes) -> float:
    """What S3 alone takes: its first byte and the picture's bytes."""
    return LATENCY_MS + len(body) / MEGABYTES_PER_S / 1000


def figure(ours: Spread, theirs: Spread, body: bytes) -> Figure:
    """The ratio; the floor is waiting for S3 alone."""
    ratios = [one / other for one, other in zip(ours.values, theirs.values, strict=True)]
    floor = waiting_ms(body) / theirs.middle
    why = f"S3's first byte and the picture's bytes alone are {floor:.2f} of {DIT}"
    return Figure("origin-group", ours.ratio_to(theirs), min(ratios), max(ratios), floor, why)


def text(ours: Spread, theirs: Spread | None, body: bytes, times: int, load: float) -> str:
    """The table, and what it holds for."""
    base = theirs or ours
    rows = [("Darkroom, stored: CDN, S3", str(ours), f"{ours.ratio_to(base):.2f}")]
    if theirs is not None:
        rows.append((f"{DIT}, rendering", str(theirs), "1.00"))
    rows.append(("S3 alone", f"{waiting_ms(body):.0f}", f"{waiting_ms(body) / base.middle:.2f}"))
    notes = [
        f"- The local CDN with the distribution's group of origins and both edge functions, nothing in its cache; the "
        f"viewer asks for `?{QUERY}`, S3 has it ({len(body):,} bytes), no function runs. The CDN's own time is in ours "
        f"(it is Python, and slower than CloudFront) and in front of {DIT} there is none.",
        f"- {DIT} in their warm handler on the same line, at the quality that looks as Darkroom's picture does.",
        f"- {describe_machine()}; S3 is {LATENCY_MS:.0f} ms from its first byte and {MEGABYTES_PER_S:.0f} MB/s fast.",
        f"- {describe_rounds(times, load)}",
    ]
    return Table(f"{CASE.title}, already stored", ("", "ms", "ratio"), rows, ["\n".join(notes)]).markdown()

"""Equal quality: each peer's encoder is asked for what looks as much like the wanted picture as Darkroom's answer does.

A ratio of times or bytes says nothing where one picture is better than the other. So a peer's quality is looked for by
halving, once for each case, by SSIMULACRA2 against a lossless Lanczos resize of all pixels. What was found is kept
until Darkroom's answer or the peer changes.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import count
from pathlib import Path
from statistics import fmean, linear_regression

from .build_cache import STAMP, hash_sources
from .cases import Case
from .competitors.darkroom import NAME
from .competitors.model import DEFAULT_QUALITY, Competitor
from .machine import Core
from .measure import Entry, start
from .paths import WORK
from .quality import Pixels, decode_pixels
from .ssimulacra2 import Original

TOLERANCE = 0.5
"""Scores that differ by less are equal."""

NEIGHBOURS = 2
"""Qualities beyond the two that the wanted score is between, that are tried too."""

FOUND = WORK / "equal"
_NUMBERS = count(1_000_000)
"""Requests of this search name other sources than those that are measured."""


@dataclass(frozen=True, slots=True)
class Match:
    """The quality that a peer is asked for, its picture's score, and the bytes it would take to score as ours does."""

    quality: int
    score: float
    equal_bytes: int


def find_neighbours(wanted: float, score_of: Callable[[int], float]) -> tuple[int, int]:
    """The two neighbouring qualities of 1 to 100 whose scores ``wanted`` is between, if scores rise with quality.

    They are the first or the last two where ``wanted`` is beyond.
    """
    score_of = cache(score_of)
    low, high = 1, 100
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if score_of(middle) < wanted else (low, middle)
    return low, high


def find_nearest(wanted: float, score_of: Callable[[int], float]) -> int:
    """The quality whose score is nearest to ``wanted``."""
    score_of = cache(score_of)
    return min(find_neighbours(wanted, score_of), key=lambda quality: abs(score_of(quality) - wanted))


def interpolate_bytes(wanted: float, pictures: Iterable[tuple[float, int]]) -> int:
    """The bytes at the score ``wanted``, by a straight line through scores and logarithms of bytes.

    Through several pictures, since encoders' steps are uneven: of two neighbouring qualities the higher may score less.
    """
    scores, logs = zip(*((score, math.log(size)) for score, size in pictures), strict=True)
    if len(set(scores)) == 1:
        return round(math.exp(fmean(logs)))
    slope, intercept = linear_regression(scores, logs)
    return round(math.exp(intercept + slope * wanted))


def match(wanted: float, picture: Callable[[int], tuple[float, int]]) -> Match:
    """The best of a peer's qualities for the score ``wanted``; ``picture`` gives the score and the bytes of one."""
    picture = cache(picture)
    low, high = find_neighbours(wanted, lambda quality: picture(quality)[0])
    near = range(max(1, low - NEIGHBOURS), min(100, high + NEIGHBOURS) + 1)
    quality = min(near, key=lambda one: abs(picture(one)[0] - wanted))
    return Match(quality, picture(quality)[0], interpolate_bytes(wanted, map(picture, near)))


def request_image(case: Case, contender: Competitor, quality: int, emulator: Path, core: Core) -> bytes:
    """One picture of ``contender``; raises NoAnswer."""
    with start(contender, emulator, core) as running:
        return b64decode(running.invoke(Entry(contender, quality).event(case, next(_NUMBERS))).answer["body"])


def match_peer(case: Case, ours: bytes, wanted: Pixels, peer: Competitor, emulator: Path, core: Core) -> Match:
    """The quality of ``peer`` at which it looks like ``ours``, both compared to ``wanted``; raises NoAnswer."""
    stamp = peer.folder / STAMP
    made_from = stamp.read_text(encoding="ascii") if stamp.exists() else ""
    name = hash_sources([], str(NEIGHBOURS), repr(case), peer.name, made_from, ours.hex())
    path = FOUND / f"{name}.json"
    if path.exists():
        return Match(**json.loads(path.read_text(encoding="ascii")))
    original = Original(wanted)
    with start(peer, emulator, core) as running:

        def picture(quality: int) -> tuple[float, int]:
            event = Entry(peer, quality).event(case, next(_NUMBERS))
            body = b64decode(running.invoke(event).answer["body"])
            return original.score(decode_pixels(body)), len(body)

        found = match(original.score(decode_pixels(ours)), picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(found)), encoding="ascii")
    return found


def match_peers(
    case: Case, ours: Competitor, others: Sequence[Competitor], wanted: Pixels, emulator: Path, core: Core
) -> list[Entry]:
    """``others``, each with the quality at which it looks like ``ours``; raises NoAnswer.

    A contender that is Darkroom as well is asked as ours is.
    """
    quality = case.quality or DEFAULT_QUALITY
    body = request_image(case, ours, quality, emulator, core)
    found = []
    for other in others:
        if other.name.startswith(NAME):
            found.append(Entry(other, quality))
        else:
            match = match_peer(case, body, wanted, other, emulator, core)
            found.append(Entry(other, match.quality, match.equal_bytes))
    return found

"""Find each peer's encoder quality whose image has the same score as Darkroom's.

Ratios of times or bytes are meaningless for images of different quality. So each peer's quality is searched by
bisection, once for each case, with SSIMULACRA2 against a lossless Lanczos resize of all pixels. The result is cached
until Darkroom's response or the peer changes.
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
from typing import Any

from .build_cache import hash_sources, read_stamp
from .cases import Case
from .competitors.darkroom import NAME
from .competitors.model import DEFAULT_QUALITY, Competitor
from .machine import Core
from .measure import Entry, start
from .paths import WORK
from .quality import Pixels, decode_pixels
from .ssimulacra2 import Original

TOLERANCE = 0.5
"""Largest difference of equal scores."""

NEIGHBOURS = 2
"""Qualities tried beyond the two that enclose the target score."""

FOUND = WORK / "equal"
_NUMBERS = count(1_000_000)
"""Requests of the search use other sources than the measurement."""


@dataclass(frozen=True, slots=True)
class Match:
    """A peer's quality, its image's score, and the interpolated bytes at Darkroom's score."""

    quality: int
    score: float
    equal_bytes: int


def find_neighbours(target: float, score_of: Callable[[int], float]) -> tuple[int, int]:
    """Return the two adjacent qualities of 1 to 100 whose scores enclose ``target``, for rising scores.

    Return the first or last two if ``target`` is beyond them.
    """
    score_of = cache(score_of)
    low, high = 1, 100
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if score_of(middle) < target else (low, middle)
    return low, high


def interpolate_bytes(target: float, images: Iterable[tuple[float, int]]) -> int:
    """Interpolate the bytes at the score ``target``, linear in scores and logarithms of bytes.

    Several images are used because encoders' steps are uneven: of two adjacent qualities the higher may score less.
    """
    scores, logs = zip(*((score, math.log(size)) for score, size in images), strict=True)
    if len(set(scores)) == 1:
        return round(math.exp(fmean(logs)))
    slope, intercept = linear_regression(scores, logs)
    return round(math.exp(intercept + slope * target))


def match(target: float, image: Callable[[int], tuple[float, int]]) -> Match:
    """Return a peer's best quality for the score ``target``; ``image`` returns score and bytes of a quality."""
    image = cache(image)
    low, high = find_neighbours(target, lambda quality: image(quality)[0])
    near = range(max(1, low - NEIGHBOURS), min(100, high + NEIGHBOURS) + 1)
    quality = min(near, key=lambda one: abs(image(one)[0] - target))
    return Match(quality, image(quality)[0], interpolate_bytes(target, map(image, near)))


def request_image(case: Case, competitor: Competitor, quality: int, emulator: Path, core: Core) -> bytes:
    """Return one image of ``competitor``. Raises CompetitorError."""
    with start(competitor, emulator, core) as running:
        return b64decode(running.invoke(Entry(competitor, quality).event(case, next(_NUMBERS))).answer["body"])


def match_image(ours: bytes, target: Pixels, image: Callable[[int], bytes]) -> Match:
    """Return the quality whose ``image`` scores as ``ours``, both compared with ``target``."""
    original = Original(target)

    def score(quality: int) -> tuple[float, int]:
        body = image(quality)
        return original.score(decode_pixels(body)), len(body)

    return match(original.score(decode_pixels(ours)), score)


def remember(make: Callable[[], Any], sources: Iterable[Path], *facts: str) -> Any:
    """Return what ``make`` returned, as JSON, for the same files and ``facts``, if necessary now."""
    path = FOUND / f"{hash_sources(sources, *facts)}.json"
    if not path.exists():
        found = json.dumps(make())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="ascii")
    return json.loads(path.read_text(encoding="ascii"))


def match_peer(case: Case, ours: bytes, target: Pixels, peer: Competitor, emulator: Path, core: Core) -> Match:
    """Return the quality of ``peer`` that scores as ``ours``, both compared with ``target``. Raises CompetitorError."""

    def search() -> dict[str, float]:
        with start(peer, emulator, core) as running:

            def request(quality: int) -> bytes:
                return b64decode(running.invoke(Entry(peer, quality).event(case, next(_NUMBERS))).answer["body"])

            return asdict(match_image(ours, target, request))

    facts = (str(NEIGHBOURS), repr(case), peer.name, read_stamp(peer.folder), ours.hex())
    return Match(**remember(search, [], *facts))


def match_peers(
    case: Case, ours: Competitor, others: Sequence[Competitor], target: Pixels, emulator: Path, core: Core
) -> list[Entry]:
    """Return ``others`` with the qualities that score as ``ours``. Raises CompetitorError.

    Variants of Darkroom use its own quality.
    """
    quality = case.quality or DEFAULT_QUALITY
    body = request_image(case, ours, quality, emulator, core)
    found = []
    for other in others:
        if other.name.startswith(NAME):
            found.append(Entry(other, quality))
        else:
            match = match_peer(case, body, target, other, emulator, core)
            found.append(Entry(other, match.quality, match.equal_bytes))
    return found

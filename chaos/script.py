"""Draw the users' actions from the seed: uploads, overwrites and deletions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from random import Random
from typing import NamedTuple

from .images import COLOURS, Content, ImageFactory
from .seeded_rng import seeded_random


class Operation(StrEnum):
    """Kinds of actions. ``DELETE_OLD`` deletes the oldest noncurrent version permanently."""

    PUT = "put"
    DELETE = "delete"
    DELETE_OLD = "delete an old version"


@dataclass(frozen=True, slots=True)
class Action:
    """One action on one object. ``content`` is None unless it is a PUT."""

    operation: Operation
    key: str
    content: Content | None = None


class _Timed(NamedTuple):
    at: float
    action: Action


HOT_KEYS = 5
HOT_PUTS = 8
"""Number of uploads to keys that are overwritten repeatedly while renders of them run."""

POPULAR = 8
"""Number of photographs that many users upload."""

QUICK, SLOW = 0.001, 0.15
"""Distance of two actions on one key as a share of the script: adjacent, or with many others in between."""

NAMES = ("photo-{}.jpg", "albums/summer/{}.png", "users/zoë/ein bild {}.webp", "a+b={}&c.jpg", "100%/{}.jpeg")
BAD_NAMES = ("folder/_/{}.jpg", "a//{}.jpg")


def write_script(seed: int, uploads: int) -> list[Action]:
    """Draw a script of ``uploads`` PUTs, with deletions between them."""
    rng = seeded_random(seed, "script")
    images = ImageFactory(seed)
    timed: list[_Timed] = []
    puts = 0
    for number in range(uploads):
        actions = [*_draw_actions(rng, images, number, hot=number < HOT_KEYS and uploads >= HOT_KEYS * HOT_PUTS * 2)]
        actions = _limit_puts(actions, uploads - puts)
        puts += sum(action.operation is Operation.PUT for action in actions)
        timed += _spread(rng, actions)
        if puts == uploads:
            break
    return [timed_action.action for timed_action in sorted(timed, key=lambda timed_action: timed_action.at)]


def hot_keys(seed: int, script: list[Action]) -> tuple[str, ...]:
    """Return the keys of ``script``, those with most actions first."""
    counts = {key: len([*actions]) for key, actions in groupby(sorted(action.key for action in script))}
    return tuple(sorted(counts, key=lambda key: (-counts[key], seeded_random(seed, key).random())))


def _limit_puts(actions: list[Action], puts: int) -> list[Action]:
    """Cut ``actions`` before the first PUT that exceeds ``puts``."""
    kept: list[Action] = []
    for action in actions:
        puts -= action.operation is Operation.PUT
        if puts < 0:
            break
        kept.append(action)
    return kept


def _spread(rng: Random, actions: list[Action]) -> Iterator[_Timed]:
    quick = rng.random() < 0.5
    at = rng.random()
    for action in actions:
        yield _Timed(at, action)
        at += rng.random() * (QUICK if quick else SLOW)


def _draw_actions(rng: Random, images: ImageFactory, number: int, *, hot: bool) -> Iterator[Action]:
    key = rng.choice(NAMES).format(number)
    if hot:
        yield from _draw_overwrites(rng, images, key, HOT_PUTS)
        return
    kind: _Pattern = rng.choices([*_PATTERNS], [*_PATTERNS.values()])[0]
    yield from kind(rng, images, key)


def _put(key: str, content: Content) -> Action:
    return Action(Operation.PUT, key, content)


def _draw_photographs(rng: Random, images: ImageFactory, count: int) -> list[Content]:
    """Draw photographs of different colours."""
    first = rng.randrange(1000)
    steps = rng.sample(range(len(COLOURS)), count)
    return [images.photograph(first * len(COLOURS) + step) for step in steps]


def _draw_single(rng: Random, images: ImageFactory, key: str) -> Iterator[Action]:
    yield _put(key, _draw_photographs(rng, images, 1)[0])


def _draw_popular(rng: Random, images: ImageFactory, key: str) -> Iterator[Action]:
    yield _put(key, images.photograph(rng.randrange(POPULAR)))


def _draw_refused(rng: Random, images: ImageFactory, key: str) -> Iterator[Action]:
    number = rng.randrange(10_000)
    yield _put(key, images.damaged(number) if rng.random() < 0.6 else images.other(number))


def _draw_bad_key(rng: Random, images: ImageFactory, key: str) -> Iterator[Action]:
    content = _draw_photographs(rng, images, 1)[0]
    name = rng.choice(BAD_NAMES).format(key.replace("/", "-"))
    yield _put(name, Content(content.name, content.data, "bad-key", content.colour))


def _draw_overwrites(rng: Random, images: ImageFactory, key: str, puts: int = 0) -> Iterator[Action]:
    """Draw overwrites. Some contents are damaged, rarely the last."""
    contents = _draw_photographs(rng, images, puts or rng.randint(2, 5))
    for content in contents:
        unfit = rng.random() < 0.15
        yield _put(key, images.damaged(int(content.name.split()[1])) if unfit else content)


def _draw_revert(rng: Random, images: ImageFactory, key: str) -> Iterator[Action]:
    """Draw uploads A, B, A."""
    first, second = _draw_photographs(rng, images, 2)
    yield from (_put(key, content) for content in (first, second, first))


def _draw_deletion(rng: Random, images: ImageFactory, key: str) -> Iterator[Action]:
    for content in _draw_photographs(rng, images, rng.randint(1, 2)):
        yield _put(key, content)
    yield Action(Operation.DELETE, key)


def _draw_reupload(rng: Random, images: ImageFactory, key: str) -> Iterator[Action]:
    first, second = _draw_photographs(rng, images, 2)
    yield from (_put(key, first), Action(Operation.DELETE, key))
    again = rng.choice((first, second, images.damaged(int(second.name.split()[1]))))
    yield _put(key, again)


def _draw_old_version_deletion(rng: Random, images: ImageFactory, key: str) -> Iterator[Action]:
    first, second = _draw_photographs(rng, images, 2)
    yield from (_put(key, first), _put(key, second), Action(Operation.DELETE_OLD, key))


type _Pattern = Callable[[Random, ImageFactory, str], Iterator[Action]]

_PATTERNS: Mapping[_Pattern, int] = {
    _draw_single: 34,
    _draw_popular: 20,
    _draw_refused: 10,
    _draw_bad_key: 1,
    _draw_overwrites: 14,
    _draw_revert: 6,
    _draw_deletion: 6,
    _draw_reupload: 5,
    _draw_old_version_deletion: 4,
}

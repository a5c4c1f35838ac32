"""What users do: a script of uploads, overwrites and deletions, drawn from the seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from random import Random
from typing import NamedTuple

from .pictures import COLOURS, Content, ImageFactory
from .seeded_rng import seeded_random


class Operation(StrEnum):
    """``DELETE_OLD``: the oldest version of the object that is not the current one, for good."""

    PUT = "put"
    DELETE = "delete"
    DELETE_OLD = "delete an old version"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing done to one object. ``content`` is None unless it is a PUT."""

    deed: Operation
    key: str
    content: Content | None = None


class _Timed(NamedTuple):
    at: float
    act: Action


HOT_KEYS = 5
HOT_PUTS = 8
"""Keys that are overwritten again and again while renders of them go on."""

POPULAR = 8
"""Photographs that many users upload."""

QUICK, SLOW = 0.001, 0.15
"""How far apart two acts on one key are, in parts of the script's length: nothing comes between, or much does."""

NAMES = ("photo-{}.jpg", "albums/summer/{}.png", "users/zoë/ein bild {}.webp", "a+b={}&c.jpg", "100%/{}.jpeg")
BAD_NAMES = ("folder/_/{}.jpg", "a//{}.jpg")


def write_script(seed: int, uploads: int) -> list[Action]:
    """``uploads`` PUTs in their order, with deletions between them."""
    chance = seeded_random(seed, "script")
    studio = ImageFactory(seed)
    timed: list[_Timed] = []
    puts = 0
    for number in range(uploads):
        story = [*_story(chance, studio, number, hot=number < HOT_KEYS and uploads >= HOT_KEYS * HOT_PUTS * 2)]
        story = _shortened(story, uploads - puts)
        puts += sum(act.deed is Operation.PUT for act in story)
        timed += _spread(chance, story)
        if puts == uploads:
            break
    return [timed_act.act for timed_act in sorted(timed, key=lambda timed_act: timed_act.at)]


def hot_keys(seed: int, script: list[Action]) -> tuple[str, ...]:
    """All keys of ``script``, those that are acted upon most first."""
    counts = {key: len([*acts]) for key, acts in groupby(sorted(act.key for act in script))}
    return tuple(sorted(counts, key=lambda key: (-counts[key], seeded_random(seed, key).random())))


def _shortened(story: list[Action], puts: int) -> list[Action]:
    """``story`` up to its last PUT that is allowed, and what follows that."""
    kept: list[Action] = []
    for act in story:
        puts -= act.deed is Operation.PUT
        if puts < 0:
            break
        kept.append(act)
    return kept


def _spread(chance: Random, story: list[Action]) -> Iterator[_Timed]:
    quick = chance.random() < 0.5
    at = chance.random()
    for act in story:
        yield _Timed(at, act)
        at += chance.random() * (QUICK if quick else SLOW)


def _story(chance: Random, studio: ImageFactory, number: int, *, hot: bool) -> Iterator[Action]:
    key = chance.choice(NAMES).format(number)
    if hot:
        yield from _overwritten(chance, studio, key, HOT_PUTS)
        return
    kind: _Story = chance.choices([*_STORIES], [*_STORIES.values()])[0]
    yield from kind(chance, studio, key)


def _put(key: str, content: Content) -> Action:
    return Action(Operation.PUT, key, content)


def _different(chance: Random, studio: ImageFactory, count: int) -> list[Content]:
    """Photographs of which no two have the same colour."""
    first = chance.randrange(1000)
    steps = chance.sample(range(len(COLOURS)), count)
    return [studio.photograph(first * len(COLOURS) + step) for step in steps]


def _single(chance: Random, studio: ImageFactory, key: str) -> Iterator[Action]:
    yield _put(key, _different(chance, studio, 1)[0])


def _popular(chance: Random, studio: ImageFactory, key: str) -> Iterator[Action]:
    yield _put(key, studio.photograph(chance.randrange(POPULAR)))


def _unfit(chance: Random, studio: ImageFactory, key: str) -> Iterator[Action]:
    number = chance.randrange(10_000)
    yield _put(key, studio.damaged(number) if chance.random() < 0.6 else studio.other(number))


def _badly_named(chance: Random, studio: ImageFactory, key: str) -> Iterator[Action]:
    content = _different(chance, studio, 1)[0]
    name = chance.choice(BAD_NAMES).format(key.replace("/", "-"))
    yield _put(name, Content(content.name, content.data, "bad-key", content.colour))


def _overwritten(chance: Random, studio: ImageFactory, key: str, puts: int = 0) -> Iterator[Action]:
    """Some of the contents are damaged, the last one seldom."""
    contents = _different(chance, studio, puts or chance.randint(2, 5))
    for content in contents:
        unfit = chance.random() < 0.15
        yield _put(key, studio.damaged(int(content.name.split()[1])) if unfit else content)


def _back_again(chance: Random, studio: ImageFactory, key: str) -> Iterator[Action]:
    """A, B, A."""
    first, second = _different(chance, studio, 2)
    yield from (_put(key, content) for content in (first, second, first))


def _deleted(chance: Random, studio: ImageFactory, key: str) -> Iterator[Action]:
    for content in _different(chance, studio, chance.randint(1, 2)):
        yield _put(key, content)
    yield Action(Operation.DELETE, key)


def _deleted_and_uploaded(chance: Random, studio: ImageFactory, key: str) -> Iterator[Action]:
    first, second = _different(chance, studio, 2)
    yield from (_put(key, first), Action(Operation.DELETE, key))
    again = chance.choice((first, second, studio.damaged(int(second.name.split()[1]))))
    yield _put(key, again)


def _tidied(chance: Random, studio: ImageFactory, key: str) -> Iterator[Action]:
    first, second = _different(chance, studio, 2)
    yield from (_put(key, first), _put(key, second), Action(Operation.DELETE_OLD, key))


type _Story = Callable[[Random, ImageFactory, str], Iterator[Action]]

_STORIES: Mapping[_Story, int] = {
    _single: 34,
    _popular: 20,
    _unfit: 10,
    _badly_named: 1,
    _overwritten: 14,
    _back_again: 6,
    _deleted: 6,
    _deleted_and_uploaded: 5,
    _tidied: 4,
}

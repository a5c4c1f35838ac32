"""Experiments: visitors are divided between presets by a hash. The edge function repeats :func:`assign_variant`.

The hash is a polynomial of the visitor's identifier over the integers modulo HASH_MODULUS, at a point that depends on
the name of the experiment. So a visitor keeps a variant, and the variants of two experiments are independent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

HASH_MODULUS = 1_000_003
"""A prime: the product of two smaller numbers is exact in JavaScript."""

BEACON = "/_/beacon"
"""The path of beacons, which the edge function answers. No key begins with it."""

NAME = re.compile(r"[a-z][a-z0-9]{0,31}")
"""Names of experiments. The first character distinguishes ``exp=hero`` from ``exp=1800000000``, an expiry."""

VISITOR = re.compile(r"[\w.-]{1,64}", re.ASCII)
"""Identifiers of visitors. A request with another one, or with none, gets the first variant."""

MAX_EXPERIMENTS = 20
MAX_VARIANTS = 5
"""The entry of the key-value store has room for the shares of five, three of them stopped."""

MAX_WEIGHT = 1_000

DEFAULT_VISITOR = "cookie:visitor"
_SOURCES = {"cookie": "cookies", "header": "headers"}
_VISITOR_FIELD = re.compile(r"cookie:[A-Za-z0-9_-]{1,64}|header:[a-z0-9-]{1,64}")
_KEYS = frozenset({"variants", "visitor"})


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the hash's range: from the end of the share before it to ``end`` (exclusive)."""

    preset: str
    end: int


@dataclass(frozen=True, slots=True)
class Experiment:
    """``weights`` are those of the presets, in order: the first one is the control.

    ``visitor`` is where requests have the visitor's identifier, ``cookie:<name>`` or ``header:<name>``.
    """

    name: str
    weights: tuple[tuple[str, int], ...]
    visitor: str = DEFAULT_VISITOR

    @property
    def presets(self) -> tuple[str, ...]:
        """The variants, the control first."""
        return tuple(preset for preset, _ in self.weights)

    @property
    def point(self) -> int:
        """The point of the hash's polynomial."""
        return 100_000 + int.from_bytes(sha256(self.name.encode()).digest()[:8]) % 900_000

    @property
    def digest(self) -> str:
        """The name of a run of the experiment: other variants, weights or identifiers are another run."""
        return sha256(repr((self.name, self.weights, self.visitor)).encode()).hexdigest()[:12]

    def divide(self, stopped: Sequence[str] = ()) -> tuple[Share, ...]:
        """Divide the range between the variants.

        The shares of ``stopped`` variants are divided between the others, in the order in which they were stopped, so
        that visitors of the others keep their variant.
        """
        shares = list(_split(0, HASH_MODULUS, self.weights))
        for number, loser in enumerate(stopped, 1):
            left = [(preset, weight) for preset, weight in self.weights if preset not in stopped[:number]]
            begins = (0, *(share.end for share in shares))
            parts = [
                _split(begin, share.end, left) if share.preset == loser else [share]
                for begin, share in zip(begins, shares, strict=False)
            ]
            shares = [share for part in parts for share in part]
        pairs = zip(shares, (*shares[1:], None), strict=True)
        return tuple(share for share, after in pairs if after is None or after.preset != share.preset)

    def format_entry(self, stopped: Sequence[str] = ()) -> str:
        """Format the entry of the edge's key-value store: name and source of the identifier, point, and shares."""
        source, _, name = self.visitor.partition(":")
        shares = (f"{share.end} {share.preset}" for share in self.divide(stopped))
        return " ".join([name, _SOURCES[source], str(self.point), *shares])


def _split(begin: int, end: int, weights: Sequence[tuple[str, int]]) -> Iterator[Share]:
    total, passed = sum(weight for _, weight in weights), 0
    for preset, weight in weights:
        passed += weight
        yield Share(preset, begin + (end - begin) * passed // total)


def assign_variant(point: int, shares: Sequence[Share], visitor: str) -> str:
    """Return the preset of ``visitor``, that of the first share without a valid identifier."""
    value = 0
    if not VISITOR.fullmatch(visitor):
        return shares[0].preset
    for character in visitor:
        value = (value + ord(character)) * point % HASH_MODULUS
    return next(share.preset for share in shares if value < share.end)


def is_experiments_table(value: object) -> bool:
    """Whether ``value`` is a valid table of experiments, apart from the existence of presets."""
    if not isinstance(value, Mapping) or len(value) > MAX_EXPERIMENTS:
        return False
    return all(isinstance(name, str) and NAME.fullmatch(name) and _is_experiment(one) for name, one in value.items())


def _is_experiment(value: object) -> bool:
    if not isinstance(value, Mapping) or not {"variants"} <= set(value) <= _KEYS:
        return False
    variants, visitor = value["variants"], value.get("visitor", DEFAULT_VISITOR)
    return (
        isinstance(variants, Mapping)
        and 2 <= len(variants) <= MAX_VARIANTS
        and all(type(weight) is int and 1 <= weight <= MAX_WEIGHT for weight in variants.values())
        and isinstance(visitor, str)
        and _VISITOR_FIELD.fullmatch(visitor) is not None
    )


def parse_experiments(table: Mapping[str, Mapping[str, Any]]) -> tuple[Experiment, ...]:
    """Parse a table that :func:`is_experiments_table` accepts."""
    return tuple(
        Experiment(name, tuple(one["variants"].items()), one.get("visitor", DEFAULT_VISITOR))
        for name, one in table.items()
    )

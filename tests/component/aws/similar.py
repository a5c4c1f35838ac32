"""Embeddings for tests: random directions, and others at a given angle to them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import sqrt, sumprod
from typing import Any

DIMENSIONS = 512


def direction(seed: int, dimensions: int = DIMENSIONS) -> tuple[float, ...]:
    """A vector of unit length. Two of different seeds have next to nothing in common."""
    dice = random.Random(seed)
    return unit([dice.gauss(0, 1) for _ in range(dimensions)])


def towards(start: Sequence[float], other: Sequence[float], score: float) -> tuple[float, ...]:
    """Return a unit vector whose cosine to ``start`` is ``score``, in the plane of both."""
    overlap = sumprod(start, other)
    across = unit([b - overlap * a for a, b in zip(start, other, strict=True)])
    return tuple(score * a + sqrt(1 - score**2) * b for a, b in zip(start, across, strict=True))


def unit(vector: Sequence[float]) -> tuple[float, ...]:
    length = sqrt(sumprod(vector, vector))
    return tuple(value / length for value in vector)


def make_vector_table(dynamodb: Any, name: str) -> None:
    """The table, as the template makes it."""
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "N"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )

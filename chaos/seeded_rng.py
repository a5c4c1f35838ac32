"""Chance that can be repeated: every draw depends on the seed and on what it is drawn for, and on nothing else.

Processes that run beside each other never do so twice in the same order. So no draw may depend on how many others came
before it: the same upload, the same request of the same worker, the same life of the same worker draw the same lot.
"""

from __future__ import annotations

import hashlib
from random import Random


def seeded_random(seed: int, *about: object) -> Random:
    """Random numbers for one purpose, which the texts of ``about`` name."""
    named = "\x1f".join(map(str, (seed, *about)))
    return Random(hashlib.sha256(named.encode()).digest())

"""Repeatable random numbers: each depends on the seed and on its purpose only.

Concurrent processes never run in the same order twice. So no number may depend on how many were drawn before: the same
upload, the same request of a worker and the same life of a worker get the same number in each run.
"""

from __future__ import annotations

import hashlib
from random import Random


def seeded_random(seed: int, *about: object) -> Random:
    """Return random numbers for the purpose that ``about`` names."""
    named = "\x1f".join(map(str, (seed, *about)))
    return Random(hashlib.sha256(named.encode()).digest())

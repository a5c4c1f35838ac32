"""CloudFront's path patterns: ``*`` is any sequence of characters, ``?`` any one. Case matters, a leading slash does
not.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .model import Behaviour


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(character, re.escape(character)) for character in pattern), re.DOTALL)


def matches(pattern: str, path: str) -> bool:
    """Return whether ``path`` matches ``pattern``."""
    return _expression(pattern.removeprefix("/")).fullmatch(path.removeprefix("/")) is not None


def behaviour_for(path: str, behaviours: tuple[Behaviour, ...]) -> Behaviour:
    """Return the first behaviour whose pattern matches; the last one matches everything."""
    return next((found for found in behaviours if matches(found.pattern, path)), behaviours[-1])


def _normal(path: str) -> str:
    """Return ``path`` with upper-case percent triplets, so that two spellings of one URL compare equal."""
    return re.sub(r"%[0-9a-fA-F]{2}", lambda triplet: triplet[0].upper(), path)


def is_invalidated(path: str, invalidation: str) -> bool:
    """Return whether an invalidation path, which may end in ``*``, covers the cached ``path``."""
    normalized = _normal("/" + invalidation.removeprefix("/"))
    if normalized.endswith("*"):
        return _normal(path).startswith(normalized[:-1])
    return _normal(path) == normalized

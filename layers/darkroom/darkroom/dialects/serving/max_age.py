"""How long an answer in another language may be kept: no longer than a limit, because no purge reaches it.

Where the signature stands first in a path, no prefix covers what is made of one picture.
"""

from __future__ import annotations

import re

DEFAULT_MAX_AGE_S = 86_400
"""A day: what browsers are told of our own URLs, too."""

_AGE = re.compile(r"(?:^|[ ,])(max-age|s-maxage)=([0-9]{1,10})")


def limit_max_age(cache_control: str, limit_s: int) -> str:
    """``cache_control`` with no age above ``limit_s``: neither fresh for longer, nor used stale."""
    if "no-store" in cache_control:
        return cache_control
    ages = {name: int(age) for name, age in _AGE.findall(cache_control)}
    browser_s = min(ages.get("max-age", limit_s), limit_s)
    shared_s = min(ages.get("s-maxage", browser_s), limit_s)
    return f"public, max-age={browser_s}, s-maxage={shared_s}"

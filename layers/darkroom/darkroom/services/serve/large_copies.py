"""Copies of derivatives that are too large for a Lambda response, which CloudFront reads from S3.

Where the CDN requests S3 first, a native URL of an image over 4.5 MB redirects to itself. URLs that always reach the
function redirect to a copy: those of dialects, and all where the distribution has no origin failover. The name of the
copy is a message authentication code of the variant: it cannot be guessed, and a variant has one copy for all spellings
of the URL. The redirect itself is not cached (decision 38).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...aws.s3_fast import FastBucket
from ...errors import OverLimits, Unavailable
from ...image_keys import DERIVATIVES, LARGE_PREFIX, LARGE_SUFFIX, encode_key
from ...plan.canonical import SEPARATOR, derivative_name
from ...plan.model import Plan
from ...signing import KeySource, Purpose, sign_message

DEFAULT_MAX_AGE_S = 86_400
"""One day, as in browsers for native URLs."""

COPY_OF = "copy-of"
"""User metadata of a copy: the ETag, without quotes, of its derivative."""

PRIVATE_TOO_LARGE = "A private image may have 4.5 MB at this URL. Request a smaller size"

_AGE = re.compile(r"(?:^|[ ,])(max-age|s-maxage)=([0-9]{1,10})")


def limit_max_age(cache_control: str, limit_s: int) -> str:
    """Return ``cache_control`` with ages of at most ``limit_s``, and without stale responses."""
    if "no-store" in cache_control:
        return cache_control
    ages = {name: int(age) for name, age in _AGE.findall(cache_control)}
    browser_s = min(ages.get("max-age", limit_s), limit_s)
    shared_s = min(ages.get("s-maxage", browser_s), limit_s)
    return f"public, max-age={browser_s}, s-maxage={shared_s}"


@dataclass(frozen=True, slots=True)
class LargeCopies:
    """Copies derivatives in ``media``, for at most ``max_age_s`` in caches. ``keys`` sign the names."""

    media: FastBucket
    keys: KeySource[Sequence[str]] = field(repr=False)
    max_age_s: int = DEFAULT_MAX_AGE_S

    def locate(self, plan: Plan, etag: str, *, private: bool) -> str:
        """Return the path of the copy of derivative ``etag``, which is made if there is none.

        Raises Unavailable, and OverLimits for a ``private`` image: no signature is verified for the path of a copy.

        It is next to its derivative, so that one purge finds both. A new signing key changes the name: each rotation
        can add one copy per variant.
        """
        if private:
            raise OverLimits(PRIVATE_TOO_LARGE)
        name = derivative_name(plan)
        token = sign_message(name, self.keys.get()[0], Purpose.LARGE_COPY)
        copy = f"{encode_key(plan.key)}{SEPARATOR}{token}{LARGE_SUFFIX}"
        there = self.media.open(DERIVATIVES + copy, 1)
        if there is None or there.attributes.get(COPY_OF) != etag.strip('"'):
            found = self.media.open(DERIVATIVES + name)
            if found is None or found.etag != etag:
                raise Unavailable(detail=f"{name} has gone while it was copied")
            kept = limit_max_age(found.attributes.get("Cache-Control", ""), self.max_age_s)
            attributes = {**found.attributes, "Cache-Control": kept, COPY_OF: etag.strip('"')}
            self.media.put(DERIVATIVES + copy, found.read(), attributes)
        return f"{LARGE_PREFIX}/{copy}"

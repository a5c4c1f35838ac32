"""Paths that CloudFront can sign for a Function URL so that Lambda accepts the signature."""

from __future__ import annotations

import re

UNAMBIGUOUS = re.compile(r"/|(?:/[A-Za-z0-9._~-]+)+/?")
"""Paths that CloudFront and Lambda canonicalise in the same way.

They encode other characters, percent-encoded or not, differently before they sign, and the request fails with
SignatureDoesNotMatch (aws-samples/image-optimization#44). Empty segments and dot segments are removed from a canonical
request ("Create a signed AWS API request", IAM user guide), but not from the path that Lambda receives.
"""

_DOTS = re.compile(r"/\.\.?(?:/|$)")


def is_unambiguous(path: str) -> bool:
    """Return whether CloudFront and Lambda sign ``path``, without a query, in the same way."""
    return UNAMBIGUOUS.fullmatch(path) is not None and _DOTS.search(path) is None

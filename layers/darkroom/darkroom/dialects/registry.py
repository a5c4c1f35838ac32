"""The languages that are served beside our own, and which of them a deployment has switched on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..plan.keys import quote_key

LARGE_PREFIX = "/_large"
"""What the CDN serves objects under that are too large for a function's answer: a cache behaviour, and no key's."""

LARGE_SUFFIX = ".large"
"""No format of ours, so that no canonical path is such a name and none can be asked for there."""

DOCUMENT_SUFFIX = "/info.json"
DOCUMENT_TYPES = ("application/ld+json", "application/json")
"""How paths end whose answer is a document, and the types that it may have, where a viewer names one: IIIF's."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One URL language. ``prefix`` begins its paths; ``within`` says that it is the language's own, not one of ours.

    ``has_query``: whether a query says something in it. ``names_host``: whether answers say which host they are from.
    ``signed``: whether its URLs may have signatures, which are over the path as it is spelled: where they have none,
    the edge normalises the percent-encoding. ``also``: further prefixes that begin its paths. ``health``: the path
    after the prefix by which load balancers ask whether it answers, and the answer.
    """

    name: str
    prefix: str
    keeps_prefix: bool = False
    has_query: bool = False
    names_host: bool = False
    signed: bool = True
    health: tuple[str, str] | None = None
    further_prefixes: tuple[str, ...] = ()

    def parser_input(self, target: str) -> str:
        """What its parser reads of a request's ``target``, which begins with the prefix."""
        return target if self.keeps_prefix else target.removeprefix(self.prefix)


IIIF_2_PREFIX = "/iiif/2"
"""Begins the paths of version 2.1."""

IIIF = Dialect("iiif", "/iiif/3", keeps_prefix=True, names_host=True, signed=False, further_prefixes=(IIIF_2_PREFIX,))
"""Served by :mod:`darkroom.dialects.serving.iiif`, as it has more to answer than pictures."""

IIIF_2_SUFFIX = ".-v2"
"""Ends the cached path of a version 2 URL, which begins like one of version 3: so one wildcard invalidates both.

No other path ends so: after ``.-`` :func:`spelled` writes two digits or capitals.
"""

DIALECTS = (
    Dialect("imgproxy", "/imgproxy", health=("/health", "imgproxy is running")),
    Dialect("thumbor", "/thumbor", health=("/healthcheck", "WORKING")),
    Dialect("dit", "/dit", has_query=True),
    Dialect(
        "cloudflare", "/cdn-cgi/image", keeps_prefix=True, signed=False, further_prefixes=("/cdn-cgi/imagedelivery",)
    ),
    IIIF,
)
DIALECTS_BY_NAME: Mapping[str, Dialect] = {dialect.name: dialect for dialect in DIALECTS}


_ESCAPED = re.compile(r"[^A-Za-z0-9/._-]|(?<=\.)-|(?<=/)[/.]")


def encode_path(target: str) -> str:
    """The path by which the CDN knows ``target``, a path and query in ASCII, once its function has seen it.

    It has the characters of canonical paths and single slashes, no segment of it is ``.`` or ``..``, and no two targets
    share it: ``.-XX`` is any other character (:mod:`darkroom.key_encoding`). What CloudFront signs for a function
    has to arrive as it was signed, and for paths with other characters it did not (aws-samples/image-optimization,
    issue 44). The function reads the URL from a header.
    """
    path = _ESCAPED.sub(lambda match: f".-{ord(match[0]):02X}", target)
    in_version_2 = path.startswith(f"{IIIF_2_PREFIX}/")
    return IIIF.prefix + path.removeprefix(IIIF_2_PREFIX) + IIIF_2_SUFFIX if in_version_2 else path


def iiif_wildcard(key: str) -> str:
    """Return the path with a wildcard that covers all IIIF responses of ``key`` in the CDN."""
    return encode_path(f"{IIIF.prefix}/{quote_key(key).replace('/', '%2F')}/") + "*"

"""The versions of the Image API that are served: 3.0, and 2.1 for clients that know no other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Version:
    """One major version of the Image API, by its ``number``."""

    number: int

    @property
    def prefix(self) -> str:
        """The start of its paths."""
        return f"/iiif/{self.number}/"

    @property
    def context(self) -> str:
        """The JSON-LD context of its ``info.json``."""
        return f"http://iiif.io/api/image/{self.number}/context.json"

    @property
    def upscales_silently(self) -> bool:
        """Whether a size may enlarge the region without ``^``, which version 3 introduced."""
        return self.number < 3

    def profile_uri(self, level: str) -> str:
        """The address of the profile document of a compliance ``level``, such as ``level2``."""
        return f"http://iiif.io/api/image/{self.number}/{level}.json"


V2 = Version(2)
"""Image API 2.1.1: https://iiif.io/api/image/2.1/"""

V3 = Version(3)
"""Image API 3.0.0: https://iiif.io/api/image/3.0/"""

VERSIONS = (V2, V3)

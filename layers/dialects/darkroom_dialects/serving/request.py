"""A request in a dialect, as forwarded by the edge function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from darkroom.plan.model import AUTO_CLASSES
from darkroom.plan.redaction import FIRST_GENERATION

LEGACY = "auto-legacy"


@dataclass(frozen=True, slots=True)
class DialectRequest:
    """A viewer's request.

    ``target``: path and query as the viewer wrote them, not decoded; it begins with the dialect's prefix, also if the
    viewer's host implied it. ``format_class``: one of :data:`darkroom.plan.model.AUTO_CLASSES`, by ``Accept``.
    ``host``: the viewer's, with a port other than the scheme's default; only for dialects whose responses contain it.
    ``accept``: the media type of a document that the viewer names. ``findings``: the active generation of findings.
    """

    target: str
    method: str = "GET"
    format_class: str = LEGACY
    saves_data: bool = False
    host: str = ""
    scheme: str = "https"
    accept: str = ""
    if_none_match: str = ""
    findings: str = FIRST_GENERATION

    @classmethod
    def from_headers(cls, method: str, headers: Mapping[str, str]) -> DialectRequest:
        """Parse the ``headers`` (names in lower case) of the edge function."""
        client_class = headers.get("x-darkroom-class", "")
        name, _, saving = client_class.partition(" ")
        return cls(
            target=headers.get("x-darkroom-url", "/"),
            method=method,
            format_class=name if name in AUTO_CLASSES else LEGACY,
            saves_data=saving == "save-data",
            host=headers.get("x-darkroom-host", ""),
            scheme=headers.get("cloudfront-forwarded-proto", "https"),
            accept=client_class if "/" in client_class else "",
            if_none_match=headers.get("if-none-match", ""),
            findings=headers.get("x-darkroom-findings", "") or FIRST_GENERATION,
        )

    @property
    def path(self) -> str:
        """Return the path of :attr:`target`, not decoded."""
        return self.target.partition("?")[0]

    @property
    def base_url(self) -> str:
        """Return the viewer's scheme and host."""
        return f"{self.scheme}://{self.host}"

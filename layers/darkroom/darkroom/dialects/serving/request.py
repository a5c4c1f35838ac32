"""A request in another service's URL language, as the edge hands it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...plan.model import AUTO_CLASSES
from ...plan.redaction import FIRST_GENERATION

LEGACY = "auto-legacy"


@dataclass(frozen=True, slots=True)
class DialectRequest:
    """What a viewer asks for.

    ``target``: path with its leading slash, and query with its ``?``, as the viewer wrote them, not decoded; the
    language's prefix stands first, also where the viewer's host stood for it. ``format_class``: one of
    :data:`darkroom.plan.model.AUTO_CLASSES`, by the viewer's ``Accept``. ``host``: the viewer's, with its port where it
    is not the scheme's own; only where answers name it. ``accept``: the type of document that a viewer names.
    ``findings``: the active generation of findings.
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
        """The request in the ``headers`` (names in lower case) that the languages' edge function sets."""
        told = headers.get("x-darkroom-class", "")
        name, _, saving = told.partition(" ")
        return cls(
            target=headers.get("x-darkroom-url", "/"),
            method=method,
            format_class=name if name in AUTO_CLASSES else LEGACY,
            saves_data=saving == "save-data",
            host=headers.get("x-darkroom-host", ""),
            scheme=headers.get("cloudfront-forwarded-proto", "https"),
            accept=told if "/" in told else "",
            if_none_match=headers.get("if-none-match", ""),
            findings=headers.get("x-darkroom-findings", "") or FIRST_GENERATION,
        )

    @property
    def path(self) -> str:
        """The path of :attr:`target`, not decoded."""
        return self.target.partition("?")[0]

    @property
    def base_url(self) -> str:
        """Scheme and host that the viewer used, without a slash at the end."""
        return f"{self.scheme}://{self.host}"

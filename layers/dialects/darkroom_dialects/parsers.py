"""The parsers of URL dialects, each loaded when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .common.mapping import OptionMapping
    from .common.parsed_url import ParsedUrl
    from .common.settings import DialectSettings
    from .registry import Dialect
    from .serving.access import Verify


class DialectParser(Protocol):
    """The package of a dialect in :mod:`darkroom_dialects`."""

    def parse(self, target: str, settings: DialectSettings) -> ParsedUrl:
        """Parse ``target``, raw path and query after the prefix. Raises DarkroomError of 4xx."""

    @property
    def OPTION_MAPPINGS(self) -> Sequence[OptionMapping[Any]]:  # noqa: N802 - a constant of the package
        """Return the options, with what each becomes."""

    @property
    def verify(self) -> Verify:
        """Return the verification of signatures."""


def load_parser(dialect: Dialect) -> DialectParser:
    """Import the parser of ``dialect``: a request needs one of them."""
    return _PARSERS[dialect.name]()


def _load_imgproxy() -> DialectParser:
    from . import imgproxy

    return imgproxy


def _load_thumbor() -> DialectParser:
    from . import thumbor

    return thumbor


def _load_dit() -> DialectParser:
    from . import dit

    return dit


def _load_cloudflare() -> DialectParser:
    from . import cloudflare

    return cloudflare


def _load_imgix() -> DialectParser:
    from . import imgix

    return imgix


def _load_cloudinary() -> DialectParser:
    from . import cloudinary

    return cloudinary


_PARSERS: Mapping[str, Callable[[], DialectParser]] = {
    "imgproxy": _load_imgproxy,
    "thumbor": _load_thumbor,
    "dit": _load_dit,
    "cloudflare": _load_cloudflare,
    "imgix": _load_imgix,
    "cloudinary": _load_cloudinary,
}
"""Of all dialects but IIIF, whose responses include documents (:mod:`.serving.iiif`)."""

"""imgproxy's URLs: ``/<signature>/<option>:<argument>…/plain/<URL>@<ext>``, and ``/info/…`` of imgproxy Pro."""

from __future__ import annotations

from ..common.parsed_url import ParsedUrl
from ..common.settings import DialectSettings
from .options import OPTION_MAPPINGS
from .url import INFO_PREFIX, parse_image_url, sign, verify

__all__ = ["OPTION_MAPPINGS", "parse", "sign", "verify"]


def parse(target: str, settings: DialectSettings) -> ParsedUrl:
    """Parse ``/<signature>/…`` or ``/info/<signature>/…``, the raw path after the dialect's prefix.

    Raises BadKey, BadOption or UnknownOption.
    """
    if target.startswith(INFO_PREFIX):
        from .info import parse_info_url

        return parse_info_url(target, settings)
    return parse_image_url(target, settings)

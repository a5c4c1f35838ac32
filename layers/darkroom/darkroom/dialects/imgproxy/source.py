"""Where an imgproxy URL says that its source is: ``plain/<URL>[@ext]`` or ``<base64url>[.ext]``."""

from __future__ import annotations

import re

from ...errors import BadKey, BadOption
from ...plan.keys import unquote
from ..common.settings import ImgproxySettings

_BASE64 = re.compile(r"[A-Za-z0-9_-]+")


def parse_source(parts: list[str], settings: ImgproxySettings) -> tuple[str, str]:
    """The source's address and the extension ("" for none) that ``parts``, segments of a path, come to.

    Raises BadKey; BadOption for an encrypted address.
    """
    if parts[:1] == ["plain"] and len(parts) > 1:
        text, extension = _split("/".join(parts[1:]), "@")
        return _add_base_url(_unquote(text), settings.base_url), extension
    if parts[:1] == ["enc"] and len(parts) > 1:
        raise BadOption("enc: encrypted addresses are of imgproxy Pro, and not served here", option="enc")
    if settings.base64_url_includes_filename and len(parts) > 1:
        parts = parts[:-1]
    text, extension = _split("".join(parts), ".")
    return _add_base_url(_decode(text.rstrip("=")), settings.base_url), extension


def _split(text: str, sign: str) -> tuple[str, str]:
    address, *extensions = text.split(sign)
    if not address:
        raise BadKey("The URL names no source")
    if len(extensions) > 1:
        raise BadKey(f"The source has more than one {sign}; in an address it is written %{ord(sign):02X}")
    return address, "".join(extensions)


def _unquote(text: str) -> str:
    try:
        return unquote(text)
    except (UnicodeError, ValueError) as error:
        raise BadKey("The source's address is not percent-encoded UTF-8", detail=str(error)) from error


def _decode(text: str) -> str:
    from base64 import urlsafe_b64decode

    try:
        if not _BASE64.fullmatch(text):
            raise ValueError(text)  # noqa: TRY301 Python's decoder skips what is none of its alphabet
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError as error:
        raise BadKey("The source's address is neither plain/ nor base64url of UTF-8", detail=str(error)) from error


def _add_base_url(address: str, base: str) -> str:
    return address if not base or address.startswith(base) else base + address

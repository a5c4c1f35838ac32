"""The path of an imgproxy URL: how it was before a proxy changed it, and what its signature is made over."""

from __future__ import annotations

import re

from ..common.parsed_url import SignatureClaim
from ..common.settings import ImgproxySettings
from .signature import UNSIGNED

INFO_PREFIX = "/info/"
"""Of URLs that ask about a source."""

_SQUEEZED = re.compile(r"(\S+):/([^/])")
"""An address whose two slashes some proxy has made one."""


def restore_path(path: str) -> str:
    """``path`` as it was signed: proxies escape the colons of options and squeeze the slashes of an address."""
    options, plain, address = path.partition("/plain/")
    if path.startswith("plain/"):
        options, plain, address = "", "plain/", path.removeprefix("plain/")
    if squeezed := _SQUEEZED.match(address):
        slashes = ":///" if squeezed[1] == "local" else "://"
        address = squeezed[1] + slashes + squeezed[2] + address[squeezed.end() :]
    return options.replace("%3A", ":") + plain + address


def parse_claim(signature: str, path: str, settings: ImgproxySettings) -> SignatureClaim | None:
    """What the URL says to prove itself; None where it is not signed."""
    if signature in UNSIGNED:
        return None
    trusted = signature in settings.trusted_signatures
    return SignatureClaim(f"/{path}".encode(), signature, settings.signature_size, trusted=trusted)

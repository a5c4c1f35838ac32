"""Map source addresses to keys: other services identify images by URL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from darkroom.errors import BadKey
from darkroom.image_keys import check_key
from darkroom.plan.options import escape_text

from .validate import decode_text

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/{1,2}([^/?#]*)(.*)", re.DOTALL)
_EITHER = ("http", "https")
BAD_ADDRESS = "The source's address is not percent-encoded UTF-8"
PREFIX = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^/?#A-Z]*/(?:[^?#]*/)?")
"""A valid prefix. It ends with a slash, so that it matches no other host or folder."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Pairs of a URL prefix and the key prefix that replaces it, which can be empty.

    A prefix without a scheme (``//img.example.com/``) matches http and https. The first match applies.
    """

    table: tuple[tuple[str, str], ...] = ()

    def resolve(self, address: str, *, bare_hosts: bool = False) -> str:
        """Return the key of ``address``, a URL or a path. Raises BadKey for a host that is not in the table.

        A path is a key after its leading slash. With ``bare_hosts`` it can be a URL without a scheme. Percent-escapes
        are decoded once. Query and fragment are ignored.
        """
        path = re.split("[?#]", address, maxsplit=1)[0]
        if match := _ADDRESS.fullmatch(path):
            scheme, host, rest = match[1].lower(), match[2].lower(), match[3] or "/"
            path = self._resolve_url(scheme, host, rest)
        elif bare_hosts:
            path = self._resolve_without_scheme(path)
        return check_key(decode_text(path.removeprefix("/"), BadKey, BAD_ADDRESS))

    def _resolve_url(self, scheme: str, host: str, path: str) -> str:
        found = self._find_key(scheme, host, path)
        if found is None:
            raise BadKey(f"Sources on '{escape_text(f'{scheme}://{host}')}' are not configured")
        return found

    def _resolve_without_scheme(self, path: str) -> str:
        host, slash, rest = path.removeprefix("/").partition("/")
        candidates = (self._find_key(scheme, host.lower(), slash + rest) for scheme in _EITHER)
        return next((found for found in candidates if found is not None), path)

    def _find_key(self, scheme: str, host: str, path: str) -> str | None:
        """Return the percent-encoded key of ``path`` on that host; None without a matching prefix."""
        address = f"{scheme}://{host}{path}"
        for prefix, beginning in self.table:
            full = f"{scheme}:{prefix}" if prefix.startswith("//") and scheme in _EITHER else prefix
            if address.startswith(full):
                return beginning + address[len(full) :]
        return None

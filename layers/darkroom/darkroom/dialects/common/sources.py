"""Which key a source's address means: other services name pictures by URL, we by key."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import BadKey
from ...plan.keys import check_key, unquote
from ...plan.options import escape_text

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/{1,2}([^/?#]*)(.*)", re.DOTALL)
_EITHER = ("http", "https")
PREFIX = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^/?#A-Z]*/(?:[^?#]*/)?")
"""What the table may map: it ends with a slash, so that no other host or folder begins with it."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The table of addresses: pairs of a URL prefix and the beginning of keys that it stands for, which may be empty.

    A prefix without a scheme (``//img.example.com/``) is both http and https. The first that fits is taken.
    """

    table: tuple[tuple[str, str], ...] = ()

    def resolve(self, address: str, *, bare_hosts: bool = False) -> str:
        """The key that ``address`` means, a URL or a path; raises BadKey, which names a host that is not in the table.

        A path is a key, its leading slash dropped. With ``bare_hosts`` it may be a URL that has lost its scheme.
        Percent-escapes are decoded once. A query and a fragment are not of the key: what they choose is nothing that
        a bucket has.
        """
        path = re.split("[?#]", address, maxsplit=1)[0]
        if match := _ADDRESS.fullmatch(path):
            scheme, host, rest = match[1].lower(), match[2].lower(), match[3] or "/"
            path = self._resolve_url(scheme, host, rest)
        elif bare_hosts:
            path = self._resolve_without_scheme(path)
        try:
            return check_key(unquote(path.removeprefix("/")))
        except (UnicodeError, ValueError) as error:
            raise BadKey("The source's address is not percent-encoded UTF-8", detail=str(error)) from error

    def _resolve_url(self, scheme: str, host: str, path: str) -> str:
        found = self._find_key(scheme, host, path)
        if found is None:
            raise BadKey(f"No pictures from '{escape_text(f'{scheme}://{host}')}' are served here")
        return found

    def _resolve_without_scheme(self, path: str) -> str:
        host, slash, rest = path.removeprefix("/").partition("/")
        candidates = (self._find_key(scheme, host.lower(), slash + rest) for scheme in _EITHER)
        return next((found for found in candidates if found is not None), path)

    def _find_key(self, scheme: str, host: str, path: str) -> str | None:
        """``path`` on that host as a percent-encoded key, None if the table has no prefix of it."""
        address = f"{scheme}://{host}{path}"
        for prefix, beginning in self.table:
            full = f"{scheme}:{prefix}" if prefix.startswith("//") and scheme in _EITHER else prefix
            if address.startswith(full):
                return beginning + address[len(full) :]
        return None

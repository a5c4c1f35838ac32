"""Rewrite URLs of other services in texts: HTML, style sheets, lists of URLs."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from darkroom.errors import DarkroomError
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import DIALECTS_BY_NAME, IIIF

KNOWN_HOSTS: Mapping[str, str] = {
    "res.cloudinary.com": "cloudinary",
    "*.imgix.net": "imgix",
    "imagedelivery.net": "cloudflare",
    "ik.imagekit.io": "",
}
"""Dialects by the hosts of services; ``""`` where there is none. ``*`` is one label."""

_FURTHER_PREFIXES: Mapping[str, str] = {"imagedelivery.net": "/cdn-cgi/imagedelivery"}
"""Prefixes of paths on these hosts, where it is not the dialect's."""

_URL = re.compile(r"(?:https?:)?//(?P<host>[A-Za-z0-9.-]+(?::\d+)?)(?P<target>/[^\s\"'<>()\\`]*)")
_AFTER_URLS = ",.;"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A URL of a text, and what it becomes, or the ``reason`` why it stays."""

    url: str
    becomes: str = ""
    reason: str = ""


def parse_host(text: str) -> tuple[str, str]:
    """Parse ``<host>=<dialect>``. Raises ValueError."""
    host, _, dialect = text.partition("=")
    if not host or dialect not in DIALECTS_BY_NAME or dialect == IIIF.name:
        names = ", ".join(name for name in DIALECTS_BY_NAME if name != IIIF.name)
        raise ValueError(f"'{text}' is not a host, = and one of {names}")
    return host.lower(), dialect


def rewrite_text(
    text: str, base: str, hosts: Mapping[str, str], settings: DialectSettings
) -> tuple[str, Sequence[Rewritten]]:
    """Return ``text`` with the URLs that ``base``, an address without a path, serves; and all URLs on ``hosts``."""
    found: list[Rewritten] = []

    def replace(match: re.Match[str]) -> str:
        dialect = _find_dialect(match["host"], hosts)
        if dialect is None:
            return match[0]
        url = match[0].rstrip(_AFTER_URLS)
        target = html.unescape(url[match.start("target") - match.start() :])
        one = _rewrite(url, match["host"].lower(), target, dialect, settings)
        found.append(one)
        if one.reason:
            return match[0]
        spelled = html.escape(one.becomes, quote=False) if "&amp;" in url else one.becomes
        found[-1] = Rewritten(url, base + spelled)
        return base + spelled + match[0][len(url) :]

    return _URL.sub(replace, text), found


def _find_dialect(host: str, hosts: Mapping[str, str]) -> str | None:
    host = host.lower()
    return hosts.get(host, hosts.get(f"*.{host.partition('.')[2]}"))


def _rewrite(url: str, host: str, target: str, name: str, settings: DialectSettings) -> Rewritten:
    if not name:
        return Rewritten(url, reason="there is no dialect for this service")
    dialect = DIALECTS_BY_NAME[name]
    prefix = _FURTHER_PREFIXES.get(host, "" if dialect.keeps_prefix else dialect.prefix)
    path = prefix + target
    try:
        load_parser(dialect).parse(dialect.parser_input(path), settings)
    except DarkroomError as error:
        return Rewritten(url, reason=error.message)
    return Rewritten(url, path)

"""imgproxy's URL language: ``/<signature>/<option>:<argument>…/plain/<URL>@<ext>``.

Written after its option parser and its path handling; signatures are those of :mod:`.signing`, what each option comes
to is in :data:`COVERAGE`.
"""

from __future__ import annotations

import re

from ....errors import BadKey, BadOption
from ...model import Plan
from ..asked import Asked, Claim
from ..held import held_plan
from ..settings import LanguageSettings
from .address import source_of
from .options import COVERAGE, apply, apply_preset
from .planning import values_of
from .readers import RESIZING, Reading, format_named
from .signing import UNSIGNED, check, sign
from .wanted import Wanted

__all__ = ["COVERAGE", "check", "read", "sign"]

_SQUEEZED = re.compile(r"(\S+):/([^/])")
"""An address whose two slashes some proxy has made one."""


def read(target: str, settings: LanguageSettings) -> Asked:
    """Read ``/<signature>/…``, as it stands in the URL after the language's prefix.

    Raises BadKey, BadOption or UnknownOption, which name what is wrong.
    """
    signature, slash, rest = target.partition("?")[0].removeprefix("/").partition("/")
    if not slash or not rest:
        raise BadKey("The path is not like /<signature>/<options>/plain/<source>")
    path = _mended(rest)
    reading = Reading(settings.imgproxy)
    if "default" in settings.imgproxy.presets:
        apply_preset(reading, "preset", "default")
    key = _read_path(path.split("/"), reading, settings)
    wanted = reading.wanted
    return Asked(
        plan=_planned(key, wanted, settings),
        claim=_claim(signature, path, settings.imgproxy.signature_size),
        expires_s=wanted.expires_s,
        qualities=_qualities(wanted),
    )


def _mended(path: str) -> str:
    """``path`` as it was signed: proxies escape the colons of options and squeeze the slashes of an address."""
    options, plain, address = path.partition("/plain/")
    if path.startswith("plain/"):
        options, plain, address = "", "plain/", path.removeprefix("plain/")
    if squeezed := _SQUEEZED.match(address):
        slashes = ":///" if squeezed[1] == "local" else "://"
        address = squeezed[1] + slashes + squeezed[2] + address[squeezed.end() :]
    return options.replace("%3A", ":") + plain + address


def _read_path(parts: list[str], reading: Reading, settings: LanguageSettings) -> str:
    """The source's key; what is said of it goes into ``reading``."""
    separator = reading.settings.arguments_separator
    if reading.settings.only_presets:
        for preset in parts[0].split(separator):
            apply_preset(reading, "preset", preset)
        parts = parts[1:]
    elif parts[0] in RESIZING:
        raise BadOption("imgproxy's basic URL format is not served here, nor by itself any more")
    else:
        while parts and separator in parts[0]:
            apply(reading, parts.pop(0))
    address, extension = source_of(parts, reading.settings)
    if extension and not reading.wanted.raw:
        reading.wanted.format = format_named("extension", extension)
    return settings.sources.key(address)


def _planned(key: str, wanted: Wanted, settings: LanguageSettings) -> Plan:
    return held_plan(key, values_of(wanted, key, settings))


def _claim(signature: str, path: str, size_bytes: int) -> Claim | None:
    return None if signature in UNSIGNED else Claim(f"/{path}".encode(), signature, size_bytes)


def _qualities(wanted: Wanted) -> tuple[tuple[str, int], ...]:
    """By format, where that is still to be negotiated and one quality for all was not asked for."""
    if wanted.format or wanted.quality or wanted.raw:
        return ()
    return tuple(sorted(wanted.format_quality.items()))

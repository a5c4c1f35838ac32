"""imgproxy's URL language: ``/<signature>/<option>:<argument>…/plain/<URL>@<ext>``.

Written after its option parser and its path handling; signatures are those of :mod:`.signing`, what each option comes
to is in :data:`COVERAGE`.
"""

from __future__ import annotations

from ...errors import BadKey, BadOption
from ...plan.model import Plan
from ..common.parsed_url import Asked
from ..common.settings import LanguageSettings
from ..common.validate import held_plan
from .convert import values_of
from .model import Wanted
from .option_parsers import RESIZING, Reading, format_named
from .options import COVERAGE, apply, apply_preset
from .path import INFO_PREFIX, claim_of, restored
from .signature import check, sign
from .source import source_of

__all__ = ["COVERAGE", "check", "read", "sign"]


def read(target: str, settings: LanguageSettings) -> Asked:
    """Read ``/<signature>/…`` or ``/info/<signature>/…``, as it stands in the URL after the language's prefix.

    Raises BadKey, BadOption or UnknownOption, which name what is wrong.
    """
    if target.startswith(INFO_PREFIX):
        from .info import read_info  # only Pro's clients ask for it

        return read_info(target, settings)
    signature, slash, rest = target.partition("?")[0].removeprefix("/").partition("/")
    if not slash or not rest:
        raise BadKey("The path is not like /<signature>/<options>/plain/<source>")
    path = restored(rest)
    reading = Reading(settings.imgproxy)
    if "default" in settings.imgproxy.presets:
        apply_preset(reading, "preset", "default")
    key = _read_path(path.split("/"), reading, settings)
    wanted = reading.wanted
    return Asked(
        plan=_planned(key, wanted, settings),
        claim=claim_of(signature, path, settings.imgproxy),
        expires_s=wanted.expires_s,
        qualities=_qualities(wanted),
    )


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


def _qualities(wanted: Wanted) -> tuple[tuple[str, int], ...]:
    """By format, where that is still to be negotiated and one quality for all was not asked for."""
    if wanted.format or wanted.quality or wanted.raw:
        return ()
    return tuple(sorted(wanted.format_quality.items()))

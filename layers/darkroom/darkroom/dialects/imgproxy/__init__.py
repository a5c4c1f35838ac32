"""imgproxy's URL language: ``/<signature>/<option>:<argument>…/plain/<URL>@<ext>``.

Written after its option parser and its path handling; signatures are those of :mod:`.signing`, what each option comes
to is in :data:`COVERAGE`.
"""

from __future__ import annotations

from ...errors import BadKey, BadOption
from ...plan.model import Plan
from ..common.parsed_url import ParsedUrl
from ..common.settings import DialectSettings
from ..common.validate import build_valid_plan
from .convert import convert_options
from .model import ImgproxyOptions
from .option_parsers import RESIZING, ParseState, parse_format_name
from .options import OPTION_MAPPINGS, apply_option, apply_preset
from .path import INFO_PREFIX, parse_claim, restore_path
from .signature import sign, verify
from .source import parse_source

__all__ = ["OPTION_MAPPINGS", "parse", "sign", "verify"]


def parse(target: str, settings: DialectSettings) -> ParsedUrl:
    """Read ``/<signature>/…`` or ``/info/<signature>/…``, as it stands in the URL after the language's prefix.

    Raises BadKey, BadOption or UnknownOption, which name what is wrong.
    """
    if target.startswith(INFO_PREFIX):
        from .info import parse_info_url  # only Pro's clients ask for it

        return parse_info_url(target, settings)
    signature, slash, rest = target.partition("?")[0].removeprefix("/").partition("/")
    if not slash or not rest:
        raise BadKey("The path is not like /<signature>/<options>/plain/<source>")
    path = restore_path(rest)
    state = ParseState(settings.imgproxy)
    if "default" in settings.imgproxy.presets:
        apply_preset(state, "preset", "default")
    key = _parse_path(path.split("/"), state, settings)
    options = state.options
    return ParsedUrl(
        plan=_build_plan(key, options, settings),
        claim=parse_claim(signature, path, settings.imgproxy),
        expires_s=options.expires_s,
        qualities=_qualities_by_format(options),
    )


def _parse_path(parts: list[str], state: ParseState, settings: DialectSettings) -> str:
    """The source's key; what is said of it goes into ``state``."""
    separator = state.settings.arguments_separator
    if state.settings.only_presets:
        for preset in parts[0].split(separator):
            apply_preset(state, "preset", preset)
        parts = parts[1:]
    elif parts[0] in RESIZING:
        raise BadOption("imgproxy's basic URL format is not served here, nor by itself any more")
    else:
        while parts and separator in parts[0]:
            apply_option(state, parts.pop(0))
    address, extension = parse_source(parts, state.settings)
    if extension and not state.options.raw:
        state.options.format = parse_format_name("extension", extension)
    return settings.sources.resolve(address)


def _build_plan(key: str, options: ImgproxyOptions, settings: DialectSettings) -> Plan:
    return build_valid_plan(key, convert_options(options, key, settings))


def _qualities_by_format(options: ImgproxyOptions) -> tuple[tuple[str, int], ...]:
    """By format, where that is still to be negotiated and one quality for all was not asked for."""
    if options.format or options.quality or options.raw:
        return ()
    return tuple(sorted(options.format_quality.items()))

"""Parse Cloudflare URLs: ``/cdn-cgi/image/<option>=<value>,…/<path or URL>``, and hosted images.

Hosted images are ``/cdn-cgi/imagedelivery/<account hash>/<image id>/<variant>``, as on imagedelivery.net. A variant is
the name of a preset or, if it contains ``=``, a list of options ("flexible variants"). ``public`` is the default
rendering unless a preset has this name. Without a format it is negotiated, as in Cloudflare Images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from darkroom.errors import BadKey, BadOption, DuplicateOption, Expired
from darkroom.plan.canonical import build_plan
from darkroom.plan.options import escape_text
from darkroom.plan.presets import format_names

from ..common.mapping import find_parser
from ..common.parsed_url import DialectKey, ParsedUrl, SignatureClaim
from ..common.settings import DialectSettings
from ..common.validate import build_valid_plan, decode_text
from .convert import convert_options, describe
from .option_parsers import CloudflareOptions
from .options import MAPPINGS_BY_NAME

HOSTED_PREFIX = "/cdn-cgi/imagedelivery/"
PUBLIC = "public"


def parse_hosted_path(target: str, settings: DialectSettings) -> tuple[str, str]:
    """Return key and variant of ``target``. Raises BadKey, also for another account."""
    parts = target.removeprefix(HOSTED_PREFIX).split("/")
    if len(parts) < 3 or not all(parts):
        raise BadKey(f"The path must be like {HOSTED_PREFIX}<account hash>/<image id>/<variant>")
    if not settings.cloudflare.account_hash or parts[0] != settings.cloudflare.account_hash:
        raise BadKey(f"Images of the account '{escape_text(parts[0])}' are not configured")
    return settings.sources.resolve("/".join(parts[1:-1])), parts[-1]


def find_variant(key: str, variant: str, settings: DialectSettings) -> ParsedUrl:
    """Return the request of a preset. Raises BadOption for an unknown name."""
    presets = settings.presets
    if variant == PUBLIC and variant not in presets.options:
        return ParsedUrl(build_plan(key, {}), claim=None)
    if variant not in presets.options:
        raise BadOption(
            f"There is no variant '{escape_text(variant)}': "
            f"they are the presets {format_names(presets.options)}, and {PUBLIC}",
            option="variant",
        )
    values = presets.parse_values(variant)
    return ParsedUrl(build_plan(key, values), claim=None, metadata=str(values.get("meta", "")))


PREFIX = "/cdn-cgi/image/"


def parse(target: str, settings: DialectSettings) -> ParsedUrl:
    """Parse ``/cdn-cgi/image/…`` or ``/cdn-cgi/imagedelivery/…``.

    Raises BadKey, BadOption, UnknownOption or DuplicateOption.
    """
    if target.startswith(HOSTED_PREFIX):
        key, variant = parse_hosted_path(target, settings)
        return (
            _build_parsed_url(key, _parse_options(variant, CloudflareOptions(format="auto")))
            if "=" in variant
            else find_variant(key, variant, settings)
        )
    option_text, slash, source = target.removeprefix(PREFIX).partition("/")
    if not target.startswith(PREFIX) or not slash or not source:
        raise BadKey(f"The path must be like {PREFIX}<options>/<source>")
    options = _parse_options(option_text, CloudflareOptions())
    return _build_parsed_url(settings.sources.resolve(source), options)


def _build_parsed_url(key: str, options: CloudflareOptions) -> ParsedUrl:
    if options.format == "json":
        shown = build_valid_plan(key, convert_options(replace(options, format="")))
        return ParsedUrl(build_valid_plan(key, {"f": "json"}), claim=None, document=partial(describe, shown))
    return ParsedUrl(
        build_valid_plan(key, convert_options(options)),
        claim=None,
        saving_quality=options.saving_quality or None,
        metadata=options.metadata,
    )


def _parse_options(text: str, options: CloudflareOptions) -> CloudflareOptions:
    """Parse a list of options into ``options``."""
    named: set[str] = set()
    for option in text.split(","):
        named.add(_parse_option(option, options, named))
    return options


def _parse_option(option: str, options: CloudflareOptions, named: set[str]) -> str:
    """Parse ``name=value`` into ``options`` and return the documented name."""
    name, equals, text = option.partition("=")
    if not equals:
        raise BadOption(f"'{escape_text(option)}' is not an option like width=800", option=escape_text(name))
    reader = find_parser(MAPPINGS_BY_NAME, name)
    if MAPPINGS_BY_NAME[name].name in named:
        raise DuplicateOption(f"{name} was given twice", option=name)
    reader(options, name, decode_text(text, partial(BadOption, option=name), f"{name} is not percent-encoded UTF-8"))
    return MAPPINGS_BY_NAME[name].name


def verify(claim: SignatureClaim | None, keys: Sequence[DialectKey], now_s: float, expires_s: int | None) -> None:
    """Raise Expired from ``expires_s`` on. Cloudflare's URLs have no signature."""
    del claim, keys
    if expires_s is not None and now_s >= expires_s:
        raise Expired

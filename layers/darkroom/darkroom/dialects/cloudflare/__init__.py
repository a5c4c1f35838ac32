"""Cloudflare Images' URL language: ``/cdn-cgi/image/<option>=<value>,…/<path or URL>``, and hosted images.

Written after its documentation; what each option comes to is in :data:`COVERAGE`. Its URLs are never signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ...errors import BadKey, BadOption, DuplicateOption, Expired
from ...plan.keys import unquote
from ...plan.options import escape_text
from ..common.mapping import reader_of
from ..common.parsed_url import Asked, Claim, Key
from ..common.settings import LanguageSettings
from ..common.validate import held_plan
from .convert import values_of
from .hosted import HOSTED_PREFIX, hosted_parts, named_variant
from .json_result import describe
from .model import Wanted
from .options import COVERAGE, OPTIONS

__all__ = ["COVERAGE", "PREFIX", "check", "read"]

PREFIX = "/cdn-cgi/image/"


def read(target: str, settings: LanguageSettings) -> Asked:
    """Read ``/cdn-cgi/image/…`` or ``/cdn-cgi/imagedelivery/…``, as it stands in the URL.

    Raises BadKey, BadOption, UnknownOption or DuplicateOption, which name what is wrong.
    """
    if target.startswith(HOSTED_PREFIX):
        key, variant = hosted_parts(target, settings)
        return (
            _asked(key, _read_options(variant, Wanted(format="auto")))
            if "=" in variant
            else named_variant(key, variant, settings)
        )
    options, slash, source = target.removeprefix(PREFIX).partition("/")
    if not target.startswith(PREFIX) or not slash or not source:
        raise BadKey(f"The path is not like {PREFIX}<options>/<source>")
    wanted = _read_options(options, Wanted())
    return _asked(settings.sources.key(source), wanted)


def _asked(key: str, wanted: Wanted) -> Asked:
    if wanted.format == "json":
        shown = held_plan(key, values_of(replace(wanted, format="")))
        return Asked(held_plan(key, {"f": "json"}), claim=None, document=partial(describe, shown))
    return Asked(held_plan(key, values_of(wanted)), claim=None, saving_quality=wanted.saving_quality or None)


def _read_options(options: str, wanted: Wanted) -> Wanted:
    """``wanted`` with ``options`` read into it."""
    named: set[str] = set()
    for option in options.split(","):
        named.add(_read_option(option, wanted, named))
    return wanted


def _read_option(option: str, wanted: Wanted, named: set[str]) -> str:
    """Read ``name=value`` into ``wanted`` and return the option's own name."""
    name, equals, text = option.partition("=")
    if not equals:
        raise BadOption(f"'{escape_text(option)}' is not an option like width=800", option=escape_text(name))
    reader = reader_of(OPTIONS, name)
    if OPTIONS[name].name in named:
        raise DuplicateOption(f"{name} was given twice", option=name)
    reader(wanted, name, _decoded(name, text))
    return OPTIONS[name].name


def _decoded(name: str, text: str) -> str:
    try:
        return unquote(text)
    except (UnicodeError, ValueError) as error:
        raise BadOption(f"{name} is not percent-encoded UTF-8", option=name, detail=str(error)) from error


def check(claim: Claim | None, keys: Sequence[Key], now_s: float, expires_s: int | None) -> None:
    """Nothing to check: Cloudflare's URLs have neither a signature nor an end of their time."""
    del claim, keys
    if expires_s is not None and now_s >= expires_s:
        raise Expired

"""Building and signing URLs of Darkroom's own format, as an application does that has the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union
from urllib.parse import quote

from ..image_keys import check_key, encode_key, parse_key, quote_key
from ..signing import sign, sign_message
from .canonical import SEPARATOR
from .native_url import parse_url
from .option_plugins import check_plugin_options
from .options import OPTIONS_BY_NAME
from .presets import Presets

OptionValue = Union[str, int, float, bool]
"""The value of an option: ``True`` is written as ``1``, ``False`` as ``0``, a number without trailing zeros."""

_REPLACED = frozenset(name for name, option in OPTIONS_BY_NAME.items() if option.short in ("exp", "s"))
_SAFE_IN_PATHS = "%/:@!$&'()*+,;="
_SAFE_IN_QUERIES = "%/:@!$&()*+,;=?"
"""What browsers leave as it is: they write ``'`` in a query as ``%27``."""


def build_target(key: str, options: Mapping[str, OptionValue]) -> str:
    """Build the path and query of the image ``key``, with options by their short or long names.

    The name of a preset is not checked: the server's settings define it. Raises a DarkroomError for a key that no image
    can have, and for an option or value that does not exist.
    """
    path = f"/{quote_key(check_key(key))}"
    known = {name: value for name, value in options.items() if name != "preset"}
    check_plugin_options(parse_url(f"{path}?{format_query(known)}").plan)
    query = format_query(options)
    return f"{path}?{query}" if query else path


def sign_target(target: str, key: str, expires_s: int | None = None, presets: Presets | None = None) -> str:
    """Add a signature to ``target``, a path with a query, valid until ``expires_s`` (Unix time).

    An ``exp`` or ``s`` that it has already is replaced. ``presets`` are the server's, by default those that Darkroom
    ships with. Raises a DarkroomError where ``target`` is no valid request.
    """
    path, _, query = ("/" + target.removeprefix("/")).partition("?")
    kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] not in _REPLACED]
    request = parse_url(path + ("?" + "&".join(kept) if kept else ""), presets)
    check_plugin_options(request.plan)
    if expires_s is not None:
        kept.append(f"exp={expires_s}")
    kept.append(f"s={sign(request.path, key, expires_s)}")
    return f"{path}?{'&'.join(kept)}"


def sign_literal(target: str, key: str, expires_s: int | None = None) -> str:
    """Add a signature over ``target``, a path with a query, as it is written, valid until ``expires_s`` (Unix time).

    An ``exp`` or ``s`` that it has already is replaced, and characters that browsers change are percent-encoded.
    Options and presets are not checked. Raises BadKey for a path that no image can have.
    """
    path, _, query = target.partition("?")
    path = "/" + quote(path.removeprefix("/"), safe=_SAFE_IN_PATHS)
    parse_key(path)
    pairs = quote(query, safe=_SAFE_IN_QUERIES).split("&")
    kept = [pair for pair in pairs if pair and pair.partition("=")[0] not in _REPLACED]
    if expires_s is not None:
        kept.append(f"exp={expires_s}")
    text = f"{path}?{'&'.join(kept)}" if kept else path
    return f"{text}{'&' if kept else '?'}s={sign_message(text, key)}"


def build_extension_target(key: str, name: str, options: Mapping[str, OptionValue]) -> str:
    """Build the path and query by which the extension ``name`` serves the image ``key``, with sorted options.

    The key is encoded as in canonical paths, because an HTTP API decodes percent-escapes. Options are not checked.
    Raises BadKey for a key that no image can have.
    """
    path = f"/{encode_key(check_key(key))}{SEPARATOR}{name}"
    query = format_query({option: options[option] for option in sorted(options)})
    return f"{path}?{query}" if query else path


def sign_query(target: str, key: str, expires_s: int | None = None) -> str:
    """Add a signature over ``target``, the path of an extension with its query, as it is written.

    It is valid until ``expires_s`` (Unix time).
    """
    pairs = [pair for pair in (target.partition("?")[2], f"exp={expires_s}" if expires_s is not None else "") if pair]
    text = f"{target.partition('?')[0]}?{'&'.join(pairs)}" if pairs else target
    return f"{text}{'&' if pairs else '?'}s={sign_message(text, key)}"


def format_query(options: Mapping[str, OptionValue]) -> str:
    """Return ``options`` as a query, without checking them."""
    return "&".join(f"{name}={quote(_text(value), safe=',:;.~-_/')}" for name, value in options.items())


def _text(value: OptionValue) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)

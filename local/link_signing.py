"""Signed links for the pages of the console: Darkroom's own and those of dialects, with an expiry to private images."""

from __future__ import annotations

from datetime import UTC, datetime

from cli.dialect_signing import sign_in_dialect
from cli.explain.dialects import find_dialect
from darkroom.settings import Settings
from darkroom_analysis.review.playground import LASTS_S, is_private, sign_link
from darkroom_dialects import cloudinary
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import Dialect
from darkroom_dialects.serving.handler import load_dialect_settings
from darkroom_dialects.serving.signing_keys import parse_keys

from .dialect_keys import DOCUMENT


def sign_for_page(
    target: str, settings: Settings, signing_key: str, now_s: float, lasts_s: int | None
) -> dict[str, object]:
    """Return ``target`` signed for ``lasts_s``, its expiry, and whether its image is private.

    A link to a private image ends after an hour if ``lasts_s`` is None. Raises a DarkroomError for an invalid URL, and
    ValueError where the dialect has no signatures or no expiry.
    """
    dialect = find_dialect(target.partition("?")[0])
    if dialect is None:
        return sign_link(target, signing_key, settings, _end(lasts_s, now_s, private=is_private(target, settings)))
    if not dialect.signed:
        raise ValueError(f"{dialect.name} has no signed URLs: anything else needs {dialect.mode_setting} = open.")
    parsed = load_parser(dialect).parse(dialect.parser_input(target), load_dialect_settings(settings))
    private = parsed.plan.key.startswith(settings.private_prefixes)
    expires_s = _end(lasts_s, now_s, private=private)
    path = _set_expiry(dialect, _remove_signature(dialect, target), expires_s)
    signed = sign_in_dialect(dialect.name, path, parse_keys(DOCUMENT))
    return {"target": signed, "expires_s": expires_s, "is_private": private}


def _end(lasts_s: int | None, now_s: float, *, private: bool) -> int | None:
    if lasts_s is None and private:
        lasts_s = LASTS_S
    return None if lasts_s is None else int(now_s) + lasts_s


def _remove_signature(dialect: Dialect, target: str) -> str:
    """Return what follows the prefix, without the segment of the signature. A signature in the query is replaced."""
    path = target.removeprefix(dialect.prefix)
    if dialect.name == "cloudinary":
        return cloudinary.remove_signature(path)
    return path if dialect.has_query else "/" + path[1:].partition("/")[2]


def _set_expiry(dialect: Dialect, path: str, expires_s: int | None) -> str:
    if expires_s is None:
        return path
    more = "&" if "?" in path else "?"
    match dialect.name:
        case "imgproxy":
            return f"/exp:{expires_s}{path}"
        case "imgix":
            return f"{path}{more}expires={expires_s}"
        case "dit":
            return f"{path}{more}expires={datetime.fromtimestamp(expires_s, UTC):%Y%m%dT%H%M%SZ}"
    raise ValueError(f"{dialect.name} has no expiry, which each link to a private image needs.")

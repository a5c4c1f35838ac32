"""URLs of Darkroom images, signed where they need it, and upload tokens. Nothing but Python's standard library."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ._darkroom.errors import DarkroomError
from ._darkroom.overlays import FILES_BELOW, OPTION
from ._darkroom.overlays.language import list_files, parse_overlays
from ._darkroom.plan.option_plugins import OptionPlugin, register_plugin
from ._darkroom.plan.presets import Presets, parse_presets
from ._darkroom.plan.url_builder import OptionValue, build_extension_target, build_target, sign_query, sign_target
from ._darkroom.plan.url_builder import sign_literal as _sign_literal
from ._darkroom.plan.variants import LADDER_PX
from ._darkroom.services.upload_requests import Grant, make_token
from ._darkroom.signing import PURPOSES, Purpose
from ._darkroom.signing import sign_message as _sign_message

__all__ = [
    "WIDTHS",
    "OptionValue",
    "PresetTable",
    "UrlError",
    "build_extension_url",
    "build_srcset",
    "build_url",
    "create_upload_token",
    "sign",
    "sign_literal",
    "sign_message",
]

register_plugin(OptionPlugin(OPTION, parse_overlays, list_files, FILES_BELOW))

WIDTHS: tuple[int, ...] = LADDER_PX
"""Widths in pixels that need no signature."""

PresetTable = Mapping[str, Mapping[str, OptionValue]]
"""Options of presets, by the names of these."""


class UrlError(ValueError):
    """The key, an option or a value is not allowed. ``code`` is the code that the server answers with."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def build_url(
    image: str,
    *,
    base: str = "",
    signing_key: str | None = None,
    expires_at: datetime | int | None = None,
    presets: PresetTable | None = None,
    **options: OptionValue,
) -> str:
    """Build the URL of an image.

    ``image`` is its key, such as ``trips/rome.jpg``, not percent-encoded. ``base`` is the address of the CDN, such as
    ``https://images.example.com``. ``options`` have the short or long names of docs/reference/urls.md: ``w=800`` is
    ``width=800``. With ``signing_key`` the URL is signed, and valid until ``expires_at`` (an aware datetime, or Unix
    time) if that is given. ``presets`` is the server's setting of that name, where a URL with a preset of your own is
    signed; it replaces the presets that Darkroom ships with.

    Raises UrlError.
    """
    try:
        target = build_target(image, options)
    except DarkroomError as error:
        raise UrlError(error.message, error.code) from None
    if signing_key is not None:
        target = sign(target, signing_key, expires_at=expires_at, presets=presets)
    elif expires_at is not None:
        raise UrlError("Only a signed URL expires: give a signing_key", "unsigned")
    return base.removesuffix("/") + target


def build_srcset(
    image: str,
    *,
    widths: Iterable[int] = WIDTHS,
    base: str = "",
    signing_key: str | None = None,
    expires_at: datetime | int | None = None,
    presets: PresetTable | None = None,
    **options: OptionValue,
) -> str:
    """Build the ``srcset`` of an ``<img>``: a URL for each of ``widths``. Raises UrlError. Other arguments are those of
    :func:`build_url`."""
    shared: dict[str, Any] = {"base": base, "signing_key": signing_key, "expires_at": expires_at, "presets": presets}
    return ", ".join(f"{build_url(image, w=width, **shared, **options)} {width}w" for width in widths)


def build_extension_url(
    image: str,
    name: str,
    /,
    *,
    signing_key: str,
    base: str = "",
    expires_at: datetime | int | None = None,
    **options: OptionValue,
) -> str:
    """Build the signed URL by which the extension ``name`` serves an image: ``<key>/_/<name>``.

    ``options`` are those of its guide; the server checks them. Other arguments are those of :func:`build_url`. Raises
    UrlError.
    """
    try:
        target = build_extension_target(image, name, options)
    except DarkroomError as error:
        raise UrlError(error.message, error.code) from None
    return base.removesuffix("/") + sign_query(target, signing_key, _unix_time(expires_at))


def sign(
    target: str,
    signing_key: str,
    *,
    expires_at: datetime | int | None = None,
    presets: PresetTable | None = None,
) -> str:
    """Sign a path with a query, such as ``/photo.jpg?w=801``. Raises UrlError.

    A signature or an expiry that ``target`` has already is replaced. ``presets`` is as for :func:`build_url`.
    """
    try:
        known = _load_presets() if presets is None else parse_presets({"presets": presets})
        return sign_target(target, signing_key, _unix_time(expires_at), known)
    except DarkroomError as error:
        raise UrlError(error.message, error.code) from None
    except ValueError as error:
        raise UrlError(str(error), "bad-option") from None


def sign_literal(target: str, signing_key: str, *, expires_at: datetime | int | None = None) -> str:
    """Sign a path with a query as it is written, such as ``/photo.jpg?preset=own``. Raises UrlError.

    The signature stays valid if a preset in ``target`` changes, and not if the URL is written in another way. Options
    are not checked. A signature or an expiry that ``target`` has already is replaced.
    """
    try:
        return _sign_literal(target, signing_key, _unix_time(expires_at))
    except DarkroomError as error:
        raise UrlError(error.message, error.code) from None


def sign_message(text: str, signing_key: str, purpose: str = "image") -> str:
    """Return the signature of ``text``, which is signed as it is: 43 characters of base64url.

    ``purpose`` is one of docs/reference/signatures.md, such as ``tile-url``. Raises UrlError for an image's text that
    does not begin with a slash: it could be one of another purpose.
    """
    known = {one.name: one for one in PURPOSES}
    try:
        return _sign_message(text, signing_key, known.get(purpose) or Purpose(purpose))
    except ValueError as error:
        raise UrlError(str(error), "bad-key") from None


def create_upload_token(
    prefix: str,
    signing_key: str,
    *,
    expires_at: datetime | int,
    max_bytes: int | None = None,
    max_files: int | None = None,
    priority: Literal["", "urgent"] = "",
) -> str:
    """Create a token for uploads.

    ``prefix`` is ``trips/`` for all keys below it, or the key of one file. ``max_bytes`` limits each file,
    ``max_files`` the number of files. Uploads of the priority ``urgent`` overtake a backlog of others. Raises UrlError.
    """
    grant = Grant(prefix, _unix_time(expires_at) or 0, max_bytes, max_files, priority)
    try:
        return make_token(grant, signing_key)
    except DarkroomError as error:
        raise UrlError(error.message, error.code) from None


@cache
def _load_presets() -> Presets:
    """Load the presets that Darkroom ships with. Python 3.9 and 3.10 cannot read the layer's TOML."""
    return parse_presets(json.loads((Path(__file__).parent / "_darkroom" / "presets.json").read_text(encoding="utf-8")))


def _unix_time(at: datetime | int | None) -> int | None:
    if not isinstance(at, datetime):
        return at
    if at.tzinfo is None:
        raise UrlError("expires_at has no time zone", "bad-option")
    return int(at.timestamp())

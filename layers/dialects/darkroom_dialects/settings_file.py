"""Parse ``dialects.toml`` and the setting ``dialects``, whose entries replace or precede those of the file."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

from darkroom.errors import BadKey, BadOption, DarkroomError
from darkroom.image_keys import check_key, quote_key
from darkroom.plan.presets import Presets, check_files, parse_presets_toml, read_presets_file
from darkroom.settings import DIALECT_TABLES, Settings

from .common.settings import (
    MAX_SIGNATURE_BYTES,
    MIN_SIGNATURE_BYTES,
    CloudflareSettings,
    CloudinarySettings,
    DialectSettings,
    DitSettings,
    ImgproxySettings,
    ThumborSettings,
)
from .common.sources import PREFIX, Sources

TRUSTED_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{16,}")
"""A path segment as long as the shortest key, because it permits every request."""

ACCOUNT_HASH = re.compile(r"[A-Za-z0-9_-]*")
"""A path segment, or nothing."""


def parse_settings(text: str, presets: Presets, further: str = "") -> DialectSettings:
    """Parse the content of ``dialects.toml`` and ``further`` tables, as JSON. Raises ValueError."""
    document = tomllib.loads(text)
    if further:
        document = _merge(document, json.loads(further))
    if unknown := document.keys() - set(DIALECT_TABLES):
        raise ValueError(f"dialects: there is no table {min(unknown)!r}")
    settings = DialectSettings(
        Sources(tuple(_parse_source(prefix, key) for prefix, key in document.get("sources", {}).items())),
        presets.watermarks,
        _parse_section(ImgproxySettings, "imgproxy", document),
        _parse_section(ThumborSettings, "thumbor", document),
        _parse_section(DitSettings, "dit", document),
        _parse_section(CloudflareSettings, "cloudflare", document),
        _parse_section(CloudinarySettings, "cloudinary", document),
        presets,
    )
    _check(settings)
    return settings


def _merge(table: Mapping[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
    """Return both tables, with the values of ``further`` first: of the addresses of sources, the first match applies.

    False in place of a text removes it.
    """

    def merge_value(name: str, value: object) -> object:
        own = table.get(name)
        return _merge(own, value) if isinstance(own, Mapping) and isinstance(value, Mapping) else value

    both = {name: merge_value(name, value) for name, value in further.items()}
    both |= {name: value for name, value in table.items() if name not in both}
    return {name: value for name, value in both.items() if value is not False or not isinstance(table.get(name), str)}


def _parse_source(prefix: str, key: object) -> tuple[str, str]:
    if not PREFIX.fullmatch(prefix):
        raise ValueError(f"sources: {prefix!r} is not like https://images.example.com/ or s3://bucket/folder/")
    if not isinstance(key, str) or (key and not _is_key_prefix(key)):
        raise ValueError(f"sources: {key!r} is not the beginning of keys, such as old/")
    return prefix, quote_key(key)


def _is_key_prefix(text: str) -> bool:
    try:
        check_key(text.removesuffix("/"))
    except BadKey:
        return False
    return text.endswith("/")


def _parse_section[Section](shape: type[Section], name: str, document: Mapping[str, Any]) -> Section:
    given = document.get(name, {})
    defaults = shape()
    known = {one.name: getattr(defaults, one.name) for one in fields(shape)}  # type: ignore[arg-type]
    for option, value in given.items():
        if option not in known:
            raise ValueError(f"{name}: there is no setting {option!r}")
        if not isinstance(value, type(known[option])):
            raise ValueError(f"{name}: {option} must be like {known[option]!r}, not {value!r}")  # noqa: TRY004
    return shape(**given)


def _check(settings: DialectSettings) -> None:
    imgproxy = settings.imgproxy
    if not MIN_SIGNATURE_BYTES <= imgproxy.signature_size <= MAX_SIGNATURE_BYTES:
        raise ValueError(f"imgproxy: signature_size must be from {MIN_SIGNATURE_BYTES} to {MAX_SIGNATURE_BYTES}")
    if imgproxy.arguments_separator in ("", "/"):
        raise ValueError("imgproxy: arguments_separator must be something other than /")
    for signature in imgproxy.trusted_signatures:
        if not isinstance(signature, str) or not TRUSTED_SIGNATURE.fullmatch(signature):
            raise ValueError(f"imgproxy: trusted_signatures: {signature!r} is not 16 or more of A-Z, a-z, 0-9, - and _")
    for name, value in imgproxy.presets.items():
        if not isinstance(value, str) or not value:
            raise ValueError(f"imgproxy: preset {name!r} must have options, such as 'resize:fill:300:200'")
    if imgproxy.presets:
        from .imgproxy.options import check_presets

        check_presets(imgproxy)
    if not ACCOUNT_HASH.fullmatch(settings.cloudflare.account_hash):
        raise ValueError("cloudflare: account_hash is not of A-Z, a-z, 0-9, - and _")
    if settings.cloudinary.transformations:
        _check_transformations(settings.cloudinary.transformations)
    if settings.thumbor.smart not in ("attention", "face"):
        raise ValueError(f"thumbor: smart must be attention or face, not {settings.thumbor.smart!r}")


def _check_transformations(named: Mapping[str, object]) -> None:
    from .cloudinary.url import check_transformation

    for name, value in named.items():
        try:
            if not isinstance(value, str):
                raise BadOption("must be a text such as 'c_fill,w_300,h_200'")
            check_transformation(value)
        except DarkroomError as error:
            raise ValueError(f"cloudinary: transformation {name!r}: {error.message}") from error


def read_settings_file() -> str:
    """Return the content of ``dialects.toml``."""
    from pathlib import Path

    return Path(__file__).with_name("dialects.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=4)
def load_settings(further: str = "") -> DialectSettings:
    """Return the settings of this deployment with those of the setting ``dialects``. Raises ValueError."""
    return parse_settings(read_settings_file(), parse_presets_toml(read_presets_file()), further)


def apply_settings(loaded: DialectSettings, settings: Settings) -> DialectSettings:
    """Return ``loaded`` with presets, watermarks and sources of the document. Addresses of ``loaded`` come first."""
    further = tuple((one.address, quote_key(one.key_prefix)) for one in settings.sources)
    sources = Sources((*loaded.sources.table, *further)) if further else loaded.sources
    presets = settings.presets
    return replace(loaded, watermarks=presets.watermarks, presets=presets, sources=sources)


def main() -> int:
    """Check dialects.toml and presets.toml. Returns the exit status, 1 after an error message."""
    return check_files("dialects.toml or presets.toml", load_settings)


if __name__ == "__main__":
    raise SystemExit(main())

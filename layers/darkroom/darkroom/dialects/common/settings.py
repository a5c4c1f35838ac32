"""What a deployment says of other services' languages, as configured in ``dialects.toml``. Keys are not in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from ...errors import BadKey, BadOption
from ...plan.keys import check_key, quote_key
from ...plan.presets import Presets, read_presets_file
from ...plan.presets import parse_presets_toml as load_presets
from .sources import PREFIX, Sources

MIN_SIGNATURE_BYTES = 8
MAX_SIGNATURE_BYTES = 32
"""Of SHA-256. Below eight bytes a signature can be guessed."""


TRUSTED_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{16,}")
"""It permits every request, so that it is as long as the shortest key; and it is a segment of a path."""


ACCOUNT_HASH = re.compile(r"[A-Za-z0-9_-]*")
"""A segment of a path, or nothing."""


@dataclass(frozen=True, slots=True)
class ImgproxySettings:
    """What imgproxy's own configuration says by the variables of these names.

    ``presets`` are in its syntax; one named ``default`` goes before every URL. ``only_presets`` takes the first segment
    for preset names. ``signature_size`` is how many bytes of the digest a signature has. ``base_url`` goes before every
    address that does not begin with it. ``base64_url_includes_filename`` drops the last segment of an encoded address.
    ``trusted_signatures`` are accepted without a check, in any URL.
    """

    presets: Mapping[str, str] = field(default_factory=dict)
    only_presets: bool = False
    signature_size: int = MAX_SIGNATURE_BYTES
    base_url: str = ""
    arguments_separator: str = ":"
    base64_url_includes_filename: bool = False
    trusted_signatures: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ThumborSettings:
    """``smart`` is what ``smart`` keeps: ``attention``, or ``face`` where images are analysed.

    ``respect_orientation``: images are made upright first, as by ``RESPECT_ORIENTATION``, which thumbor has off.
    """

    smart: str = "attention"
    respect_orientation: bool = True


@dataclass(frozen=True, slots=True)
class DitSettings:
    """AWS Dynamic Image Transformation. ``auto_webp`` negotiates where a request names no format, as ``AUTO_WEBP``."""

    auto_webp: bool = True


@dataclass(frozen=True, slots=True)
class CloudflareSettings:
    """``account_hash`` is that of Cloudflare Images in URLs of hosted images, of which "" serves none."""

    account_hash: str = ""


@dataclass(frozen=True, slots=True)
class DialectSettings:
    """``sources`` says which addresses are which keys, ``watermarks`` has the key of each configured one by name.

    ``presets`` are those of native URLs, by which other languages may name variants.
    ``finds_faces``: whether the deployment's inference may find any. It is no setting of the file.
    """

    sources: Sources = Sources()
    watermarks: Mapping[str, str] = field(default_factory=dict)
    imgproxy: ImgproxySettings = field(default_factory=ImgproxySettings)
    thumbor: ThumborSettings = ThumborSettings()
    dit: DitSettings = DitSettings()
    cloudflare: CloudflareSettings = CloudflareSettings()
    presets: Presets = field(default_factory=lambda: Presets({}, {}))
    detects_faces: bool = False

    def find_watermark(self, address: str, *, bare_hosts: bool = False) -> str:
        """The name of the configured watermark whose key ``address`` means; raises BadOption, BadKey."""
        key = self.sources.resolve(address, bare_hosts=bare_hosts)
        for name, known in self.watermarks.items():
            if known == key:
                return name
        raise BadOption("watermark: no watermark is configured that is at this address", option="watermark")

    def default_watermark(self) -> str:
        """The watermark of languages that have one: ``default``, else the only one; raises BadOption if none is it."""
        if "default" in self.watermarks:
            return "default"
        if len(self.watermarks) == 1:
            return next(iter(self.watermarks))
        raise BadOption("watermark: no watermark named default is configured", option="watermark")


def parse_settings(text: str, presets: Presets) -> DialectSettings:
    """Read ``dialects.toml``; raises ValueError that names what is wrong."""
    import tomllib

    document = tomllib.loads(text)
    if unknown := document.keys() - {"sources", "imgproxy", "thumbor", "dit", "cloudflare"}:
        raise ValueError(f"languages: there is no table {min(unknown)!r}")
    settings = DialectSettings(
        Sources(tuple(_parse_source(prefix, key) for prefix, key in document.get("sources", {}).items())),
        presets.watermarks,
        _parse_section(ImgproxySettings, "imgproxy", document),
        _parse_section(ThumborSettings, "thumbor", document),
        _parse_section(DitSettings, "dit", document),
        _parse_section(CloudflareSettings, "cloudflare", document),
        presets,
    )
    _check(settings)
    return settings


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
        from ..imgproxy.options import check_presets  # which reads what is said here

        check_presets(imgproxy)
    if not ACCOUNT_HASH.fullmatch(settings.cloudflare.account_hash):
        raise ValueError("cloudflare: account_hash is not of A-Z, a-z, 0-9, - and _")
    if settings.thumbor.smart not in ("attention", "face"):
        raise ValueError(f"thumbor: smart must be attention or face, not {settings.thumbor.smart!r}")


def read_settings_file() -> str:
    """The content of this deployment's ``dialects.toml``."""
    from pathlib import Path

    return (Path(__file__).parents[2] / "dialects.toml").read_text(encoding="utf-8")


@cache
def load_settings() -> DialectSettings:
    """What this deployment says."""
    return parse_settings(read_settings_file(), load_presets(read_presets_file()))


def main() -> int:
    """Read both files, as a function does; the exit status of ``python -m``, 1 after a line about what is wrong."""
    import sys

    try:
        load_settings()
    except Exception as error:  # a file of the wrong shape raises more than ValueError
        sys.stderr.write(f"dialects.toml or presets.toml: {error.__class__.__name__}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

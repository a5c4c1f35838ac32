"""Parse imgproxy URLs: ``/<signature>/<option>:<argument>…/plain/<URL>@<ext>``.

Modelled on imgproxy's option parser and path handling. A signature is unpadded base64url of HMAC-SHA256 over salt and
path, possibly truncated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from darkroom.errors import BadKey, BadOption

from ..common.parsed_url import DialectKey, ParsedUrl, SignatureClaim, verify_claim
from ..common.settings import DialectSettings, ImgproxySettings
from ..common.sources import BAD_ADDRESS
from ..common.validate import build_valid_plan, decode_text
from .convert import convert_options
from .model import ImgproxyOptions
from .option_parsers import RESIZING, ParseState, parse_format_name
from .options import apply_option, apply_preset

UNSIGNED = frozenset({"", "_", "-", "unsafe", "insecure"})
"""Signature segments of unsigned URLs. imgproxy without keys accepts any; its guides use these."""


def sign(message: bytes, key: DialectKey, size_bytes: int = 0) -> str:
    """Return the signature of ``message``, the path from the slash before the options. Key and salt are hexadecimal."""
    import hmac
    from base64 import urlsafe_b64encode

    digest = hmac.digest(bytes.fromhex(key.key), bytes.fromhex(key.salt) + message, "sha256")
    return urlsafe_b64encode(digest[: size_bytes or len(digest)]).rstrip(b"=").decode()


EXPIRES = ("expires", "exp")
"""The option that may follow the presets where only presets are allowed: it limits a link, and makes no variant."""


def verify(claim: SignatureClaim | None, keys: Sequence[DialectKey], now_s: float, expires_s: int | None) -> None:
    """Raise BadSignature if ``claim`` is neither trusted nor of any of ``keys``, and Expired from ``expires_s`` on.

    Signatures are compared as spelled. imgproxy decodes them first and accepts four spellings of the last character.
    """
    if claim is not None and claim.trusted:
        claim = None
    verify_claim(claim, lambda one: (sign(one.message, key, one.size_bytes) for key in keys), now_s, expires_s)


INFO_PREFIX = "/info/"
"""The path of requests for properties of a source."""

_SQUEEZED = re.compile(r"(\S+):/([^/])")
"""An address whose double slash a proxy has merged."""


def restore_path(path: str) -> str:
    """Return ``path`` as signed. Proxies escape colons of options and merge slashes of an address."""
    options, plain, address = path.partition("/plain/")
    if path.startswith("plain/"):
        options, plain, address = "", "plain/", path.removeprefix("plain/")
    if squeezed := _SQUEEZED.match(address):
        slashes = ":///" if squeezed[1] == "local" else "://"
        address = squeezed[1] + slashes + squeezed[2] + address[squeezed.end() :]
    return options.replace("%3A", ":") + plain + address


def parse_claim(signature: str, path: str, settings: ImgproxySettings) -> SignatureClaim | None:
    """Return the signature of the URL; None if it is unsigned."""
    if signature in UNSIGNED:
        return None
    trusted = signature in settings.trusted_signatures
    return SignatureClaim(f"/{path}".encode(), signature, settings.signature_size, trusted=trusted)


_BASE64 = re.compile(r"[A-Za-z0-9_-]+")


def parse_source(parts: list[str], settings: ImgproxySettings) -> tuple[str, str]:
    """Return the source's address and the extension ("" for none) in ``parts``, segments of a path.

    Raises BadKey; BadOption for an encrypted address.
    """
    if parts[:1] == ["plain"] and len(parts) > 1:
        text, extension = _split("/".join(parts[1:]), "@")
        return _add_base_url(decode_text(text, BadKey, BAD_ADDRESS), settings.base_url), extension
    if parts[:1] == ["enc"] and len(parts) > 1:
        raise BadOption("enc: encrypted addresses belong to imgproxy Pro and are not supported", option="enc")
    if settings.base64_url_includes_filename and len(parts) > 1:
        parts = parts[:-1]
    text, extension = _split("".join(parts), ".")
    return _add_base_url(_decode(text.rstrip("=")), settings.base_url), extension


def _split(text: str, sign: str) -> tuple[str, str]:
    address, *extensions = text.split(sign)
    if not address:
        raise BadKey("The URL names no source")
    if len(extensions) > 1:
        raise BadKey(f"The source has more than one {sign}; in an address, encode it as %{ord(sign):02X}")
    return address, "".join(extensions)


def _decode(text: str) -> str:
    from base64 import urlsafe_b64decode

    try:
        if not _BASE64.fullmatch(text):
            raise ValueError(text)  # noqa: TRY301 Python skips characters outside the alphabet
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError as error:
        raise BadKey("The source's address is neither plain/ nor base64url of UTF-8", detail=str(error)) from error


def _add_base_url(address: str, base: str) -> str:
    return address if not base or address.startswith(base) else base + address


def parse_image_url(target: str, settings: DialectSettings) -> ParsedUrl:
    """Parse ``/<signature>/…``. Raises BadKey, BadOption or UnknownOption."""
    signature, slash, rest = target.partition("?")[0].removeprefix("/").partition("/")
    if not slash or not rest:
        raise BadKey("The path must be like /<signature>/<options>/plain/<source>")
    path = restore_path(rest)
    state = ParseState(settings.imgproxy)
    if "default" in settings.imgproxy.presets:
        apply_preset(state, "preset", "default")
    key = _parse_path(path.split("/"), state, settings)
    options = state.options
    return ParsedUrl(
        plan=build_valid_plan(key, convert_options(options, key, settings)),
        claim=parse_claim(signature, path, settings.imgproxy),
        expires_s=options.expires_s,
        qualities=_qualities_by_format(options),
        metadata=options.metadata,
    )


def _parse_path(parts: list[str], state: ParseState, settings: DialectSettings) -> str:
    """Parse options into ``state`` and return the key of the source."""
    separator = state.settings.arguments_separator
    if state.settings.only_presets:
        for preset in parts[0].split(separator):
            apply_preset(state, "preset", preset)
        parts = parts[1:]
        if parts and parts[0].partition(separator)[0] in EXPIRES and separator in parts[0]:
            apply_option(state, parts.pop(0))
    elif parts[0] in RESIZING:
        raise BadOption("imgproxy's basic URL format is not supported, as in current imgproxy")
    else:
        while parts and separator in parts[0]:
            apply_option(state, parts.pop(0))
    address, extension = parse_source(parts, state.settings)
    if extension and not state.options.raw:
        state.options.format = parse_format_name("extension", extension)
    return settings.sources.resolve(address)


def _qualities_by_format(options: ImgproxyOptions) -> tuple[tuple[str, int], ...]:
    """Return qualities by format if the format is negotiated and no quality for all formats is given."""
    if options.format or options.quality or options.raw:
        return ()
    return tuple(sorted(options.format_quality.items()))

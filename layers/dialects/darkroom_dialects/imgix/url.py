"""Parse imgix URLs: ``/<path or escaped URL>?<parameters>``.

A signature is hexadecimal MD5 over the token, the path and the query without ``s``, all as spelled.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from collections.abc import Sequence
from functools import partial

from darkroom.errors import BadKey, BadOption, DuplicateOption
from darkroom.plan.options import escape_text

from ..common.mapping import find_parser
from ..common.parsed_url import DialectKey, ParsedUrl, SignatureClaim, verify_claim
from ..common.settings import DialectSettings
from ..common.validate import BAD_PATH, bad_option, build_valid_plan, decode_text
from .convert import convert_options, describe
from .model import ImgixOptions
from .options import MAPPINGS_BY_NAME

_ESCAPED_SCHEME = re.compile(r"https?%3a", re.IGNORECASE)
_SPELLED = re.compile(rb"[!-~]+")
_BASE64 = "64"
_VIDEO = "video-"
_BAD_QUERY = "The query is not percent-encoded UTF-8"
SIGNATURE = "s"


def sign(message: bytes, key: DialectKey) -> str:
    """Return the signature of ``message``, path and query as spelled."""
    from hashlib import md5  # loads OpenSSL, which native requests do not need

    return md5(key.key.encode() + message, usedforsecurity=False).hexdigest()


def verify(
    claim: SignatureClaim | None, keys: Sequence[DialectKey], now_s: float, expires_s: int | None = None
) -> None:
    """Raise BadSignature if ``claim`` is of none of ``keys``, and Expired from ``expires_s`` on.

    imgix hashes the token before the URL, so that a client can compute signatures of continuations of a signed URL
    without the token. Each contains bytes that URLs do not: a message with others than visible ASCII has no signature.
    """
    verify_claim(
        claim,
        lambda one: (sign(one.message, key) for key in keys if key.key and _SPELLED.fullmatch(one.message)),
        now_s,
        expires_s,
    )


def parse(target: str, settings: DialectSettings) -> ParsedUrl:
    """Parse ``target``, the raw path and query after the dialect's prefix.

    Raises BadKey, BadOption or DuplicateOption.
    """
    path, _, query = target.partition("?")
    if path in ("", "/"):
        raise BadKey("The path must be like /<path>")
    pairs = [pair for pair in query.split("&") if pair]
    signed = [pair for pair in pairs if not pair.startswith(f"{SIGNATURE}=")]
    claims = [pair.partition("=")[2] for pair in pairs if pair.startswith(f"{SIGNATURE}=")]
    if len(claims) > 1:
        raise DuplicateOption(f"{SIGNATURE} was given twice", option=SIGNATURE)
    options = _parse_pairs(signed)
    source = path.removeprefix("/")
    if _ESCAPED_SCHEME.match(source):
        source = decode_text(source, BadKey, BAD_PATH)
    plan = build_valid_plan(settings.sources.resolve(source), convert_options(options))
    message = path + ("?" + "&".join(signed) if signed else "")
    return ParsedUrl(
        plan,
        SignatureClaim(message.encode("utf-8", "surrogatepass"), claims[0]) if claims else None,
        options.expires_s,
        document=describe if plan.format == "json" else None,
        metadata=options.metadata,
    )


def _parse_pairs(pairs: Sequence[str]) -> ImgixOptions:
    """Parse parameters. Unknown ones, such as ``ixlib``, are ignored, as in imgix."""
    options = ImgixOptions()
    given: set[str] = set()
    for pair in pairs:
        spelled, _, text = pair.partition("=")
        name = decode_text(spelled, BadOption, _BAD_QUERY).lower()
        value = decode_text(text.replace("+", " "), partial(BadOption, option=escape_text(name)), _BAD_QUERY)
        if name.startswith(_VIDEO):
            raise bad_option(escape_text(name), "is not supported: videos are not served in this dialect")
        if name not in MAPPINGS_BY_NAME and name.removesuffix(_BASE64) in MAPPINGS_BY_NAME:
            name = name.removesuffix(_BASE64)
            value = _decode_base64(name, value)
        if name not in MAPPINGS_BY_NAME:
            continue
        documented = MAPPINGS_BY_NAME[name].name
        if documented in given:
            raise DuplicateOption(f"{name} was given twice", option=name)
        given.add(documented)
        find_parser(MAPPINGS_BY_NAME, name)(options, name, value)
    return options


def _decode_base64(name: str, text: str) -> str:
    from base64 import b64decode

    try:
        return b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode()
    except (Base64Error, ValueError) as error:
        raise bad_option(f"{name}{_BASE64}", "it must be base64url of UTF-8") from error

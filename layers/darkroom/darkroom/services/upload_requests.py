"""Upload tokens and requests to the upload API.

The grant of a token (:mod:`..grant_tokens`) is the text
``<expires>:<max bytes>[x<max files>][;priority=urgent]:<prefix>``: Unix time, a whole number or nothing, ``x`` and a
number if the number of files is limited, and the prefix last, so that it needs no escapes.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..client_findings import encode_findings, parse_client_findings
from ..errors import BadKey, BadUpload, NotGranted
from ..grant_tokens import TokenKind
from ..image_keys import check_key
from ..plan.model import CONVERTED_TYPES, SOURCE_MEDIA_TYPES
from ..signing import Purpose

_GRANT = re.compile(
    r"([1-9][0-9]{0,9}):([1-9][0-9]{0,11})?(?:x([1-9][0-9]{0,5}))?(?:;priority=(urgent))?:(.+)", re.DOTALL
)
_HEX_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_REQUIRED_FIELDS = ("key", "type", "size", "sha256")
_OPTIONAL_FIELDS = ("findings",)
_MAX_REQUEST_BYTES = 16_384
"""Of the JSON: a key of 700 bytes can take 4,200 if it is escaped, and findings four times the stored 1,800 bytes."""
_FILENAME_PLACEHOLDER = "${filename}"
"""S3 replaces it with the name of the sent file, so that the key would not be the granted one."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows until ``expires_s`` (Unix time): uploads to ``prefix`` of at most ``max_bytes`` each.

    A prefix that ends in a slash covers all keys below it, any other only the key of that name. ``max_files`` limits
    the number of forms. Uploads of the ``priority`` ``urgent`` do not wait behind others; "" is none.
    """

    prefix: str
    expires_s: int
    max_bytes: int | None = None
    max_files: int | None = None
    priority: str = ""

    @property
    def text(self) -> str:
        """The grant in the form that a token encodes. Equal grants have equal texts."""
        most = "" if self.max_bytes is None else str(self.max_bytes)
        files = "" if self.max_files is None else f"x{self.max_files}"
        priority = f";priority={self.priority}" if self.priority else ""
        return f"{self.expires_s}:{most}{files}{priority}:{self.prefix}"

    def covers(self, key: str) -> bool:
        """Return whether ``key`` is the prefix or below it."""
        return key == self.prefix or (self.prefix.endswith("/") and key.startswith(self.prefix))


@dataclass(frozen=True, slots=True)
class DeclaredUpload:
    """A file to upload, as declared by the client. ``sha256`` is the digest of its bytes.

    ``findings``: those of the client, as :mod:`darkroom.client_findings` encodes them; empty if there are none.
    """

    key: str
    media_type: str
    size_bytes: int
    sha256: bytes
    findings: str = ""

    @property
    def checksum(self) -> str:
        """The digest in the form that S3 uses."""
        return b64encode(self.sha256).decode()


def _parse_grant(text: str) -> Grant | None:
    parts = _GRANT.fullmatch(text)
    if parts is None:
        return None
    expires, max_bytes, max_files, priority, prefix = parts.groups()
    check_key(prefix.removesuffix("/"))
    most_bytes, most_files = (int(most) if most else None for most in (max_bytes, max_files))
    return Grant(prefix, int(expires), most_bytes, most_files, priority or "")


_TOKENS = TokenKind("upload token", Purpose.UPLOAD_TOKEN, 1200, _parse_grant)


def make_token(grant: Grant, key: str) -> str:
    """Make a token of ``grant`` with ``key``; raises BadKey for an invalid prefix, BadToken for other parts."""
    check_key(grant.prefix.removesuffix("/"))
    return _TOKENS.make(grant.text, key)


def verify_token(token: str, keys: Sequence[str], now_s: float) -> Grant:
    """Return the grant of a token; raises BadToken if none of ``keys`` made it or it has expired."""
    return _TOKENS.verify(token, keys, now_s)


def parse_upload_request(
    body: bytes, grant: Grant, max_bytes: int, converted_formats: Sequence[str] = ()
) -> DeclaredUpload:
    """Parse the JSON of a request. ``converted_formats`` are accepted as well as formats of masters.

    Raises BadUpload with the invalid field, or NotGranted for a key that the grant does not cover.
    """
    document = _parse_document(body)
    key = _parse_key(document["key"])
    if not grant.covers(key):
        raise NotGranted(f"The upload token covers only {_describe_range(grant.prefix)}")
    return DeclaredUpload(
        key=key,
        media_type=_parse_media_type(document["type"], converted_formats),
        size_bytes=_parse_size(document["size"], min(max_bytes, grant.max_bytes or max_bytes)),
        sha256=_parse_sha256(document["sha256"]),
        findings=encode_findings(parse_client_findings(document["findings"])) if "findings" in document else "",
    )


def _parse_document(body: bytes) -> dict[str, object]:
    if len(body) > _MAX_REQUEST_BYTES:
        raise BadUpload(f"The request has more than {_MAX_REQUEST_BYTES} bytes; send the file to S3")
    try:
        document = json.loads(body.decode(), object_pairs_hook=_reject_duplicates)
    except (ValueError, RecursionError) as error:
        raise BadUpload("The request is not a JSON object", detail=str(error)) from error
    if not isinstance(document, dict):
        raise BadUpload("The request is not a JSON object")
    for name in document:
        if name not in _REQUIRED_FIELDS + _OPTIONAL_FIELDS:
            there_are = ", ".join(_REQUIRED_FIELDS + _OPTIONAL_FIELDS)
            raise BadUpload(f"{name[:40]}: unknown field; expected {there_are}", field=name[:40])
    for name in _REQUIRED_FIELDS:
        if name not in document:
            raise BadUpload(f"{name}: missing", field=name)
    return document


def _reject_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)[:40]
        raise BadUpload(f"{name}: given twice", field=name)
    return document


def _parse_key(value: object) -> str:
    if not isinstance(value, str):
        raise BadUpload("key: expected a text such as trips/rome.jpg", field="key")
    try:
        check_key(value)
    except (BadKey, UnicodeError) as error:
        reason = error.message if isinstance(error, BadKey) else "The key is not valid Unicode"
        raise BadUpload(f"key: {reason}", field="key") from error
    if _FILENAME_PLACEHOLDER in value:
        raise BadUpload(f"key: {_FILENAME_PLACEHOLDER} may not be part of it", field="key")
    return value


def _parse_media_type(value: object, converted_formats: Sequence[str]) -> str:
    accepted = [*SOURCE_MEDIA_TYPES, *(name for form in converted_formats for name in CONVERTED_TYPES[form])]
    if not isinstance(value, str) or value not in accepted:
        raise BadUpload(f"type: expected one of {', '.join(accepted)}", field="type")
    return value


def _parse_size(value: object, max_bytes: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= max_bytes:
        raise BadUpload(f"size: expected the file's bytes, a whole number from 1 to {max_bytes}", field="size")
    return value


def _parse_sha256(value: object) -> bytes:
    expected = "sha256: expected the file's SHA-256 in hexadecimal or base64"
    if not isinstance(value, str) or not value.isascii():
        raise BadUpload(expected, field="sha256")
    read: Callable[[str], bytes] = bytes.fromhex if _HEX_SHA256.fullmatch(value) else _decode_base64
    digest = read(value)
    if len(digest) != 32:
        raise BadUpload(expected, field="sha256")
    return digest


def _decode_base64(text: str) -> bytes:
    """Decode ``text``; return no bytes if it is not their canonical spelling."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if b64encode(data).decode() == text else b""


def _describe_range(prefix: str) -> str:
    return f"keys below {prefix}" if prefix.endswith("/") else f"the key {prefix}"

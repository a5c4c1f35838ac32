"""Image keys, their two encodings, and the names of objects in the buckets.

In clients' URLs keys are percent-encoded. The functions are written out rather than taken from urllib, because the edge
function must do exactly the same and a malformed escape must be an error, which urllib accepts.

In canonical paths, names of S3 objects and invalidations, :func:`encode_key` uses letters, digits, ``-``, ``.``, ``_``
and ``/`` only: Lambda Function URLs behind origin access control reject percent-encoded paths, and CloudFront's
invalidations reject ``~`` (decision 29).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import BadKey

if TYPE_CHECKING:
    from .environment import MasterEnvironment

MAX_KEY_BYTES = 700
MAX_ENCODED_KEY_BYTES = 867
"""Of :func:`encode_key`. S3's limit of 1,024 bytes for a name then leaves at least 100 to the options; see
:data:`.plan.canonical.MAX_REQUEST_BYTES`."""

RESERVED_SEGMENT = "_"
"""Separates a key from its options in canonical paths, so no key may have a segment of this name."""

LARGE_PREFIX = "/_large"
"""The cache behaviour that serves copies of derivatives too large for a Lambda response. No key begins so."""

LARGE_SUFFIX = ".large"
"""No output format, so that no canonical path ends so."""

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN = _UNRESERVED | {0x2F}
_HEX = frozenset("0123456789abcdefABCDEF")
_ENCODED = re.compile(r"(?<=\.)-|[^A-Za-z0-9./_-]")
_ESCAPE = re.compile(r"\.-([0-7][0-9A-F]|[CD][0-9A-F]{3}|E[0-9A-F]{5}|F[0-9A-F]{7})")


def unquote(text: str) -> str:
    """Decode percent-escapes strictly; raises ValueError on a malformed escape or on bytes that are not UTF-8."""
    if "%" not in text:
        text.encode()
        return text
    head, *pieces = text.split("%")
    decoded = bytearray(head.encode())
    for piece in pieces:
        escape = piece[:2]
        if len(escape) != 2 or not _HEX.issuperset(escape):
            raise ValueError(piece)
        decoded.append(int(escape, 16))
        decoded += piece[2:].encode()
    return decoded.decode()


def quote_key(key: str) -> str:
    """Percent-encode ``key`` as in clients' URLs, without a leading slash."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in key.encode())


def check_key(key: str) -> str:
    """Return ``key`` if it may name a source; raises BadKey."""
    segments = key.split("/")
    if not key:
        raise BadKey("The path names no image")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise BadKey(f"The key is longer than {MAX_KEY_BYTES} bytes")
    if (size_bytes := len(encode_key(key))) > MAX_ENCODED_KEY_BYTES:
        raise BadKey(f"The key takes {size_bytes} bytes once encoded; at most {MAX_ENCODED_KEY_BYTES} are allowed")
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in key):
        raise BadKey("The key holds a control character")
    if any(segment in ("", ".", "..") for segment in segments):
        raise BadKey("The key has an empty segment, or one that is . or ..")
    if RESERVED_SEGMENT in segments:
        raise BadKey("/_/ is reserved and may not appear in a key")
    return key


def large_wildcard(key: str) -> str:
    """Return the wildcard that invalidates copies of large derivatives of ``key``."""
    return f"{LARGE_PREFIX}/{encode_key(key)}/{RESERVED_SEGMENT}/*"


def parse_key(path: str) -> str:
    """Parse the key of a client's ``path`` (with its leading slash, without a query); raises BadKey."""
    try:
        return check_key(unquote(path.removeprefix("/")))
    except (UnicodeError, ValueError) as error:
        raise BadKey("The path is not percent-encoded UTF-8", detail=str(error)) from error


def encode_key(key: str) -> str:
    """Encode ``key``; raises ValueError on a lone surrogate.

    A character other than ``A-Za-z0-9-._/`` becomes ``.-`` and its UTF-8 bytes in upper-case hexadecimal, whose first
    byte implies their number; so does ``-`` directly after ``.``, which keeps the encoding injective. The encoding of
    a prefix is a prefix of the encoding.
    """
    return _ENCODED.sub(lambda match: f".-{match[0].encode().hex().upper()}", key)


def decode_escapes(text: str) -> str:
    """Decode every escape of :func:`encode_key` in ``text``; raises ValueError on bytes that are not UTF-8."""
    return _ESCAPE.sub(lambda match: bytes.fromhex(match[1]).decode(), text)


def decode_key(text: str) -> str:
    """Decode ``text``; raises BadKey if it is not the encoding of a key."""
    try:
        key = decode_escapes(text)
        if encode_key(key) == text:
            return key
    except ValueError as error:
        raise BadKey("The text is not an encoded key", detail=str(error)) from error
    raise BadKey("The text is not an encoded key", detail=text)


@dataclass(frozen=True, slots=True)
class ObjectNames:
    """Names of objects, one for each key, below ``prefix``.

    ``encoded``: keys are encoded (:func:`darkroom.image_keys.encode_key`), as in every bucket of the deployment but
    that of uploads. In a ``SourceBucket`` names are keys as they are.
    """

    prefix: str
    encoded: bool = True

    def name(self, key: str) -> str:
        """Return the name of the object of ``key``. The name of a prefix of keys is a prefix of their names."""
        return self.prefix + (encode_key(key) if self.encoded else key)

    def key(self, name: str) -> str:
        """Return the key of the object ``name``, which starts with the prefix; raises BadKey if there is none."""
        rest = name.removeprefix(self.prefix)
        return decode_key(rest) if self.encoded else rest


MASTERS = ObjectNames("masters/")
"""Masters, without a ``SourceBucket``."""

HELD_MASTERS = ObjectNames("held/")
"""Masters that are held for moderation."""

DERIVATIVES = "derivatives/"
"""Prefix of derivatives, and of mezzanines and the markers of refused sources among them."""

UPLOADS = ObjectNames("", encoded=False)
"""Uploads, whose names clients choose."""

LIBRARY = "library/"
"""Prefix of bulk jobs: lists of keys, results by key, and reports. They expire after 30 days."""

SCENES = "scenes/"
"""Prefix of parts of large images, until they are assembled. They expire after three days."""


def master_names(environment: MasterEnvironment) -> ObjectNames:
    """Return the names of masters. In a bucket that is not the deployment's they are keys as they are."""
    return ObjectNames(environment.source_prefix, encoded=environment.owns_masters)


def derivatives_prefix(key: str) -> str:
    """Return the prefix of every derivative of ``key``."""
    return f"{DERIVATIVES}{encode_key(key)}/_/"


def manifests_prefix(key: str) -> str:
    """Return the prefix of the manifests of uploads of ``key``, which are named by the SHA-256 of the upload."""
    return f"manifests/{encode_key(key)}/_/"


def mezzanine_name(key: str, side_px: int) -> str:
    """Return the name of a mezzanine of ``key``. Its last part is no canonical path, so no derivative has this name."""
    return f"{derivatives_prefix(key)}mezzanine-{side_px}.jpg"

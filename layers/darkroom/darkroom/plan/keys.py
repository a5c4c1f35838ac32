"""Image keys, and their percent-encoding in clients' URLs.

Percent-encoding is written out rather than taken from urllib because the edge function must do exactly the same, and
because a malformed escape has to be an error here where urllib passes it through. In canonical paths and names of S3
objects keys have another encoding, that of :mod:`darkroom.key_encoding`.
"""

from __future__ import annotations

from ..errors import BadKey
from ..key_encoding import encode_key

MAX_KEY_BYTES = 700
MAX_ENCODED_KEY_BYTES = 867
"""Of :func:`encode_key`. S3's limit of 1,024 bytes for a name then leaves at least 100 to the options; see
:data:`.canonical.MAX_REQUEST_BYTES`."""

RESERVED_SEGMENT = "_"
"""Separates a key from its options in canonical paths, so no key may have a segment of this name."""

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN = _UNRESERVED | {0x2F}
_HEX = frozenset("0123456789abcdefABCDEF")


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


def parse_key(path: str) -> str:
    """Parse the key of a client's ``path`` (with its leading slash, without a query); raises BadKey."""
    try:
        return check_key(unquote(path.removeprefix("/")))
    except (UnicodeError, ValueError) as error:
        raise BadKey("The path is not percent-encoded UTF-8", detail=str(error)) from error

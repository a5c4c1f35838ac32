"""The encoding of image keys in canonical paths, names of S3 objects and invalidations.

It uses letters, digits, ``-``, ``.``, ``_`` and ``/`` only: Lambda Function URLs behind origin access control reject
percent-encoded paths, and CloudFront's invalidations reject ``~`` (decision 29). :mod:`darkroom.plan.keys` has the
encoding of keys in clients' URLs.
"""

from __future__ import annotations

import re

from .errors import BadKey

_ENCODED = re.compile(r"(?<=\.)-|[^A-Za-z0-9./_-]")
_ESCAPE = re.compile(r"\.-([0-7][0-9A-F]|[CD][0-9A-F]{3}|E[0-9A-F]{5}|F[0-9A-F]{7})")


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

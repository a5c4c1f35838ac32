"""UIDs in place of those of the uploads: keyed digests, so that images of a series stay together.

They are ``2.25.`` with a UUID as a number (PS3.5, B.2). They cannot be computed without the key.
"""

from __future__ import annotations

import hmac
import re

REPLACED = re.compile(r"2\.25\.[1-9][0-9]{0,38}")


def replace_uid(uid: str, key: str) -> str:
    """Return the UID in place of ``uid``: version 8 of RFC 9562, of HMAC-SHA256.

    No UID is kept for its beginning: a file may use the root of the standard, too.
    """
    text = uid.strip("\0 ")
    digest = hmac.digest(key.encode(), f"medical-uid:{text}".encode(), "sha256")
    number = int.from_bytes(digest[:16])
    number = number & ~(0xF << 76) | 8 << 76
    return f"2.25.{number & ~(0x3 << 62) | 0x2 << 62}"


def digest_name(name: str, key: str) -> str:
    """Return the digest that stands for the name of an upload in logs and in the quarantine."""
    return hmac.digest(key.encode(), f"medical-name:{name}".encode(), "sha256").hex()[:32]

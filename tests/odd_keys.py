"""Keys that test the encoding: characters beyond ``A-Za-z0-9-._/``, what looks like an escape, and the longest keys."""

from __future__ import annotations

import random

from darkroom.errors import BadKey
from darkroom.image_keys import MAX_ENCODED_KEY_BYTES, MAX_KEY_BYTES, check_key, encode_key

PIECES = (
    *("é", "e\u0301", "ß", "写真", "ไทย", "שלום", "🐈", "👩\u200d🚀", "\U0010ffff"),
    *(
        " ",
        "+",
        "@",
        "[",
        "]",
        "~",
        "%",
        "%20",
        "%C3%A9",
        "%2F",
        "#",
        "?",
        "&",
        "=",
        ";",
        ":",
        ",",
        "$",
        "|",
        "\\",
        "^",
    ),
    *("!", "*", "'", "(", ")", "{", "}", "<", ">", '"', "`"),
    *(".-", "..-", ".--", ".-2D", "..-2D", ".-C3A9", "..-C3A9", ".-é", "é-", "é.", "-", "--", "_", "__", ".", "..."),
    *("a", "B7", "photo", "IMG_1234-2", "/"),
)
"""Pieces of keys; ``/`` begins a folder."""


def odd_keys(count: int = 200, suffix: str = ".jpg", seed: int = 17) -> list[str]:
    """``count`` different valid keys that end in ``suffix``: one per piece, the longest ones, then combinations."""
    keys = dict.fromkeys(f"a{piece}b{suffix}" for piece in PIECES)
    keys |= dict.fromkeys(f"{piece}{suffix}" for piece in PIECES if piece != "/")
    keys |= dict.fromkeys(longest_keys(suffix))
    chance = random.Random(seed)
    while len(keys) < count:
        key = "".join(chance.choices(PIECES, k=chance.randint(2, 12))) + suffix
        if _is_valid(key):
            keys[key] = None
    ends = longest_keys(suffix)
    return [*ends, *(key for key in keys if key not in ends)][:count]


def longest_keys(suffix: str = ".jpg") -> list[str]:
    """Keys at the limits of the raw and of the encoded length."""
    room = MAX_ENCODED_KEY_BYTES - len(encode_key(suffix))
    keys = [
        "a" * (MAX_KEY_BYTES - len(suffix.encode())) + suffix,
        "folder/" * 90 + "a" * (MAX_KEY_BYTES - 630 - len(suffix.encode())) + suffix,
    ]
    for character in ("é", " ", "写", "🐈", "~"):
        times, rest = divmod(room, len(encode_key(character)))
        keys.append(character * times + "a" * rest + suffix)
    return keys


def _is_valid(key: str) -> bool:
    try:
        check_key(key)
    except BadKey:
        return False
    return True

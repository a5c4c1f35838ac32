"""The signing keys of dialects, in the secret LanguageKeys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from darkroom.signing import MAX_KEYS, InvalidSecret, KeySource, find_hex_problem, find_key_problem, find_unknown_fields

from ..common.parsed_url import DialectKey

type KeysByDialect = Mapping[str, tuple[DialectKey, ...]]


type KeysSecret = KeySource[KeysByDialect]
"""The secret with the keys of all dialects."""


@dataclass(frozen=True, slots=True)
class DialectKeys:
    """The keys of one dialect in ``secret``."""

    secret: KeysSecret
    dialect: str

    def get(self, *, refresh: bool = False) -> Sequence[DialectKey]:
        """Return the valid keys; empty without keys, so that no signature is valid."""
        return self.secret.get(refresh=refresh).get(self.dialect, ())


_KEY, _SALT = "key", "salt"
_HEXADECIMAL = "imgproxy"
"""The dialect with hexadecimal keys and salts."""

DIALECTS_WITH_KEYS = (_HEXADECIMAL, "thumbor", "dit", "imgix", "cloudinary")


def parse_keys(document: Mapping[str, object]) -> KeysByDialect:
    """Parse ``{"imgproxy": [{"key": "<hex>", "salt": "<hex>"}], "thumbor": ["<key>"], "dit": ["<key>"]}``.

    Every key of a list is valid; dialects can be missing. Keys of imgix and Cloudinary are like those of
    thumbor. Raises InvalidSecret for the document as a whole.
    """
    problems = list(find_unknown_fields(document, DIALECTS_WITH_KEYS, ""))
    found: dict[str, tuple[DialectKey, ...]] = {}
    for name in DIALECTS_WITH_KEYS:
        keys = document.get(name, [])
        if not isinstance(keys, list) or len(keys) > MAX_KEYS:
            problems.append(f"{name} is not a list of at most {MAX_KEYS} keys")
            continue
        check = _check_pair if name == _HEXADECIMAL else find_key_problem
        problems += [problem for at, item in enumerate(keys) if (problem := check(item, f"{name}[{at}]"))]
        found[name] = () if problems else tuple(map(_parse_key, keys))
    if problems:
        raise InvalidSecret(problems)
    return found


def _check_pair(item: object, where: str) -> str:
    """Check a pair. imgproxy without a salt checks no signatures, so that an empty salt is a mistake."""
    if not isinstance(item, dict) or item.keys() != {_KEY, _SALT}:
        return f"{where} is not an object of {_KEY} and {_SALT}"
    key, salt = item[_KEY], item[_SALT]
    return (
        find_key_problem(key, f"{where}.{_KEY}")
        or find_hex_problem(key, f"{where}.{_KEY}")
        or find_hex_problem(salt, f"{where}.{_SALT}")
    )


def _parse_key(item: Any) -> DialectKey:
    return DialectKey(item) if isinstance(item, str) else DialectKey(item[_KEY], item[_SALT])

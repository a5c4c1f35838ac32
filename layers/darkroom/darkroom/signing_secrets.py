"""The schema of the secrets that hold signing keys. A document with one mistake is rejected as a whole.

The stack's own keys are ``{"current": "...", "previous": "..."}``; :mod:`darkroom.dialects.serving.signing_keys`
reads those of the URL dialects with the same checks. Problems name fields and never quote a value: they go into logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MIN_KEY_CHARACTERS = 16
"""A shorter key could be guessed. 16 hexadecimal digits are 64 bits."""

MAX_KEY_CHARACTERS = 1024
MAX_KEYS = 16
"""Of one dialect. Each costs one HMAC for each forged URL."""

_CURRENT, _PREVIOUS = "current", "previous"
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")


class InvalidSecret(ValueError):
    """The document does not follow the schema. ``problems`` has a sentence for each mistake."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def parse_secret(text: str) -> Mapping[str, object]:
    """The JSON object in ``text``; raises InvalidSecret, also for a name that is given twice."""
    import json

    try:
        found = json.loads(text, object_pairs_hook=_reject_duplicates)
    except InvalidSecret:
        raise
    except (ValueError, RecursionError):  # their messages may quote the document
        raise InvalidSecret(["the secret is not JSON"]) from None
    if not isinstance(found, dict):
        raise InvalidSecret(["the secret is not a JSON object"])
    return found


def parse_signing_keys(document: Mapping[str, object]) -> tuple[str, ...]:
    """The valid keys, the current one first. ``previous`` may be missing or empty. Raises InvalidSecret."""
    problems = list(find_unknown_fields(document, (_CURRENT, _PREVIOUS), ""))
    if _CURRENT not in document:
        problems.append(f"{_CURRENT} is missing")
    found = {name: value for name, value in document.items() if not (name == _PREVIOUS and value == "")}
    named = {name: found[name] for name in (_CURRENT, _PREVIOUS) if name in found}
    problems += [problem for name, value in named.items() if (problem := find_key_problem(value, name))]
    if problems:
        raise InvalidSecret(problems)
    return tuple(str(value) for value in named.values())


def find_key_problem(value: object, where: str) -> str:
    """What is wrong with ``value`` as a key, which stands at ``where``; empty if nothing is."""
    if not isinstance(value, str):
        return f"{where} is not text"
    if len(value) < MIN_KEY_CHARACTERS:
        return f"{where} has fewer than {MIN_KEY_CHARACTERS} characters"
    if len(value) > MAX_KEY_CHARACTERS:
        return f"{where} has more than {MAX_KEY_CHARACTERS} characters"
    if not value.isprintable() or value != value.strip():  # also lone surrogates, which UTF-8 cannot encode
        return f"{where} has control characters, or spaces around it"
    return ""


def find_hex_problem(value: object, where: str) -> str:
    """What is wrong with ``value`` as hexadecimal bytes, which stand at ``where``; empty if nothing is."""
    if isinstance(value, str) and len(value) <= MAX_KEY_CHARACTERS and _HEX.fullmatch(value):
        return ""
    return f"{where} is not an even number of hexadecimal digits"


def find_unknown_fields(document: Mapping[str, object], known: Iterable[str], where: str) -> Iterable[str]:
    """A problem if ``document`` has other names than ``known``. The names are not quoted: a key may be among them."""
    if not document.keys() <= set(known):
        yield f"{where or 'the secret'} has fields other than {', '.join(known)}"


def _reject_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidSecret(["a name is given twice in one object"])
    return found

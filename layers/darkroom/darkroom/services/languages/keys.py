"""The keys that URLs of other languages are signed with, as their secret holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...plan.grammar.asked import Key

type KeysByLanguage = Mapping[str, tuple[Key, ...]]


class Document(Protocol):
    """The secret, read."""

    def valid(self, *, distrust: bool = False) -> KeysByLanguage:
        """What it says now; ``distrust`` asks for it again if it is not fresh."""


@dataclass(frozen=True, slots=True)
class LanguageKeys:
    """The keys of ``language`` in ``document``. None at all is no fault: then no signature is valid."""

    document: Document
    language: str

    def valid(self, *, distrust: bool = False) -> Sequence[Key]:
        """See :class:`darkroom.services.languages.access.KeySource`."""
        return self.document.valid(distrust=distrust).get(self.language, ())


def read_keys(secret: Any) -> KeysByLanguage:
    """Read ``{"imgproxy": [{"key": "…", "salt": "…"}], "thumbor": ["…"], "dit": ["…"]}``.

    Any of a language's keys is valid. Raises ValueError, TypeError, KeyError or AttributeError if it is no such thing.
    """
    return {name: tuple(map(_key, keys)) for name, keys in secret.items()}


def _key(item: Any) -> Key:
    if isinstance(item, str):
        return Key(item)
    return Key(str(item["key"]), str(item.get("salt", "")))

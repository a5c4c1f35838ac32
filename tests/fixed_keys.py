"""Signing keys that never change, in place of a secret."""

from __future__ import annotations

from typing import NamedTuple


class FixedKeys[Content](NamedTuple):
    """A :class:`darkroom.signing.KeySource` of ``content``."""

    content: Content

    def get(self, *, refresh: bool = False) -> Content:
        return self.content

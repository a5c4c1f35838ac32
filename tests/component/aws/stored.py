"""Putting objects into a vault, and seeing what is in it."""

from __future__ import annotations

from typing import Any

from darkroom.aws.vault import Vault

HEADERS = {
    "Content-Type": "image/webp",
    "Cache-Control": "max-age=60",
    "Content-Disposition": 'inline; filename="a.webp"',
}
METADATA = {"source-etag": "abc", "sequencer": "0055"}


def put(vault: Vault, key: str, body: bytes = b"x", **given: Any) -> str:
    return vault.put(key, body, **{"headers": {}, "metadata": {}, **given})


def keys(vault: Vault, prefix: str = "", start_after: str = "") -> list[str]:
    return [one.key for page in vault.pages(prefix, start_after) for one in page]


def opened_body(vault: Vault, key: str) -> bytes:
    opened = vault.open(key)
    assert opened
    return opened.body.read()

"""Objects of the server: masters that exist under any name, objects made from them, and stored objects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MASTERS = "masters/"
DERIVED = "derivatives/"
SEPARATOR = "/_/"
JPEG_START = b"\xff\xd8"
TYPES = {JPEG_START: "image/jpeg", b"II\x2a\0": "image/tiff", b"II\x2b\0": "image/tiff"}
"""Content types by first bytes, as far as clients use them."""
COMMENT_BYTES = 64
"""Length of the name in a master's comment, so that all copies of an image have the same length."""


@dataclass(frozen=True, slots=True)
class Object:
    """Bytes with the HTTP headers they were stored with, by lower-case names.

    ``lead`` and ``rest`` are consecutive. Joining them would delay each response by a millisecond.
    """

    lead: bytes
    rest: memoryview
    headers: Mapping[str, str]
    etag: str
    modified: datetime

    def __len__(self) -> int:
        return len(self.lead) + len(self.rest)

    def cut(self, start: int, stop: int, most: int) -> Iterator[memoryview]:
        """Yield the bytes ``start`` to ``stop`` in pieces of at most ``most``."""
        edge = len(self.lead)
        for part, first, last in (
            (memoryview(self.lead), start, min(stop, edge)),
            (self.rest, max(0, start - edge), stop - edge),
        ):
            for offset in range(first, last, most):
                yield part[offset : min(offset + most, last)]


@dataclass(frozen=True, slots=True)
class DerivedObject:
    """An object made from a master: its bytes, and its HTTP headers, to which the master's entity tag is added."""

    body: bytes
    headers: Mapping[str, str]


class ObjectStore:
    """Objects by key, without ``<bucket>/``.

    An image ``name`` exists as ``masters/<anything>/<name>``. JPEGs have the key in a comment: distinct keys have
    distinct bytes, so no library's cache can serve them. Other types are always the same. What is ``derived`` from an
    image exists for each of its masters, by the image's name and its own: ``derivatives/<anything>/<name>/_/<own>``.
    """

    def __init__(
        self, images: Mapping[str, bytes], derived: Mapping[tuple[str, str], DerivedObject] | None = None
    ) -> None:
        self._images = images
        self._derived = derived or {}
        self._objects: dict[str, Object] = {}
        self._started = datetime.now(UTC)

    def find(self, key: str) -> Object | None:
        """Return the object at ``key``."""
        if key in self._objects:
            return self._objects[key]
        if key.startswith(DERIVED):
            return self._find_derived(key)
        image = self._images.get(key.rpartition("/")[2]) if key.startswith(MASTERS) else None
        if image is None:
            return None
        is_jpeg = image.startswith(JPEG_START)
        lead, rest = (add_name(image, key), memoryview(image)[2:]) if is_jpeg else (b"", memoryview(image))
        content_type = next((of for start, of in TYPES.items() if image.startswith(start)), "application/octet-stream")
        return Object(lead, rest, {"content-type": content_type}, f'"{_hash(key.encode())}"', self._started)

    def _find_derived(self, key: str) -> Object | None:
        master, _, own = key.removeprefix(DERIVED).rpartition(SEPARATOR)
        found = self._derived.get((master.rpartition("/")[2], own))
        if found is None:
            return None
        headers = {**found.headers, "x-amz-meta-source-etag": _hash(f"{MASTERS}{master}".encode())}
        return Object(b"", memoryview(found.body), headers, f'"{_hash(key.encode())}"', self._started)

    def put(self, key: str, body: bytes, headers: Mapping[str, str]) -> Object:
        """Store ``body`` at ``key``."""
        stored = Object(b"", memoryview(body), headers, f'"{_hash(body)}"', datetime.now(UTC))
        self._objects[key] = stored
        return stored


def add_name(jpeg: bytes, name: str) -> bytes:
    """Return the start marker of ``jpeg`` and a comment with ``name``, its first bytes."""
    text = name.encode()[-COMMENT_BYTES:].ljust(COMMENT_BYTES)
    return jpeg[:2] + b"\xff\xfe" + (COMMENT_BYTES + 2).to_bytes(2, "big") + text


def _hash(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()

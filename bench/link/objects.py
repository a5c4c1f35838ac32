"""Objects of the server: masters that exist under any name, and stored objects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MASTERS = "masters/"
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


class ObjectStore:
    """Objects by key, without ``<bucket>/``.

    An image ``name`` exists as ``masters/<anything>/<name>``. JPEGs have the key in a comment: distinct keys have
    distinct bytes, so no library's cache can serve them. Other types are always the same.
    """

    def __init__(self, images: Mapping[str, bytes]) -> None:
        self._images = images
        self._objects: dict[str, Object] = {}
        self._started = datetime.now(UTC)

    def find(self, key: str) -> Object | None:
        """Return the object at ``key``."""
        if key in self._objects:
            return self._objects[key]
        image = self._images.get(key.rpartition("/")[2]) if key.startswith(MASTERS) else None
        if image is None:
            return None
        is_jpeg = image.startswith(JPEG_START)
        lead, rest = (add_name(image, key), memoryview(image)[2:]) if is_jpeg else (b"", memoryview(image))
        content_type = next((of for start, of in TYPES.items() if image.startswith(start)), "application/octet-stream")
        return Object(lead, rest, {"content-type": content_type}, f'"{_hash(key.encode())}"', self._started)

    def put(self, key: str, body: bytes, headers: Mapping[str, str]) -> Object:
        """Store ``body`` at ``key``."""
        stored = Object(b"", memoryview(body), headers, f'"{_hash(body)}"', datetime.now(UTC))
        self._objects[key] = stored
        return stored

    def delete(self, key: str) -> None:
        """Delete ``key`` if it exists."""
        self._objects.pop(key, None)


def add_name(jpeg: bytes, name: str) -> bytes:
    """Return the start marker of ``jpeg`` and a comment with ``name``, its first bytes."""
    text = name.encode()[-COMMENT_BYTES:].ljust(COMMENT_BYTES)
    return jpeg[:2] + b"\xff\xfe" + (COMMENT_BYTES + 2).to_bytes(2, "big") + text


def _hash(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()

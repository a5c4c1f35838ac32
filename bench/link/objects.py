"""What the server holds: masters that exist under any number of names, and whatever was put."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MASTERS = "masters/"
JPEG_START = b"\xff\xd8"
TYPES = {JPEG_START: "image/jpeg", b"II\x2a\0": "image/tiff", b"II\x2b\0": "image/tiff"}
"""Content types by the first bytes, as far as who reads a master goes by them."""
COMMENT_BYTES = 64
"""Length of the name in a master's comment, so that all copies of a picture are of one length."""


@dataclass(frozen=True, slots=True)
class Object:
    """Bytes with the HTTP headers they were stored with, by lower-case names.

    ``lead`` and ``rest`` follow each other. They are not joined: that would delay each answer by a millisecond.
    """

    lead: bytes
    rest: memoryview
    headers: Mapping[str, str]
    etag: str
    modified: datetime

    def __len__(self) -> int:
        return len(self.lead) + len(self.rest)

    def cut(self, start: int, stop: int, most: int) -> Iterator[memoryview]:
        """The bytes ``start`` to ``stop`` in pieces of at most ``most``."""
        edge = len(self.lead)
        for part, first, last in (
            (memoryview(self.lead), start, min(stop, edge)),
            (self.rest, max(0, start - edge), stop - edge),
        ):
            for offset in range(first, last, most):
                yield part[offset : min(offset + most, last)]


class Shelf:
    """Objects by key, ``<bucket>/`` left out.

    A picture ``name`` exists as ``masters/<anything>/<name>``, a JPEG each time with the key in a comment: requests for
    distinct keys get distinct bytes, so no cache of a library can answer for the work. Other types are always the same.
    """

    def __init__(self, pictures: Mapping[str, bytes]) -> None:
        self._pictures = pictures
        self._objects: dict[str, Object] = {}
        self._started = datetime.now(UTC)

    def find(self, key: str) -> Object | None:
        """The object at ``key``."""
        if key in self._objects:
            return self._objects[key]
        picture = self._pictures.get(key.rpartition("/")[2]) if key.startswith(MASTERS) else None
        if picture is None:
            return None
        is_jpeg = picture.startswith(JPEG_START)
        lead, rest = (add_name(picture, key), memoryview(picture)[2:]) if is_jpeg else (b"", memoryview(picture))
        content_type = next(
            (of for start, of in TYPES.items() if picture.startswith(start)), "application/octet-stream"
        )
        return Object(lead, rest, {"content-type": content_type}, f'"{_hash(key.encode())}"', self._started)

    def put(self, key: str, body: bytes, headers: Mapping[str, str]) -> Object:
        """Keep ``body`` at ``key``."""
        kept = Object(b"", memoryview(body), headers, f'"{_hash(body)}"', datetime.now(UTC))
        self._objects[key] = kept
        return kept

    def delete(self, key: str) -> None:
        """Forget ``key``, if it is there."""
        self._objects.pop(key, None)


def add_name(jpeg: bytes, name: str) -> bytes:
    """The first bytes of ``jpeg`` with ``name`` in a comment: its start marker, and a segment to go in after that."""
    text = name.encode()[-COMMENT_BYTES:].ljust(COMMENT_BYTES)
    return jpeg[:2] + b"\xff\xfe" + (COMMENT_BYTES + 2).to_bytes(2, "big") + text


def _hash(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()

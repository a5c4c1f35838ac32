"""Checksums by the algorithms that S3 stores for an object."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol


class Hasher(Protocol):
    """An incremental checksum, with the interface of hashlib."""

    def update(self, data: bytes, /) -> None:
        """Add ``data``."""

    def digest(self) -> bytes:
        """Return the checksum of all data, big-endian."""


class _Crc:
    """A CRC by ``calculate``, which continues from the previous value."""

    def __init__(self, calculate: Callable[[bytes, int], int], size_bytes: int) -> None:
        self._calculate = calculate
        self._size_bytes = size_bytes
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = int(self._calculate(data, self._value)) if data else self._value

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size_bytes, "big")


def _crc(name: str, size_bytes: int) -> Hasher:
    import anycrc

    return _Crc(anycrc.Model(name).calc, size_bytes)


def _xxhash(name: str) -> Hasher:
    import xxhash

    begun: Any = getattr(xxhash, name)()
    return begun  # type: ignore[no-any-return]


ALGORITHMS: dict[str, Callable[[], Hasher]] = {
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "sha1": partial(hashlib.sha1, usedforsecurity=False),
    "md5": partial(hashlib.md5, usedforsecurity=False),
    "crc32": partial(_Crc, zlib.crc32, 4),
    "crc32c": partial(_crc, "CRC32C", 4),
    "crc64nvme": partial(_crc, "CRC64-NVME", 8),
    "xxhash64": partial(_xxhash, "xxh64"),
    "xxhash3": partial(_xxhash, "xxh3_64"),
    "xxhash128": partial(_xxhash, "xxh3_128"),
}
"""Constructor of each algorithm. Source: S3 user guide, "Checking object integrity"."""


class ChecksumSet:
    """Incremental checksums by each algorithm of ``names``."""

    def __init__(self, names: Iterable[str]) -> None:
        self._sums = {name: ALGORITHMS[name]() for name in names}

    def update(self, data: bytes) -> None:
        """Add ``data``."""
        for begun in self._sums.values():
            begun.update(data)

    def finish(self) -> dict[str, str]:
        """Return each checksum in base64."""
        return {name: base64.b64encode(begun.digest()).decode() for name, begun in self._sums.items()}


def compute_checksums(data: bytes, names: Iterable[str]) -> dict[str, str]:
    """Return checksums of ``data`` in base64, by each algorithm of ``names``."""
    begun = ChecksumSet(names)
    begun.update(data)
    return begun.finish()

"""The checksums that S3 keeps of an object."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable
from functools import partial


def _crc(name: str, size_bytes: int, data: bytes) -> bytes:
    import anycrc

    return int(anycrc.Model(name).calc(data)).to_bytes(size_bytes, "big")


def _xxhash(name: str, data: bytes) -> bytes:
    import xxhash

    return bytes(getattr(xxhash, name)(data).digest())


ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "crc32c": partial(_crc, "CRC32C", 4),
    "crc64nvme": partial(_crc, "CRC64-NVME", 8),
    "xxhash64": partial(_xxhash, "xxh64"),
    "xxhash3": partial(_xxhash, "xxh3_64"),
    "xxhash128": partial(_xxhash, "xxh3_128"),
}
"""Each algorithm's digest of the whole bytes, big-endian. Source: S3 user guide, "Checking object integrity"."""


def digests(data: bytes, names: Iterable[str]) -> dict[str, str]:
    """Base64 of the checksums of ``data`` by each algorithm of ``names``."""
    return {name: base64.b64encode(ALGORITHMS[name](data)).decode() for name in names}

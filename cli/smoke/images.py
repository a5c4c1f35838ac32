"""Make PNG files with the standard library, and a file of zeros without memory."""

from __future__ import annotations

import io
import random
import struct
import zlib


def png(width_px: int, height_px: int, seed: int, *, noise: bool = False) -> bytes:
    """Make an RGB image: a gradient whose colours depend on ``seed``, or incompressible noise."""
    if noise:
        source = random.Random(seed)  # noqa: S311 (no secret: an image)
        rows = b"".join(b"\0" + source.randbytes(3 * width_px) for _ in range(height_px))
    else:
        first, second = seed % 200, seed // 200 % 200
        row = b"".join(bytes((255 * x // width_px, first, second)) for x in range(width_px))
        rows = (b"\0" + row) * height_px
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


class Zeros(io.RawIOBase):
    """A readable file of ``size_bytes`` zeros."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        self._size_bytes, self._at = size_bytes, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:  # terms: allow
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        self._at = min(max(0, base + offset), self._size_bytes)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Return up to ``size`` zeros."""
        left = self._size_bytes - self._at
        count = left if size is None or size < 0 else min(size, left)
        self._at += count
        return bytes(count)

"""Inspect and drop the system's file cache."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterable
from pathlib import Path

DROP = Path("/proc/sys/vm/drop_caches")
EVERYTHING = "3"
"""Value that drops file pages, dentries and inodes (kernel documentation, sysctl/vm)."""

PAGE_BYTES = mmap.PAGESIZE

_libc = ctypes.CDLL(None, use_errno=True)


def drop_pages(files: Iterable[Path]) -> None:
    """Drop the cached pages of ``files``, except those that a process has mapped."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def drop_caches(files: Iterable[Path]) -> None:
    """Drop all caches including directory entries, or only ``files`` without the permission."""
    os.sync()  # dirty pages cannot be dropped
    try:
        DROP.write_text(EVERYTHING, encoding="ascii")
    except OSError:
        drop_pages(files)


def resident_bytes(file: Path) -> int:
    """Return how much of ``file`` is cached, in whole pages. Raises OSError."""
    size = file.stat().st_size
    if size == 0:
        return 0
    pages = -(-size // PAGE_BYTES)
    # Private and writable only because ctypes needs it to take the address. No page is touched.
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), size, access=mmap.ACCESS_COPY) as mapped:
        start = ctypes.c_char.from_buffer(mapped)
        found = (ctypes.c_ubyte * pages)()
        failed = _libc.mincore(ctypes.byref(start), ctypes.c_size_t(size), found)
        del start  # otherwise the map cannot be closed
    if failed:
        raise OSError(ctypes.get_errno(), "mincore", str(file))
    return PAGE_BYTES * sum(flags & 1 for flags in found)

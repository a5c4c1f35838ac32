"""The system's cache of files: what of them lies in it, and dropping them out of it."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterable
from pathlib import Path

DROP = Path("/proc/sys/vm/drop_caches")
EVERYTHING = "3"
"""Files' pages, and the entries of folders (kernel's documentation, sysctl/vm)."""

PAGE_BYTES = mmap.PAGESIZE

_libc = ctypes.CDLL(None, use_errno=True)


def drop_pages(files: Iterable[Path]) -> None:
    """Make the system forget the pages of ``files``; those that a process has mapped stay."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def drop_caches(files: Iterable[Path]) -> None:
    """Make the system forget all that it has cached, folders' entries too, or where we may not, ``files`` alone."""
    os.sync()  # what is not written yet stays
    try:
        DROP.write_text(EVERYTHING, encoding="ascii")
    except OSError:
        drop_pages(files)


def resident_bytes(file: Path) -> int:
    """How much of ``file`` is cached, in whole pages; raises OSError."""
    size = file.stat().st_size
    if size == 0:
        return 0
    pages = -(-size // PAGE_BYTES)
    # Private and writable only because ctypes takes the address of nothing else: no page is touched.
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), size, access=mmap.ACCESS_COPY) as mapped:
        start = ctypes.c_char.from_buffer(mapped)
        found = (ctypes.c_ubyte * pages)()
        failed = _libc.mincore(ctypes.byref(start), ctypes.c_size_t(size), found)
        del start  # or the map could not be closed
    if failed:
        raise OSError(ctypes.get_errno(), "mincore", str(file))
    return PAGE_BYTES * sum(flags & 1 for flags in found)

"""Limits of uploads. They are checked by the header, before a library decodes anything."""

from __future__ import annotations

MAX_FILE_BYTES = 256 * 1024 * 1024
"""Size of an upload."""

MAX_INFLATED_BYTES = 256 * 1024 * 1024
"""Size of a data set in the deflated transfer syntax, after decompression."""

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Decoded size of one frame: decoders hold a frame several times."""

MAX_IMAGE_BYTES = 2 * 1024**3
"""Decoded size of all frames, two bytes per sample: the file of the decoded pages."""

MAX_FRAMES = 4096
MAX_SIDE_PX = 32_768
MAX_LINES = 10_000_000
"""Rows of all frames together: libvips' limit of a coordinate."""

MAX_ELEMENTS = 300_000
"""Data elements at any depth: an enhanced image has some 50 for each frame."""

MAX_DEPTH = 16
"""Nested sequences."""

MAX_OVERLAYS = 16
"""Groups 6000 to 601E (PS3.5, 7.6)."""

MAX_OVERLAY_PAGES = 64
"""Frames of overlays in all: each is stored, and searched for text."""

MEMORY_BYTES = 2 * 1024**3
"""Address space of the process that decodes, at most."""

BASE_MEMORY_BYTES = 768 * 1024 * 1024
"""Address space of its libraries, which is mostly not resident."""

MEMORY_OF_FILE, MEMORY_OF_FRAME = 4, 20
"""Further address space, as multiples of the file's size and of a decoded frame."""

DECODE_CPU_S = 300
"""CPU time of the process that decodes."""

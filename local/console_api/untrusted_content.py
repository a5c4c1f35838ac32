"""Bytes that nothing is known of, and a browser that is to show them: what may be shown, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping

SIGNATURES: Mapping[str, Callable[[bytes], bool]] = {
    "image/jpeg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "image/png": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/gif": lambda head: head[:6] in (b"GIF87a", b"GIF89a"),
    "image/webp": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
    "image/avif": lambda head: head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"),
    "image/bmp": lambda head: head.startswith(b"BM"),
}
"""Pictures that every browser shows, by how they begin. SVG is none of them: it may hold a program."""

HEAD_BYTES = 16

AS_PICTURE = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Headers with which a browser takes an upload for a picture or for nothing."""


def picture_type(head: bytes) -> str:
    """The media type of a picture that begins with ``head``, "" if a browser has no use for it."""
    return next((kind for kind, fits in SIGNATURES.items() if fits(head)), "")

"""Display of untrusted bytes in a browser: allowed types and headers."""

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
"""Signatures of images that all browsers display. SVG is excluded: it may contain scripts."""

HEAD_BYTES = 16

IMAGE_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Headers that make a browser treat an upload as an image or not at all."""


def detect_image_type(head: bytes) -> str:
    """Return the media type of an image that starts with ``head``, "" if browsers do not display it."""
    return next((kind for kind, fits in SIGNATURES.items() if fits(head)), "")

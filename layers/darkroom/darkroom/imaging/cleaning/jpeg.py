"""JPEG without metadata."""

from __future__ import annotations

from ..containers.jpeg import (
    APP0,
    APP1,
    APP2,
    APP14,
    COM,
    EXIF,
    ICC,
    Picture,
    Segment,
    further_pictures,
    picture_at,
    segment,
)
from ..headers.exif import minimal
from ..ultrahdr import attach, read

_JFIF = b"JFIF\0"
_ADOBE = b"Adobe"
_JFIF_BYTES, _ADOBE_BYTES = 14, 12
"""Lengths without a thumbnail, and without anything behind the colour transform."""


def clean(data: bytes, orientation: int, *, keep_profile: bool) -> bytes:
    """``data`` with what decodes it, its orientation if that is not 1, and its gain map; raises ValueError."""
    picture = picture_at(data)
    found = read(data) if further_pictures(data, picture) else None
    base = _kept(data, picture, minimal(orientation) if orientation != 1 else b"", keep_profile=keep_profile)
    if found is None:
        return base
    return attach(base, _kept(found.jpeg, picture_at(found.jpeg), b"", keep_profile=True), found.parameters)


def _kept(data: bytes, picture: Picture, exif: bytes, *, keep_profile: bool) -> bytes:
    parts = [data[picture.start : picture.start + 2]]
    if exif:
        parts.append(segment(APP1, EXIF + b"\0" + exif))
    parts += [_part(data, part, keep_profile=keep_profile) for part in picture.segments]
    return b"".join(parts)


def _part(data: bytes, part: Segment, *, keep_profile: bool) -> bytes:
    """What stays of one segment; libjpeg's own fill bytes between segments are gone."""
    if part.marker == COM or APP0 <= part.marker <= 0xEF:
        return _application(part.marker, data[part.body : part.end], keep_profile=keep_profile)
    return data[part.start : part.end]


def _application(marker: int, body: bytes, *, keep_profile: bool) -> bytes:
    if marker == APP0 and body.startswith(_JFIF) and len(body) >= _JFIF_BYTES:
        return segment(APP0, body[: _JFIF_BYTES - 2] + b"\0\0")
    if marker == APP14 and body.startswith(_ADOBE) and len(body) >= _ADOBE_BYTES:
        return segment(APP14, body[:_ADOBE_BYTES])
    return segment(APP2, body) if keep_profile and marker == APP2 and body.startswith(ICC) else b""

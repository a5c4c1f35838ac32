"""Findings as inference returns them."""

from __future__ import annotations

from darkroom.findings import FACES, TEXT, Face, Finding, Findings, Region, TextLine


def known(*faces: Region, lines: tuple[TextLine, ...] = (), **errors: str) -> Findings:
    """Findings of these faces and lines of text; ``errors`` by task."""
    found = {
        FACES: Finding(FACES, "m", "1", faces=tuple(Face(face, 0.9) for face in faces), error=errors.get(FACES, "")),
        TEXT: Finding(TEXT, "m", "1", lines=lines, error=errors.get(TEXT, "")),
    }
    return Findings("1", "etag", found)

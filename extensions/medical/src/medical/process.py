"""Start the confined process that decodes an upload (:mod:`medical.decode`), and read what it found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from darkroom.errors import DamagedSource, DarkroomError, OverLimits, TooSlow, TypeNotAllowed
from darkroom_pipeline.conversion import sandbox
from darkroom_pipeline.conversion.sandbox import ProcessLimits

from . import limits

PAGES = "pages.raw"
WALL_S = 420.0
"""Longest duration of a decode. What takes longer on a busy machine is tried again."""

REFUSALS: Mapping[str, type[DarkroomError]] = {kind.code: kind for kind in (DamagedSource, OverLimits, TypeNotAllowed)}
_LIMITS = ProcessLimits(limits.MEMORY_BYTES, limits.MAX_IMAGE_BYTES + 1024, limits.DECODE_CPU_S, WALL_S)


def overlay_file(folder: Path, number: int) -> Path:
    """Return the file of an overlay that was decoded into ``folder``, a byte for each pixel."""
    return folder / f"overlay-{number}.raw"


def decode_upload(file: Path, folder: Path) -> dict[str, Any]:
    """Decode ``file`` into ``folder``; return what was found.

    Raises TypeNotAllowed, OverLimits or DamagedSource, also if the process was ended by a limit or by a fault. Their
    details are left out: libraries quote values. Raises Unavailable if it does not start, or in time.
    """
    masks = folder / "overlays.raw"
    with file.open("rb") as source, (folder / PAGES).open("wb") as pages, masks.open("wb") as overlays:
        try:
            body = sandbox.run("medical.decode", [], source, _LIMITS, [pages, overlays])
        except TooSlow:
            raise OverLimits(f"Decoding takes longer than {limits.DECODE_CPU_S} seconds") from None
        except OverLimits:
            raise OverLimits("Decoding takes too much memory") from None
        except DamagedSource:
            raise DamagedSource("The decoder failed: the file is damaged") from None
    document: dict[str, Any] = json.loads(body)
    if "refused" in document:
        raise REFUSALS.get(document["refused"], DamagedSource)(document["reason"])
    _split(masks, document["width"] * document["height"], len(document["overlays"]), folder)
    return document


def _split(masks: Path, size_bytes: int, count: int, folder: Path) -> None:
    with masks.open("rb") as together:
        for number in range(count):
            overlay_file(folder, number).write_bytes(together.read(size_bytes))
    masks.unlink()

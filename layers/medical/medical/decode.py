"""Decode one upload, in a process of its own: ``python -m medical.decode FILE FOLDER``.

Codecs parse bytes that a client chose. The process has limits of memory, CPU time and file size, and its environment
has neither credentials nor keys. It writes into FOLDER:

- ``pages.raw``: the pages, one after the other
- ``overlay-N.raw``: a byte for each pixel
- ``found.json``: the rest, or the refusal, with a reason that quotes nothing of the file
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from darkroom.errors import DamagedSource, DarkroomError, OverLimits

from . import limits

PAGES, FOUND = "pages.raw", "found.json"


def main() -> None:
    """Decode; the exit status is 0 even if the upload is refused."""
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    _limit()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)  # pydicom quotes values
    try:
        found = decode(source, folder)
    except DarkroomError as error:
        found = {"refused": error.code, "reason": error.message}
    except MemoryError:
        found = {"refused": OverLimits.code, "reason": "Decoding takes too much memory"}
    except Exception as error:
        found = {"refused": DamagedSource.code, "reason": f"The file cannot be decoded ({type(error).__name__})"}
    (folder / FOUND).write_text(json.dumps(found), encoding="utf-8")


def decode(source: Path, folder: Path) -> dict[str, object]:
    """Return what is stored of the file ``source``, after writing the pages. Raises errors of any kind."""
    from .header import read_header

    body = source.read_bytes()
    header = read_header(memoryview(body))
    header.check()
    _limit_memory(len(body), header.frame_bytes)
    del body
    from pydicom import dcmread

    from .instance import presets_to_document
    from .overlays import read_overlays
    from .pixels import read_presets, write_pages

    dataset = dcmread(source)
    pages = write_pages(dataset, header, folder / PAGES)
    planes = [] if pages.colour else read_overlays(dataset, header)
    for number, plane in enumerate(planes):
        plane.mask.tofile(folder / f"overlay-{number}.raw")
    return {
        "width": header.columns,
        "height": header.rows,
        "pages": pages.number,
        "colour": pages.colour,
        "low": pages.low,
        "high": pages.high,
        "scales": pages.scales,
        "presets": presets_to_document(read_presets(dataset, header.frames)),
        "inverted": _is_inverted(dataset, header.photometric),
        "overlays": [plane.pages for plane in planes],
        **_describe(dataset),
    }


def _is_inverted(dataset: Any, photometric: str) -> bool:
    """Return whether the least value is white (PS3.3, C.7.6.3.1.2 and C.11.6)."""
    return photometric == "MONOCHROME1" or str(dataset.get("PresentationLUTShape", "")) == "INVERSE"


def _describe(dataset: Any) -> Mapping[str, object]:
    """Return the metadata without patient data, and the attributes that decide whether text is searched for.

    UIDs are still those of the file: their key is not in this process.
    """
    from .profile import apply_profile, select_kept

    uids = [_read_uid(dataset, tag) for tag in (0x0020000D, 0x0020000E, 0x00080018)]
    burned_in, modality = (_read_code(dataset, tag) for tag in (0x00280301, 0x00080060))
    del dataset[0x7FE00000:0x7FE10000]
    apply_profile(dataset, lambda uid: uid)
    return {
        "uids": uids,
        "burned_in": burned_in if burned_in in ("YES", "NO") else "",
        "modality": modality if modality.isalpha() and len(modality) <= 16 else "",
        "metadata": select_kept(dataset),
    }


def _read_code(dataset: Any, tag: int) -> str:
    """Return a value that decides whether text is searched for, "" for an attribute of another VR."""
    from .profile import has_standard_vr

    element = dataset.get(tag)
    return str(element.value or "").upper() if element is not None and has_standard_vr(element) else ""


def _read_uid(dataset: Any, tag: int) -> str:
    """Return a UID that identifies the image; raises DamagedSource without one, and for an attribute of another VR."""
    element = dataset.get(tag)
    text = "" if element is None or element.VR != "UI" else str(element.value or "").strip("\0 ")
    if not text:
        raise DamagedSource("The study, series or instance has no UID")
    return text


def _limit() -> None:
    for kind, most in (
        (resource.RLIMIT_AS, limits.MEMORY_BYTES),
        (resource.RLIMIT_CPU, limits.DECODE_CPU_S),
        (resource.RLIMIT_FSIZE, limits.MAX_IMAGE_BYTES + 1024),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _limit_memory(file_bytes: int, frame_bytes: int) -> None:
    """Lower the limit to what this file needs, so that a codec cannot use what only others need."""
    needed = limits.BASE_MEMORY_BYTES + limits.MEMORY_OF_FILE * file_bytes + limits.MEMORY_OF_FRAME * frame_bytes
    most = min(limits.MEMORY_BYTES, needed)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()

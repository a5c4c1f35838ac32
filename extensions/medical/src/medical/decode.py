"""Decode one upload, in a confined process: ``python -m medical.decode``, started by :mod:`.process`.

Codecs parse bytes that a client chose (:mod:`darkroom_pipeline.conversion.sandbox`). The arguments are descriptors of
two files: of the pages, one after the other, and of the overlays, a byte for each pixel. The result is the rest as
JSON, or the refusal, with a reason that quotes nothing of the file.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import importlib
import json
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from darkroom.errors import DamagedSource, DarkroomError, OverLimits
from darkroom_pipeline.conversion import confine

from . import limits

_CODECS = ("openjpeg", "libjpeg", "jpeg_ls", "pylibjpeg", "pydicom.pixels.decoders")

OF_CAPTURES = ("ConversionType", "DateOfSecondaryCapture", "SecondaryCaptureDeviceManufacturer")
"""Attributes of the modules of secondary captures (PS3.3, C.8.6), which other images do not have."""
_OWN = ("medical.instance", "medical.overlays", "medical.pixels", "medical.profile")


def prepare(arguments: list[str]) -> Callable[[BinaryIO], bytes]:
    """Return the decoder of a file, which writes to the two descriptors ``arguments``."""
    pages, overlays = (os.fdopen(int(number), "wb") for number in arguments)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)  # pydicom quotes values
    _load_libraries()
    return lambda source: json.dumps(_try(source, pages, overlays)).encode()


def _load_libraries() -> None:
    """Load all that pydicom loads when it needs it, which a confined process cannot."""
    import codecs

    from pydicom.charset import python_encoding
    from pydicom.pixels import get_decoder

    from . import profile
    from .header import TRANSFER_SYNTAXES

    for name in (*_CODECS, *_OWN):
        importlib.import_module(name)
    for syntax in TRANSFER_SYNTAXES:
        get_decoder(syntax)
    for encoding in {*python_encoding.values(), "ascii", "latin-1"}:
        codecs.lookup(encoding)
    profile.load_profile()
    profile.find_action(0)


def _try(source: BinaryIO, pages: BinaryIO, overlays: BinaryIO) -> dict[str, object]:
    """Return what was found, or why the upload is refused. Whatever a codec raises may quote values of the file."""
    try:
        found = decode(source, pages, overlays)
        pages.flush()
        overlays.flush()
    except DarkroomError as error:
        found = {"refused": error.code, "reason": error.message}
    except ImportError:
        raise
    except MemoryError:
        found = {"refused": OverLimits.code, "reason": "Decoding takes too much memory"}
    except Exception as error:
        found = {"refused": DamagedSource.code, "reason": f"The file cannot be decoded ({type(error).__name__})"}
    return found


def decode(source: BinaryIO, target: BinaryIO, masks: BinaryIO) -> dict[str, object]:
    """Return what is stored of the file ``source``; write pages and overlays. Raises errors of any kind."""
    from .header import read_header

    body = source.read()
    header = read_header(memoryview(body))
    header.check()
    _limit_memory(len(body), header.frame_bytes)
    del body
    source.seek(0)
    from pydicom import dcmread

    from .instance import presets_to_document
    from .overlays import read_overlays
    from .pixels import read_presets, write_pages

    dataset = dcmread(source)
    pages = write_pages(dataset, header, target)
    planes = [] if pages.colour else read_overlays(dataset, header)
    for plane in planes:
        masks.write(plane.mask.data)
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
    sop_class = _read_sop_class(dataset)
    del dataset[0x7FE00000:0x7FE10000]
    apply_profile(dataset, lambda uid: uid)
    return {
        "uids": uids,
        "sop_class": sop_class,
        "burned_in": burned_in if burned_in in ("YES", "NO") else "",
        "modality": modality if modality.isalpha() and len(modality) <= 16 else "",
        "metadata": select_kept(dataset),
    }


def _read_code(dataset: Any, tag: int) -> str:
    """Return a value that decides whether text is searched for, "" for an attribute of another VR."""
    from .profile import has_standard_vr

    element = dataset.get(tag)
    return str(element.value or "").upper() if element is not None and has_standard_vr(element) else ""


def _read_sop_class(dataset: Any) -> str:
    """Return the SOP class, "" for one that is not of the standard, or that its derivation shows to be a capture."""
    from .profile import SOP_CLASS, has_standard_vr, is_sop_class

    element = dataset.get(SOP_CLASS)
    text = str(element.value or "") if element is not None and has_standard_vr(element) else ""
    captured = any(name in dataset for name in OF_CAPTURES)
    return text.strip("\0 ") if is_sop_class(text) and not captured else ""


def _read_uid(dataset: Any, tag: int) -> str:
    """Return a UID that identifies the image; raises DamagedSource without one, and for an attribute of another VR."""
    element = dataset.get(tag)
    text = "" if element is None or element.VR != "UI" else str(element.value or "").strip("\0 ")
    if not text:
        raise DamagedSource("The study, series or instance has no UID")
    return text


def _limit_memory(file_bytes: int, frame_bytes: int) -> None:
    """Lower the limit to what this file needs, so that a codec cannot use what only others need."""
    needed = limits.BASE_MEMORY_BYTES + limits.MEMORY_OF_FILE * file_bytes + limits.MEMORY_OF_FRAME * frame_bytes
    confine.limit_memory(needed)


if __name__ == "__main__":
    confine.main(prepare, lambda: os.fdopen(0, "rb"))

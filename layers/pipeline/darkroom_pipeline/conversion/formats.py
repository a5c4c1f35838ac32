"""The formats: how they are recognised, their headers, and the memory of their decoders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from darkroom.imaging.formats.image_format import Header, Signature

from . import bmp, ico, jpeg2000, jpeg_xl, psd


@dataclass(frozen=True, slots=True)
class ConvertedFormat:
    """A format by its signatures.

    ``read_header`` reads no more than the header. It raises ValueError or LookupError if it is damaged, TypeNotAllowed
    for variants that are not converted. ``bytes_per_pixel`` is the most memory that decoding and encoding take,
    measured by ``bench/conversion`` of commit 10e7c8d8.
    """

    name: str
    signatures: tuple[Signature, ...]
    read_header: Callable[[bytes], Header]
    bytes_per_pixel: Callable[[Header], float]


FORMATS = {
    one.name: one
    for one in (
        ConvertedFormat("bmp", (Signature(b"BM"),), bmp.read_header, bmp.estimate_bytes_per_pixel),
        ConvertedFormat("ico", (Signature(b"\0\0\1\0"),), ico.read_header, ico.estimate_bytes_per_pixel),
        ConvertedFormat(
            "jp2",
            (Signature(jpeg2000.CONTAINER), Signature(jpeg2000.CODESTREAM)),
            jpeg2000.read_header,
            jpeg2000.estimate_bytes_per_pixel,
        ),
        ConvertedFormat(
            "jxl",
            (Signature(jpeg_xl.CONTAINER), Signature(jpeg_xl.CODESTREAM)),
            jpeg_xl.read_header,
            jpeg_xl.estimate_bytes_per_pixel,
        ),
        ConvertedFormat("psd", (Signature(psd.SIGNATURE),), psd.read_header, psd.estimate_bytes_per_pixel),
    )
}

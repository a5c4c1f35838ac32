"""Decode a JPEG XL image by libjxl: ``python -m darkroom_pipeline.conversion.jxl_worker``.

An image that was made of a JPEG without loss becomes that JPEG again, byte by byte. Others become PNG or JPEG, with the
first frame of an animation and 8 bits a channel.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from .confine import main
from .encode import encode, load_encoders

FOLDERS = [f"{folder}/{place}" for folder in sys.path if folder for place in ("../jxl", "imagecodecs.libs")]
"""Where libjxl is: in the layer, beside its packages, or where the package ``imagecodecs`` is installed."""

_NEED_IMAGE_BUFFER, _JPEG_NEED_MORE_OUTPUT = 5, 6
_BASIC_INFO, _COLOR_ENCODING, _FULL_IMAGE, _JPEG_RECONSTRUCTION = 0x40, 0x100, 0x1000, 0x2000
"""``JxlDecoderStatus`` (libjxl 0.12, jxl/decode.h)."""

_UINT8, _NATIVE_ENDIAN, _PROFILE_OF_PIXELS = 2, 0, 1
_INFO = struct.Struct("<18I")
"""The first fields of ``JxlBasicInfo`` (jxl/codestream_header.h). Those that are read here are whole numbers."""
_INFO_BYTES = 512
_MODES = {(1, False): "L", (1, True): "LA", (3, False): "RGB", (3, True): "RGBA"}
_GROWTH = 2


class BasicInfo(NamedTuple):
    """What an image states about itself, upright. ``lossless``: its colours are stored as they were, not as XYB."""

    width: int
    height: int
    lossless: bool
    mode: str


class Decoder:
    """A decoder of libjxl."""

    def __init__(self, library: ctypes.CDLL) -> None:
        library.JxlDecoderCreate.restype = ctypes.c_void_p
        library.JxlDecoderReleaseJPEGBuffer.restype = ctypes.c_size_t
        self._library = library
        self._decoder = ctypes.c_void_p(library.JxlDecoderCreate(None))
        if not self._decoder:
            raise MemoryError

    def call(self, name: str, *arguments: object) -> int:
        """Return the value of a function of jxl/decode.h."""
        return int(getattr(self._library, f"JxlDecoder{name}")(self._decoder, *arguments))

    def require(self, name: str, *arguments: object) -> None:
        """Call a function; raises ValueError unless it succeeds."""
        if status := self.call(name, *arguments):
            raise ValueError(f"{name}: {status}")


def prepare(arguments: list[str]) -> Callable[[bytes], bytes]:
    """Return the decoder; raises OSError if libjxl is missing."""
    del arguments
    Image.MAX_IMAGE_PIXELS = None  # the header was checked against the limits
    library = load_library()
    load_encoders()
    return lambda data: decode(library, data)


def load_library() -> ctypes.CDLL:
    """Load libjxl; raises OSError if it is missing."""
    for folder in FOLDERS:
        for path in Path(folder).glob("libjxl-*.so*"):
            return ctypes.CDLL(str(path))
    raise OSError("libjxl is missing")


def decode(library: ctypes.CDLL, data: bytes) -> bytes:
    """Return the JPEG that ``data`` was made of, else its first frame as PNG or JPEG; raises ValueError.

    Browsers do not restore the JPEG: where its description is damaged, the pixels count.
    """
    try:
        return _decode(library, data, restoring=True)
    except ValueError:
        return _decode(library, data, restoring=False)


def _decode(library: ctypes.CDLL, data: bytes, *, restoring: bool) -> bytes:
    decoder = Decoder(library)
    events = _BASIC_INFO | _COLOR_ENCODING | _FULL_IMAGE | (_JPEG_RECONSTRUCTION if restoring else 0)
    decoder.require("SubscribeEvents", events)
    decoder.require("SetUnpremultiplyAlpha", 1)
    decoder.require("SetInput", data, ctypes.c_size_t(len(data)))
    decoder.call("CloseInput")
    info, profile = None, b""
    while True:
        event = decoder.call("ProcessInput")
        if event == _BASIC_INFO:
            info = _read_info(decoder)
        elif event == _COLOR_ENCODING:
            profile = _read_profile(decoder)
        elif event == _JPEG_RECONSTRUCTION:
            return _read_jpeg(decoder, len(data))
        elif event == _NEED_IMAGE_BUFFER and info:
            return encode(_read_pixels(decoder, info), lossless=info.lossless, profile=profile)
        else:
            raise ValueError(f"the decoder ended with {event}")


def _read_info(decoder: Decoder) -> BasicInfo:
    buffer = ctypes.create_string_buffer(_INFO_BYTES)
    decoder.require("GetBasicInfo", buffer)
    fields = _INFO.unpack_from(buffer)
    return BasicInfo(fields[1], fields[2], bool(fields[9]), _MODES[fields[13], bool(fields[15])])


def _read_profile(decoder: Decoder) -> bytes:
    size = ctypes.c_size_t()
    decoder.require("GetICCProfileSize", _PROFILE_OF_PIXELS, ctypes.byref(size))
    profile = ctypes.create_string_buffer(size.value)
    decoder.require("GetColorAsICCProfile", _PROFILE_OF_PIXELS, profile, size)
    return profile.raw


def _read_jpeg(decoder: Decoder, size: int) -> bytes:
    """Return the reconstructed JPEG, which is a fifth larger than the JPEG XL image; raises ValueError.

    The description of the JPEG may come before the codestream, whose events then follow.
    """
    jpeg = bytearray()
    while True:
        buffer = ctypes.create_string_buffer(max(size, 1024) * _GROWTH)
        decoder.require("SetJPEGBuffer", buffer, ctypes.c_size_t(len(buffer)))
        event = decoder.call("ProcessInput")
        while event in (_BASIC_INFO, _COLOR_ENCODING):
            event = decoder.call("ProcessInput")
        jpeg += memoryview(buffer)[: len(buffer) - decoder.call("ReleaseJPEGBuffer")]
        if event == _FULL_IMAGE:
            return bytes(jpeg)
        if event != _JPEG_NEED_MORE_OUTPUT:
            raise ValueError(f"the decoder ended with {event}")


def _read_pixels(decoder: Decoder, info: BasicInfo) -> Image.Image:
    layout = struct.pack("<3I4xQ", len(info.mode), _UINT8, _NATIVE_ENDIAN, 0)
    size = ctypes.c_size_t()
    decoder.require("ImageOutBufferSize", layout, ctypes.byref(size))
    pixels = bytearray(size.value)
    decoder.require("SetImageOutBuffer", layout, (ctypes.c_char * len(pixels)).from_buffer(pixels), size)
    event = decoder.call("ProcessInput")
    if event != _FULL_IMAGE:
        raise ValueError(f"the decoder ended with {event}")
    return Image.frombuffer(info.mode, (info.width, info.height), pixels, "raw", info.mode, 0, 1)


if __name__ == "__main__":
    main(prepare)

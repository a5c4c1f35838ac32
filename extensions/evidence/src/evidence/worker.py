"""The process that reads an image: ``python -m evidence.worker SIZE...``, started by :mod:`.process`.

The arguments are the sizes of the files in its input: the image, and its near copies. The result is JSON, which has
copies by their numbers.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyvips
from PIL import Image

from darkroom_pipeline.conversion.confine import main

from .analysis import analyse, draw_cells, draw_photograph
from .exif import read_exif
from .pixels import decode_reduced, decode_thumbnail
from .quantisation import load_known

_SIDE_PX = 128
_FORMATS = (".png", ".webp", ".gif", ".tif", ".jpg")
"""Whose loaders libvips prepares when it first needs them."""


_EXIF = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\0\0\0\0\0"
"""A block of one empty directory, for which Pillow loads its reader of TIFF."""


def prepare(arguments: list[str]) -> Callable[[bytes], bytes]:
    """Return the analysis of files of the sizes ``arguments``, after one of a sample, which loads all that it needs."""
    sizes = [int(size) for size in arguments]
    Image.init()
    sample = io.BytesIO()
    noise = Image.effect_noise((_SIDE_PX, _SIDE_PX), 40).convert("RGB")
    noise.save(sample, "JPEG", quality=70)
    second = io.BytesIO()
    Image.open(sample).save(second, "JPEG", quality=90, exif=_EXIF)
    load_known()
    read_exif(b"")
    decode_thumbnail(second.getvalue())
    for name in _FORMATS:
        decode_reduced(pyvips.Image.new_from_array(noise).write_to_buffer(name), 8, 8)
    cells = np.fft.irfft2(np.fft.rfft2(np.zeros((8, 8)))).astype(np.float32)
    np.median(cells)
    np.quantile(cells, 0.5)
    draw_photograph(cells, [(0, 0, 1, 1)])
    draw_cells(cells, 0, 1)
    analyse(second.getvalue(), {})
    return lambda data: json.dumps(_analyse(list(_split(data, sizes)))).encode()


def _split(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size


def _analyse(files: Sequence[bytes]) -> dict[str, object]:
    return analyse(files[0], {str(number): file for number, file in enumerate(files[1:])})


if __name__ == "__main__":
    main(prepare)

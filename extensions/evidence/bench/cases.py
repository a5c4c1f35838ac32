"""Images of known origin, by measure and group, and whether a measure flags them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageEnhance

from evidence import double_compression, measures
from evidence.copies import compare_copy
from evidence.exif import read_exif
from evidence.jpeg_header import parse_header
from evidence.pixels import decode_luma
from evidence.quantisation import compare_tables
from evidence.thumbnail import compare_thumbnail

from .cameras import list_camera_photographs
from .scenes import Box, Scene, compress, decode, paste, place_box

RISING = ((60, 75), (70, 85), (75, 90), (80, 92), (85, 95))
FALLING = ((90, 75), (90, 85), (95, 80), (85, 70))
"""Qualities of the first and the second compression."""

ONCE = (70, 75, 85, 90, 95)
SOURCE_QUALITIES = (95, 88, 75)
"""Of the photograph that a splice is cut out of."""

SMALL = (112, 84)
"""Size of a small splice, 1.2 % of an image; others have 6 %."""

THUMBNAIL = (160, 120)


class Case(NamedTuple):
    """A group of images: ``flags`` says of image ``number`` whether the measure flags it."""

    measure: str
    group: str
    is_honest: bool
    flags: Callable[[Sequence[Scene], int], bool]


def list_cases() -> Iterator[Case]:
    """Yield all groups."""
    double, area = measures.DOUBLE_COMPRESSION, measures.AREA
    yield Case(double, "compressed once, quality 70 to 95", True, lambda s, n: _is_double(_once(s, n)))
    yield Case(double, "compressed again at a higher quality", False, lambda s, n: _is_double(_twice(s, n, RISING)))
    yield Case(double, "compressed again at a lower quality", False, lambda s, n: _is_double(_twice(s, n, FALLING)))
    yield Case(area, "compressed once, quality 70 to 95", True, lambda s, n: _has_area(_once(s, n), None))
    yield Case(
        area,
        "compressed again at a higher quality, not spliced",
        True,
        lambda s, n: _has_area(_twice(s, n, RISING), None),
    )
    yield Case(
        area, "spliced, saved at a higher quality, area found", False, lambda s, n: _has_area(*_spliced(s, n, RISING))
    )
    yield Case(
        area,
        "small splice, saved at a higher quality, area found",
        False,
        lambda s, n: _has_area(*_spliced(s, n, RISING, SMALL)),
    )
    yield Case(
        area, "spliced, saved at a lower quality, area found", False, lambda s, n: _has_area(*_spliced(s, n, FALLING))
    )
    thumb = measures.THUMBNAIL
    yield Case(thumb, "thumbnail of the image", True, lambda s, n: _thumbnail_differs(s, n, None))
    yield Case(thumb, "spliced, thumbnail kept, area found", False, lambda s, n: _thumbnail_differs(s, n, (256, 192)))
    yield Case(thumb, "small splice, thumbnail kept, area found", False, lambda s, n: _thumbnail_differs(s, n, SMALL))
    yield Case(thumb, "cropped to 9:10 of the width, thumbnail kept", False, _crop_differs)
    copies = measures.COPIES
    yield Case(
        copies, "copy reduced, cropped, recompressed or brightened", True, lambda s, n: _copy_differs(s, n, None)
    )
    yield Case(copies, "copy with another region, area found", False, lambda s, n: _copy_differs(s, n, (256, 192)))
    yield Case(copies, "copy with another small region, area found", False, lambda s, n: _copy_differs(s, n, SMALL))
    yield Case(
        measures.TABLES,
        "spliced, saved by libjpeg, camera's EXIF kept",
        False,
        lambda s, n: _is_libjpeg(_spliced(s, n, RISING)[0]),
    )


def _once(scenes: Sequence[Scene], number: int) -> bytes:
    return compress(scenes[number].image, ONCE[number % len(ONCE)])


def _twice(scenes: Sequence[Scene], number: int, qualities: Sequence[tuple[int, int]]) -> bytes:
    first, second = qualities[number % len(qualities)]
    return compress(decode(compress(scenes[number].image, first)), second)


def _spliced(
    scenes: Sequence[Scene], number: int, qualities: Sequence[tuple[int, int]], size: tuple[int, int] = (256, 192)
) -> tuple[bytes, Box]:
    first, second = qualities[number % len(qualities)]
    box = place_box(number, size)
    target = decode(compress(scenes[number].image, first))
    return compress(paste(target, _other(scenes, number), box), second), box


def _other(scenes: Sequence[Scene], number: int) -> Image.Image:
    """Return the compressed photograph that the splice of image ``number`` is cut out of."""
    other = scenes[(number + 7) % len(scenes)].image
    return decode(compress(other, SOURCE_QUALITIES[number % len(SOURCE_QUALITIES)]))


def _is_double(jpeg: bytes) -> bool:
    found, _ = double_compression.measure(decode_luma(jpeg), parse_header(jpeg).luma)
    return measures.is_double(found)


def _has_area(jpeg: bytes, truth: Box | None) -> bool:
    found, coefficients = double_compression.measure(decode_luma(jpeg), parse_header(jpeg).luma)
    if not measures.is_double(found):
        return False
    area = double_compression.map_blocks(found, coefficients)
    return measures.has_area(area) and area.box is not None and _agrees([area.box], truth)


def _agrees(boxes: Sequence[Box], truth: Box | None) -> bool:
    """Whether one of ``boxes`` has the middle of ``truth`` in it and is at most six times as large; any without it."""
    if truth is None:
        return bool(boxes)
    x, y = truth[0] + truth[2] / 2, truth[1] + truth[3] / 2
    return any(
        left <= x <= left + width and top <= y <= top + height and width * height <= 6 * truth[2] * truth[3]
        for left, top, width, height in boxes
    )


def _make_thumbnail(image: Image.Image) -> bytes:
    return compress(image.resize(THUMBNAIL, Image.Resampling.BICUBIC), 80)


def _thumbnail_differs(scenes: Sequence[Scene], number: int, size: tuple[int, int] | None) -> bool:
    image, box = scenes[number].image, None
    thumbnail = _make_thumbnail(image)
    if size:
        box = place_box(number, size)
        image = paste(image, _other(scenes, number), box)
    found = compare_thumbnail(compress(image, ONCE[number % len(ONCE)]), thumbnail)
    return measures.thumbnail_differs(found) and (box is None or _agrees(found.boxes, box))


def _crop_differs(scenes: Sequence[Scene], number: int) -> bool:
    image = scenes[number].image
    cropped = image.crop((0, 0, image.width * 9 // 10, image.height))
    return measures.thumbnail_differs(compare_thumbnail(compress(cropped, 90), _make_thumbnail(image)))


def _copy_differs(scenes: Sequence[Scene], number: int, size: tuple[int, int] | None) -> bool:
    image, box = scenes[number].image, None
    copy = image
    if size:
        box = place_box(number, size)
        copy = paste(image, _other(scenes, number), box)
    found = compare_copy(compress(image, 90), _alter(copy, number))
    return found is not None and bool(found.boxes) and _agrees(found.boxes, box)


def _alter(image: Image.Image, number: int) -> bytes:
    width, height = image.size
    match number % 5:
        case 0:
            return compress(image, 60)
        case 1:
            return compress(image.resize((width // 2, height // 2), Image.Resampling.LANCZOS), 80)
        case 2:
            return compress(image.crop((width // 20, height // 20, width * 19 // 20, height * 19 // 20)), 85)
        case 3:
            return compress(ImageEnhance.Contrast(ImageEnhance.Brightness(image).enhance(1.15)).enhance(1.1), 85)
    cropped = image.crop((0, 0, width * 17 // 20, height))
    return compress(cropped.resize((cropped.width * 13 // 10, height * 13 // 10), Image.Resampling.BICUBIC), 85)


def _is_libjpeg(jpeg: bytes) -> bool:
    return compare_tables(parse_header(jpeg), "", "").is_libjpeg


def count_cameras(samples: Path | None) -> Iterator[tuple[str, str, bool, int, int]]:
    """Yield measure, group, whether it is honest, images and flags of the files of cameras themselves."""
    files = [data for _, data in list_camera_photographs(samples)]
    headers = [parse_header(data) for data in files]
    libjpeg = [compare_tables(header, "", "").is_libjpeg for header in headers]
    yield measures.TABLES, "files of cameras", True, len(libjpeg), sum(libjpeg)
    flags = []
    for data, header in zip(files, headers, strict=True):
        thumbnail = read_exif(header.exif).thumbnail
        try:
            flags += [measures.thumbnail_differs(compare_thumbnail(data, thumbnail))] if thumbnail else []
        except ValueError:  # one of the samples is damaged
            continue
    yield measures.THUMBNAIL, "files of cameras", True, len(flags), sum(flags)
    doubles = []
    for data, header in zip(files, headers, strict=True):
        try:
            found, _ = double_compression.measure(decode_luma(data), header.luma)
            doubles.append(measures.is_double(found))
        except (ValueError, OSError):
            continue
    yield measures.DOUBLE_COMPRESSION, "files of cameras", True, len(doubles), sum(doubles)

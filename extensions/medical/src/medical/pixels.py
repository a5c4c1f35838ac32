"""Decode a pydicom data set to pages of 16-bit numbers, or of 8-bit colours.

The modality transformation (PS3.3, C.11.1) is applied: a page has the least modality value as 0, and ``Scale`` leads
back. That is exact for stored values of up to 16 bits. Those with more bits, and floating-point ones, are rounded to
65,536 steps between the least and the greatest value.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import DamagedSource, DarkroomError

from .codestream import check_codestream
from .header import TRANSFER_SYNTAXES, Header
from .instance import Scale
from .voi import LookupTable, Voi
from .window import LINEAR, Window

STEPS = 65_535
MAX_PRESETS = 16

type Pixels = NDArray[Any]


class Pages(NamedTuple):
    """What was written: ``number`` pages, in ``colour`` as 8-bit RGB, otherwise as 16-bit numbers."""

    number: int
    colour: bool
    low: float
    high: float
    scales: tuple[Scale, ...]


def write_pages(dataset: Any, header: Header, file: BinaryIO) -> Pages:
    """Decode all frames into ``file``, page after page. Raises DamagedSource or other errors of decoders."""
    if header.samples > 1 or header.photometric == "PALETTE COLOR":
        return _write_colour(dataset, header, file)
    if header.allocated > 16:
        return _write_rounded(dataset, header, file)
    return _write_exact(dataset, header, file)


def _write(file: BinaryIO, values: Pixels) -> None:
    """Write samples; numpy's own way copies the descriptor, which a confined process cannot."""
    file.write(np.ascontiguousarray(values).data)


def iterate_frames(dataset: Any, header: Header) -> Iterator[Pixels]:
    """Yield the frames as stored values, or as RGB. Raises DamagedSource if there are fewer than declared."""
    from pydicom.encaps import generate_frames
    from pydicom.pixels import get_decoder

    decoder = get_decoder(header.transfer_syntax)
    plugin = TRANSFER_SYNTAXES[header.transfer_syntax]
    if plugin:
        for stream in generate_frames(dataset.PixelData, number_of_frames=header.frames):
            check_codestream(stream, header)
    native = plugin in ("", "pydicom")
    shape = (header.rows, header.columns)
    count = 0
    for frame, _ in decoder.iter_array(dataset, raw=False, validate=True, decoding_plugin=plugin):
        if frame.shape[:2] != shape or frame.size != header.rows * header.columns * header.samples:
            raise DamagedSource("A frame has another size than the image")
        count += 1
        yield _mask(frame, dataset) if native and header.samples == 1 and frame.dtype.kind in "iu" else frame
        if count == header.frames:
            return
    raise DamagedSource(f"The file has {count} of {header.frames} frames")


def _mask(frame: Pixels, dataset: Any) -> Pixels:
    """Remove bits beside the stored ones, which may be overlays (PS3.5, 8.1.1)."""
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    high = int(dataset.get("HighBit", stored - 1))
    if stored >= allocated or allocated == 1 or not stored - 1 <= high < allocated:
        return frame
    wide: Pixels = frame.astype(np.int64 if stored > 16 else np.int32)
    values = wide >> (high - stored + 1) & ((1 << stored) - 1)
    if int(dataset.get("PixelRepresentation", 0)):
        values -= (values >> (stored - 1)) << stored
    return np.asarray(values)


def _write_exact(dataset: Any, header: Header, file: BinaryIO) -> Pages:
    table = _read_modality_table(dataset)
    least = 0
    if table is None and int(dataset.get("PixelRepresentation", 0)):
        least = -(1 << (header.stored - 1))
    found = _Range()
    scales = read_scales(dataset, header.frames)
    padding = _read_padding(dataset)
    for number, frame in enumerate(iterate_frames(dataset, header)):
        values = frame.astype(np.int32)
        shown = values[~padding.covers(values)] if padding else values
        if table is not None:
            values, shown = table.look_up(values), table.look_up(shown)
            scale = Scale(1.0, 0.0)
        else:
            scale = scales[number if len(scales) > 1 else 0]
        codes = values - least
        if codes.min() < 0 or codes.max() > STEPS:
            raise DamagedSource("A stored value has more bits than are declared")
        found.add(shown, scale)
        _write(file, codes.astype("<u2"))
    if table is not None:
        shifted: tuple[Scale, ...] = (Scale(1.0, 0.0),)
    else:
        shifted = tuple(Scale(one.slope, one.intercept + least * one.slope) for one in scales)
    return Pages(header.frames, False, *found.ends(), shifted)


def _write_rounded(dataset: Any, header: Header, file: BinaryIO) -> Pages:
    scales = read_scales(dataset, header.frames)
    if len(set(scales)) > 1:
        raise DamagedSource("Frames of more than 16 bits have different scales")
    found = _Range()
    for frame in iterate_frames(dataset, header):
        if not np.isfinite(frame).all():
            raise DamagedSource("A value is no number")
        found.add(frame, scales[0])
    low, high = found.ends()
    slope = (high - low) / STEPS or 1.0
    for frame in iterate_frames(dataset, header):
        values = frame.astype(np.float64) * scales[0].slope + scales[0].intercept
        _write(file, np.rint((values - low) / slope).clip(0, STEPS).astype("<u2"))
    return Pages(header.frames, False, low, high, (Scale(slope, low),))


def _write_colour(dataset: Any, header: Header, file: BinaryIO) -> Pages:
    for frame in iterate_frames(dataset, header):
        colours, bits = frame, header.stored
        if header.photometric == "PALETTE COLOR":
            from pydicom.pixels import apply_color_lut

            colours = apply_color_lut(frame, dataset)[..., :3]
            bits = 8 * colours.dtype.itemsize
        _write(file, (colours >> (bits - 8) if bits > 8 else colours).astype(np.uint8))
    return Pages(header.frames, True, 0.0, 255.0, (Scale(1.0, 0.0),))


class _Range:
    """Least and greatest modality value."""

    def __init__(self) -> None:
        self._low, self._high = np.inf, -np.inf

    def add(self, stored: Pixels, scale: Scale) -> None:
        """Add the values of a frame."""
        if stored.size:
            ends = [float(end) * scale.slope + scale.intercept for end in (stored.min(), stored.max())]
            self._low, self._high = min(self._low, *ends), max(self._high, *ends)

    def ends(self) -> tuple[float, float]:
        """Return both values, 0 and 1 for none."""
        return (float(self._low), float(self._high)) if self._low <= self._high else (0.0, 1.0)


class _Padding(NamedTuple):
    """Stored values of pixels outside of the image (PS3.3, C.7.5.1.1.2)."""

    low: int
    high: int

    def covers(self, values: Pixels) -> Pixels:
        """Return which values are padding."""
        return np.asarray((values >= self.low) & (values <= self.high))


def _read_padding(dataset: Any) -> _Padding | None:
    value, limit = dataset.get("PixelPaddingValue"), dataset.get("PixelPaddingRangeLimit")
    with suppress(TypeError, ValueError):
        if value is not None:
            ends = sorted((int(value), int(value if limit is None else limit)))
            return _Padding(*ends)
    return None


class _ModalityTable(NamedTuple):
    first: int
    entries: NDArray[np.int32]

    def look_up(self, stored: Pixels) -> NDArray[np.int32]:
        """Return modality values."""
        return np.asarray(self.entries[np.clip(stored - self.first, 0, len(self.entries) - 1)])


def _read_modality_table(dataset: Any) -> _ModalityTable | None:
    sequence = dataset.get("ModalityLUTSequence")
    if not sequence:
        return None
    table = _read_table(sequence[0], signed=bool(int(dataset.get("PixelRepresentation", 0))))
    return _ModalityTable(table.first, np.asarray(table.entries, np.int32))


def _read_table(item: Any, *, signed: bool) -> LookupTable:
    """Read a LUT (PS3.3, C.11.1.1 and C.11.2.1.1). Raises DamagedSource for one that is damaged."""
    try:
        count, first, bits = map(int, item.LUTDescriptor)
        count = count % 65_536 or 65_536
        if signed and first > 32_767:  # the descriptor's VR is that of the pixels
            first -= 65_536
        data = item.LUTData
        if isinstance(data, bytes):
            wide = len(data) >= 2 * count
            entries = np.frombuffer(data, "<u2" if wide else "u1", count)
        else:
            entries = np.atleast_1d(np.asarray(data, np.int64)) & 0xFFFF
    except (AttributeError, TypeError, ValueError) as error:
        raise DamagedSource("A lookup table is damaged") from error
    if not (1 <= bits <= 16 and len(entries) >= count):
        raise DamagedSource("A lookup table has fewer entries than it declares")
    return LookupTable(first, bits, tuple(map(int, entries[:count])))


def read_scales(dataset: Any, frames: int) -> tuple[Scale, ...]:
    """Return slope and intercept: one, or one for each frame of an enhanced image. Raises DamagedSource."""
    groups = _functional_groups(dataset, "PixelValueTransformationSequence", frames)
    found = [_read_scale(dataset)] if not groups else [_read_scale(item) for item in groups]
    return tuple(found) if len(set(found)) > 1 else (found[0],)


def _read_scale(item: Any) -> Scale:
    try:
        slope, intercept = (
            float(default if (value := item.get(name)) is None else value)
            for name, default in (("RescaleSlope", 1), ("RescaleIntercept", 0))
        )
    except (TypeError, ValueError) as error:
        raise DamagedSource("Rescale Slope or Rescale Intercept is no number") from error
    if not (np.isfinite(slope) and np.isfinite(intercept)) or slope == 0:
        raise DamagedSource("Rescale Slope or Rescale Intercept is no finite number")
    return Scale(slope, intercept)


def _functional_groups(dataset: Any, name: str, frames: int) -> list[Any]:
    """Return the item of the functional group ``name``: of each frame, one that they share, or none (C.7.6.16)."""
    shared = dataset.get("SharedFunctionalGroupsSequence")
    if shared and (items := shared[0].get(name)):
        return [items[0]]
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
    if not per_frame or len(per_frame) != frames:
        return []
    found = [one.get(name) for one in per_frame]
    return [items[0] for items in found] if all(found) else []


def read_presets(dataset: Any, frames: int) -> tuple[tuple[Voi, ...], ...]:
    """Return the valid windows and then the VOI LUTs of the file: one list, or one for each frame."""
    groups = _functional_groups(dataset, "FrameVOILUTSequence", frames) or [dataset]
    signed = bool(int(dataset.get("PixelRepresentation", 0))) or bool(dataset.get("RescaleIntercept"))
    found = [tuple(_read_voi(item, signed=signed))[:MAX_PRESETS] for item in groups]
    return tuple(found) if len(set(found)) > 1 else (found[0],)


def _read_voi(item: Any, *, signed: bool) -> Iterator[Voi]:
    centers, widths = (_numbers(item.get(name)) for name in ("WindowCenter", "WindowWidth"))
    function = str(item.get("VOILUTFunction") or LINEAR)
    for center, width in zip(centers, widths, strict=False):
        with suppress(DarkroomError):
            yield Window(center, width, function)
    for table in item.get("VOILUTSequence") or ():
        with suppress(DarkroomError):
            yield _read_table(table, signed=signed)


def _numbers(value: Any) -> list[float]:
    if value is None or value == "":
        return []
    try:
        return [float(value)] if isinstance(value, str | int | float) else [float(one) for one in value]
    except (TypeError, ValueError):
        return []

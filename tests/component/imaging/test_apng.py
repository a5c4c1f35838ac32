"""Animated PNG: every frame equals Pillow's, also with blending and disposal."""

from __future__ import annotations

import struct
from itertools import product

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DarkroomError, OverLimits
from darkroom.imaging.formats.load import load_whole
from darkroom.imaging.formats.metadata.locate import strip_metadata
from darkroom.imaging.formats.png import apng_decode
from darkroom.imaging.formats.png.apng import CLEAR, KEEP, OVER, RESTORE, SOURCE, iter_chunks, parse_animation
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.master import make_master
from tests.images.drawn import png_chunk
from tests.images.rendering import made, opened
from tests.images.sources import saved

SIZE = (24, 16)
DELAYS_MS = [0, 10, 70, 250]
BOXES = [(0, 0, 24, 16), (3, 2, 12, 9), (0, 5, 24, 16), (14, 1, 23, 15)]
"""Of each frame: its region in the canvas."""


def part(mode: str, number: int) -> Image.Image:
    """The pixels of one frame, of the size of its region."""
    left, top, right, bottom = BOXES[number]
    alpha = 255 if mode == "RGB" else 90 + 40 * number
    image = Image.new("RGBA", (right - left, bottom - top), (200, 30 + 50 * number, 40, alpha))
    image.paste((20, 60 * number, 90, 0 if mode != "RGB" else 255), (2, 2, 5, 6))
    return image.convert(mode)


def body_of(image: Image.Image) -> bytes:
    """The IDAT data of a PNG of ``image``."""
    png = saved(image, "PNG")
    return b"".join(png[found.body : found.end - 4] for found in iter_chunks(png) if found.name == b"IDAT")


def animated(mode: str = "RGBA", dispose: int = KEEP, blend: int = SOURCE, *, separate: bool = False) -> bytes:
    """An APNG of four frames. ``separate``: the PNG's own image is another one, and no frame."""
    first = saved(part(mode, 0), "PNG")
    head = [first[found.start : found.end] for found in iter_chunks(first) if found.name not in (b"IDAT", b"IEND")]
    body = [first[:8], *head, png_chunk(b"acTL", struct.pack(">II", 4, 3))]
    if separate:
        body.append(png_chunk(b"IDAT", body_of(Image.new(mode, SIZE))))
    sequence = 0
    for number, (left, top, right, bottom) in enumerate(BOXES):
        region = (right - left, bottom - top, left, top)
        control = struct.pack(">5I2H2B", sequence, *region, DELAYS_MS[number], 1000, dispose, blend)
        body.append(png_chunk(b"fcTL", control))
        sequence += 1
        if number == 0 and not separate:
            body.append(png_chunk(b"IDAT", body_of(part(mode, 0))))
            continue
        body.append(png_chunk(b"fdAT", sequence.to_bytes(4) + body_of(part(mode, number))))
        sequence += 1
    return b"".join([*body, png_chunk(b"IEND", b"")])


def expected(mode: str, dispose: int, blend: int) -> list[np.ndarray]:
    """The canvas at each frame, painted by Pillow (W3C PNG, third edition, 11.3.6.2)."""
    canvas, found = Image.new("RGBA", SIZE), []
    for number, box in enumerate(BOXES):
        before, image = canvas.copy(), part(mode, number).convert("RGBA")
        if blend == OVER:
            canvas.alpha_composite(image, box[:2])
        else:
            canvas.paste(image, box)
        found.append(np.asarray(canvas))
        if dispose == CLEAR or (dispose == RESTORE and number == 0):
            canvas.paste((0, 0, 0, 0), box)
        elif dispose == RESTORE:
            canvas = before
    return found


def shown(data: bytes, **options: object) -> list[np.ndarray]:
    source = Source.from_bytes(data)
    frames = load_whole(source, probe(source, Limits()), Limits(), **options).frames  # type: ignore[arg-type]
    with source.decoding():
        return [np.asarray(frame.numpy()) for frame in frames]


def levels_apart(one: np.ndarray, other: np.ndarray) -> int:
    """The largest difference where either shows; colours under no alpha do not count."""
    if other.shape[2] == 2:
        other = other[..., [0, 0, 0, 1]]
    bands = other.shape[2]
    colours = np.where(one[..., 3:] > 0, one[..., :bands], 0).astype(int)
    return int(np.abs(colours - np.where(one[..., 3:] > 0, other, 0)).max())


@pytest.mark.sample(5)
@pytest.mark.parametrize(("dispose", "blend"), list(product((KEEP, CLEAR, RESTORE), (SOURCE, OVER))))
@pytest.mark.parametrize("mode", ["RGBA", "RGB", "LA"])
@pytest.mark.parametrize("separate", [False, True])
def test_every_frame_is_as_pillow_paints_it(mode: str, dispose: int, blend: int, separate: bool) -> None:
    data, wanted = animated(mode, dispose, blend, separate=separate), expected(mode, dispose, blend)
    header = probe(Source.from_bytes(data), Limits())
    assert (header.frames, header.animated) == (4, True)
    frames = shown(data, animated=True)
    assert len(frames) == 4
    for page, (one, other) in enumerate(zip(wanted, frames, strict=True)):
        assert levels_apart(one, other) <= 1
        assert levels_apart(one, shown(data, page=page)[0]) <= 1


def test_an_animation_plays_as_webp_and_as_gif() -> None:
    for form, loop in (("webp", 3), ("gif", 2)):  # plays, and repetitions
        image = opened(made(animated(), format=form).body)
        assert (getattr(image, "n_frames", 1), image.info["loop"]) == (4, loop)
    assert getattr(opened(made(animated(), format="png").body), "n_frames", 1) == 1
    assert getattr(opened(made(animated(), format="webp", page=2).body), "n_frames", 1) == 1


def test_the_master_keeps_the_animation_and_its_pixels() -> None:
    data = animated()
    master = make_master(data, probe(Source.from_bytes(data), Limits()), limits=Limits())
    assert (master.method, master.content_type) == ("cleaned", "image/png")
    for one, other in zip(shown(data, animated=True), shown(master.body, animated=True), strict=True):
        assert np.array_equal(one, other)


def test_an_image_that_is_no_frame_does_not_stay() -> None:
    """Some viewers would show it and others the animation, and nothing here reads it."""
    data = animated(separate=True)
    header = probe(Source.from_bytes(data), Limits())
    assert strip_metadata(data, header) is None
    master = make_master(data, header, limits=Limits())
    assert (master.method, master.content_type) == ("encoded", "image/webp")
    assert levels_apart(expected("RGBA", KEEP, SOURCE)[0], shown(data)[0]) <= 1, "a still shows the first frame"


def without(data: bytes, name: bytes, which: int = 0) -> bytes:
    """``data`` without one of its chunks ``name``."""
    at = -1
    for _ in range(which + 1):
        at = data.index(name, at + 1)
    size = int.from_bytes(data[at - 4 : at])
    return data[: at - 4] + data[at + 8 + size :]


def with_data_before_its_image(hidden: Image.Image) -> bytes:
    """An APNG whose first frame has another image in fdAT, before the PNG's own one."""
    data = animated()
    control = next(part for part in iter_chunks(data) if part.name == b"fcTL")
    rest, sequence = [], 2
    for part in iter_chunks(data):
        if part.start < control.end:
            continue
        body = data[part.body : part.end - 4]
        if part.name in (b"fcTL", b"fdAT"):
            body, sequence = sequence.to_bytes(4) + body[4:], sequence + 1
        rest.append(png_chunk(part.name, body))
    return data[: control.end] + png_chunk(b"fdAT", (1).to_bytes(4) + body_of(hidden)) + b"".join(rest)


BROKEN = {
    "data before the image": with_data_before_its_image(Image.new("RGBA", SIZE, "red")),
    "fewer frames than announced": without(without(animated(), b"fdAT", 2), b"fcTL", 3),
    "a frame without data": without(animated(), b"fdAT", 1),
    "out of order": without(animated(), b"fcTL", 1),
    "no announcement": without(animated(), b"acTL"),
    "announced twice as many": animated().replace(
        png_chunk(b"acTL", (4).to_bytes(4) + (3).to_bytes(4)), png_chunk(b"acTL", (8).to_bytes(4) + (3).to_bytes(4))
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_animation_that_is_not_as_announced_is_a_still_everywhere(case: str) -> None:
    data = BROKEN[case]
    assert data != animated()
    header = probe(Source.from_bytes(data), Limits())
    assert (header.frames, header.animated) == (1, False)
    cleaned = strip_metadata(data, header)
    assert cleaned is not None
    assert not any(name in cleaned for name in (b"acTL", b"fcTL", b"fdAT"))


def test_cut_and_changed_files_raise_nothing_else() -> None:
    data = animated()
    random = np.random.default_rng(7)
    for _ in range(150):
        changed = bytearray(data[: random.integers(60, len(data) + 1)])
        changed[random.integers(40, len(changed))] = random.integers(256)
        try:
            shown(bytes(changed), animated=True)
        except DarkroomError:
            continue
    assert parse_animation(data) is not None


def test_more_pixels_than_fit_in_memory_are_over_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apng_decode, "MAX_BYTES", SIZE[0] * SIZE[1] * 4 * 4 - 1)
    with pytest.raises(OverLimits):
        shown(animated(), animated=True)
    assert len(shown(animated())) == 1, "the image itself"
    monkeypatch.setattr(apng_decode, "MAX_BYTES", SIZE[0] * SIZE[1] * 4 - 1)
    assert len(shown(animated())) == 1
    with pytest.raises(OverLimits):
        shown(animated(), page=1)

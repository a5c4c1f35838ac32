"""HEIC: rotated once, with its own bit depth and colours, complete or refused."""

from __future__ import annotations

import pytest

from darkroom.errors import DamagedSource
from darkroom.imaging.formats.bmff import heic
from darkroom.imaging.source import Source
from tests.images.drawn import HEIC, avif

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def data(name: str) -> bytes:
    return (HEIC / f"{name}.heic").read_bytes()


@pytest.mark.parametrize(
    ("name", "size", "corners"),
    [
        ("corners-turned-6", (64, 96), (BLUE, RED, WHITE, GREEN)),
        ("corners-turned-5", (64, 96), (RED, BLUE, GREEN, WHITE)),
        ("corners-display-p3", (96, 64), (RED, GREEN, BLUE, WHITE)),
    ],
)
def test_it_is_turned_upright_once(name: str, size: tuple[int, int], corners: tuple[tuple[int, ...], ...]) -> None:
    image = heic.decode_heic(Source.from_bytes(data(name)))
    assert (image.width, image.height) == size
    places = [(x, y) for y in (5, size[1] - 6) for x in (5, size[0] - 6)]
    for place, colour in zip(places, corners, strict=True):
        assert image(*place) == pytest.approx(colour, abs=4)


def test_ten_bits_stay_ten() -> None:
    image = heic.decode_heic(Source.from_bytes(data("ramp-10-bit")))
    assert (image.format, str(image.interpretation)) == ("ushort", "rgb16")
    line = image.crop(0, 32, 256, 1)[1].numpy().ravel()
    assert len(set(line.tolist())) >= 126
    assert line[0] / 65535 == pytest.approx(0.25, abs=0.003)
    assert line[-1] / 65535 == pytest.approx(0.375, abs=0.003)


def test_alpha_stays() -> None:
    image = heic.decode_heic(Source.from_bytes(data("half-transparent")))
    assert image.bands == 4
    assert image(5, 20) == pytest.approx([200, 0, 0, 0], abs=4)
    assert image(40, 20) == pytest.approx([200, 0, 0, 255], abs=4)


def test_the_pixels_are_its_own() -> None:
    images = [heic.decode_heic(Source.from_bytes(data("corners-turned-6"))) for _ in range(20)]
    means = {image.avg() for image in images}
    assert len(means) == 1


@pytest.mark.parametrize("name", ["corners-turned-6", "ramp-10-bit"])
def test_damage_is_refused(name: str) -> None:
    whole = data(name)
    start = whole.index(b"mdat") + 4
    for broken in (
        whole[: start + 20],
        whole[: start + 20] + bytes(len(whole) - start - 20),
        whole[: start + 30] + b"\0\0\0\0" + whole[start + 34 :],
        whole[:start] + b"\x7f" + whole[start + 1 :],
        whole[:60],
        avif(),
    ):
        with pytest.raises(DamagedSource) as caught:
            heic.decode_heic(Source.from_bytes(broken))
        assert caught.value.message == "The source image is damaged"


def test_a_fault_of_the_stream_comes_through() -> None:
    def chunks() -> object:
        yield data("ramp-10-bit")[:100]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        heic.decode_heic(Source.from_stream(chunks(), 512))  # type: ignore[arg-type]

"""PNG `gAMA` is applied unless another chunk defines the colours."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.master import make_master
from tests.images.drawn import png_chunk
from tests.images.planted import display_p3
from tests.images.rendering import made, opened, seen
from tests.images.sources import sixteen_bit

RAMP = np.tile(np.arange(256, dtype=np.uint8), (8, 1))


def ramp(mode: str) -> Image.Image:
    image = Image.fromarray(RAMP)
    if mode == "RGBA":
        return Image.merge("RGBA", (image, image, image, Image.new("L", image.size, 77)))
    return image.quantize(256).convert("P") if mode == "P" else image.convert(mode)


def with_gamma(gamma: float, mode: str = "RGB", *further: bytes, **options: object) -> bytes:
    out = io.BytesIO()
    ramp(mode).save(out, "PNG", **options)
    data, at = out.getvalue(), 8 + 25
    return data[:at] + png_chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000))) + b"".join(further) + data[at:]


def encoded(gamma: float) -> np.ndarray:
    """The ramp by the formulas (W3C PNG, third edition, 13.13; IEC 61966-2-1)."""
    linear = (RAMP[0] / 255.0) ** (1 / gamma)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
@pytest.mark.parametrize("gamma", [1.0, 0.55555, 0.3])
def test_samples_are_encoded_as_srgb(gamma: float, mode: str) -> None:
    shown = np.asarray(opened(made(with_gamma(gamma, mode), format="png").body).convert("RGBA"))
    assert np.abs(shown[4, :, 0] - encoded(gamma)).max() <= 0.51
    assert (shown[..., 3] == (77 if mode == "RGBA" else 255)).all()


LEFT = {
    "about that of sRGB": with_gamma(0.45455),
    "an sRGB chunk": with_gamma(1.0, "RGB", png_chunk(b"sRGB", b"\0")),
    "code points": with_gamma(1.0, "RGB", png_chunk(b"cICP", b"\1\x0d\0\1")),
    "zero": with_gamma(0.0),
    "out of range": with_gamma(40.0),
}


@pytest.mark.parametrize("case", LEFT)
def test_samples_stay_where_another_chunk_defines_their_colours(case: str) -> None:
    assert probe(Source.from_bytes(LEFT[case]), Limits()).gamma == 0
    assert np.array_equal(seen(made(LEFT[case], format="png").body)[4, :, 0], RAMP[0])


def test_a_profile_goes_before_gamma() -> None:
    assert probe(Source.from_bytes(with_gamma(1.0, "RGB", icc_profile=display_p3())), Limits()).gamma == 0


def test_a_master_shows_the_same() -> None:
    upload = with_gamma(1.0)
    master = make_master(upload, probe(Source.from_bytes(upload), Limits()), limits=Limits())
    assert master.method == "cleaned"
    assert np.array_equal(seen(made(master.body, format="png").body), seen(made(upload, format="png").body))


def test_sixteen_bits() -> None:
    data = sixteen_bit()
    at = 8 + 25
    gamma = png_chunk(b"gAMA", (100_000).to_bytes(4))
    shown = seen(made(data[:at] + gamma + data[at:], format="png").body).astype(float)
    plain = seen(made(data, format="png").body).astype(float)
    assert (shown >= plain).all()
    assert shown.mean() > plain.mean() + 20

"""Colour: all images are converted to sRGB by their profile or code points; sRGB images stay unchanged."""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image, ImageCms
from skimage.color import deltaE_ciede2000, rgb2lab

from darkroom.imaging.colour.convert import cicp_to_srgb, to_eight_bits, to_srgb
from darkroom.imaging.colour.icc import is_srgb
from darkroom.imaging.formats.probe import Cicp
from darkroom.plan.model import Crop
from tests.images.rendering import Pixels, apart, made, opened, seen
from tests.images.sources import photo, saved, sixteen_bit

LOSSLESS = "png"
NAMED = ("srgb", "p3", "cmyk")


@cache
def profile(name: str) -> bytes:
    """A profile that libvips brings: ``srgb``, ``p3`` or ``cmyk``."""
    found: bytes = pyvips.Operation.call("profile_load", name)
    return found


def in_space(name: str, *, form: str = "png", **options: object) -> bytes:
    """The photograph converted to a profile's space, tagged with it."""
    return seen_through(pyvips.Image.new_from_array(np.asarray(photo())), name, form, **options)


def seen_through(image: pyvips.Image, name: str, form: str, **options: object) -> bytes:
    converted = image.copy(interpretation="srgb").icc_transform(name, input_profile="srgb", intent="relative")
    body: bytes = converted.write_to_buffer(f".{form}", **options)
    return body


def colour_error(found: Pixels, wanted: Pixels) -> float:
    """The mean CIEDE2000 difference: below 1 it is invisible."""
    return float(deltaE_ciede2000(rgb2lab(found), rgb2lab(wanted)).mean())


def test_wide_gamut_comes_back_to_srgb() -> None:
    source = in_space("p3")
    assert colour_error(np.asarray(Image.open(BytesIO(source)).convert("RGB")), np.asarray(photo())) > 1, (
        "it is another space"
    )
    assert colour_error(seen(made(source).body), np.asarray(photo())) < 0.5
    top = {"crop": Crop("px", 0, 0, 320, 60)}
    assert colour_error(seen(made(source, **top).body), np.asarray(photo())[:60]) < 0.5
    small = np.asarray(photo().resize((160, 120), Image.Resampling.LANCZOS))
    assert colour_error(seen(made(source, width=160).body), small) < 0.8


@pytest.mark.parametrize("form", ["jpeg", "webp", "tiff"])
def test_profiles_are_read_from_every_container(form: str) -> None:
    assert colour_error(seen(made(in_space("p3", form=form)).body), np.asarray(photo())) < 2.5


@pytest.mark.parametrize("form", ["jpg", "tif"])
def test_cmyk_with_a_profile(form: str) -> None:
    found = seen(made(in_space("cmyk", form=form)).body)
    assert colour_error(found, np.asarray(photo())) < 6, "within what the ink's gamut leaves"


def test_cmyk_without_a_profile_uses_the_default_profile() -> None:
    inks = Image.new("CMYK", (40, 10))
    for index, ink in enumerate(((0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 0, 255))):
        inks.paste(ink, (index * 10, 0, index * 10 + 10, 10))
    paper, cyan, magenta, black = seen(made(saved(inks, "TIFF")).body)[5, 5::10].astype(int)
    assert paper.min() > 250
    assert cyan[0] < 60 < 120 < cyan[1] < cyan[2]
    assert magenta[1] < 60 < 180 < magenta[0]
    assert black.max() < 60


def test_adobe_jpeg_inks_are_not_inverted() -> None:
    white = saved(Image.new("CMYK", (16, 16), (0, 0, 0, 0)), "JPEG")
    assert seen(made(white).body).min() > 245


def test_reading_the_profile_of_a_converted_image_is_safe() -> None:
    """libvips leaves a dangling profile behind when it converts CMYK by ``colourspace``."""
    source = saved(photo().convert("CMYK"), "JPEG")
    for _ in range(5):
        made(source, width=50)


def test_no_profile_comes_out_and_srgb_is_left_alone() -> None:
    tagged = saved(photo(), "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    body = made(tagged, width=300).body
    assert "icc_profile" not in opened(body).info
    assert apart(seen(made(tagged, sharpen=0.0).body), np.asarray(photo())) == 0
    untagged = seen(made(saved(photo(), "PNG"), width=300).body)
    assert np.array_equal(seen(body), untagged)


def test_srgb_is_recognised_by_its_numbers() -> None:
    assert is_srgb(profile("srgb"))
    assert is_srgb(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert not is_srgb(profile("p3"))
    assert not is_srgb(profile("cmyk"))
    assert not is_srgb(b"")
    assert not is_srgb(profile("srgb")[:150])


@pytest.mark.parametrize(
    "curve",
    [
        b"curv" + struct.pack(">II", 0, 0),
        b"curv" + struct.pack(">IIH", 0, 1, 563),
        b"para" + struct.pack(">IHHi", 0, 0, 0, int(2.2 * 65536)),
    ],
)
def test_another_curve_is_not_srgb(curve: bytes) -> None:
    name, name_of = b"rTRC", profile("srgb")
    entry = name_of.index(name)
    offset = struct.unpack_from(">I", name_of, entry + 4)[0]
    assert is_srgb(name_of)
    assert not is_srgb(name_of[:offset] + curve + name_of[offset + len(curve) :])


def test_a_profile_of_another_kind_of_image_is_ignored() -> None:
    lying = saved(photo(), "PNG", icc_profile=profile("cmyk"))
    assert apart(seen(made(lying, width=320).body), np.asarray(photo())) == 0
    assert apart(seen(made(saved(photo(), "PNG", icc_profile=b"\0" * 200)).body), np.asarray(photo())) == 0


def test_lab_becomes_srgb() -> None:
    image = pyvips.Image.new_from_array(np.asarray(photo())).copy(interpretation="srgb").colourspace("lab")
    assert colour_error(seen(made(image.tiffsave_buffer()).body), np.asarray(photo())) < 1


LAB_LAYOUTS: dict[str, dict[str, object]] = {
    "strips": {},
    "big endian": {"byteorder": ">"},
    "BigTIFF": {"bigtiff": True},
    "tiles": {"tile": (64, 64), "compression": "zlib"},
    "planes": {"planarconfig": "separate"},
}


@pytest.mark.parametrize("layout", LAB_LAYOUTS)
@pytest.mark.parametrize("with_alpha", [False, True])
def test_bytes_of_lab_become_srgb_whoever_wrote_them(layout: str, *, with_alpha: bool) -> None:
    """Two other writers: Little CMS converts the photograph, tifffile stores it. libvips reads Lab of 16 bits only."""
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    converted = ImageCms.applyTransform(photo(), to_lab)
    pixels = np.asarray(converted)
    if with_alpha:
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    if layout == "planes":
        pixels = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
    further = {"extrasamples": ["unassalpha"]} if with_alpha else {}
    stored = BytesIO()
    tifffile.imwrite(stored, pixels, photometric="cielab", **further, **LAB_LAYOUTS[layout])  # type: ignore[arg-type]
    assert colour_error(seen(made(stored.getvalue()).body), np.asarray(photo())) < 2


def ramp(width: int = 1024) -> pyvips.Image:
    """A 16-bit grey ramp over a tenth of the range: 8 bits hold 26 levels of it."""
    row = np.linspace(20_000, 26_500, width).astype(np.uint16)
    return pyvips.Image.new_from_array(np.tile(row, (16, 1))[..., None]).copy(interpretation="grey16")


def test_sixteen_bits_do_not_band() -> None:
    """A stretched ramp has all its levels only if the stretch had 16 bits to work on."""
    found = seen(made(ramp().pngsave_buffer(), contrast=100, brightness=40).body)[8, :, 0].astype(int)
    assert len(np.unique(found)) > 70
    assert np.diff(found).max() <= 1
    assert np.diff(found).min() >= 0


def test_sixteen_bits_are_rounded_not_cut() -> None:
    found = seen(made(ramp().pngsave_buffer()).body)[8, :, 0]
    wanted = np.linspace(20_000, 26_500, 1024) / 257
    assert np.abs(found - wanted).max() <= 0.51
    assert abs((found - wanted).mean()) < 0.02


def test_sixteen_bit_colour_and_grey_keep_their_lightness() -> None:
    assert apart(seen(made(sixteen_bit()).body), np.asarray(photo())) < 0.5
    assert opened(made(sixteen_bit(1)).body).mode == "L"


@pytest.mark.parametrize("light", [0.05, 0.2, 0.45])
def test_hdr_by_code_points_keeps_what_is_below_the_knee(light: float) -> None:
    """PQ and HLG images of BT.2020 grey: ordinary light maps to the same sRGB values."""
    wanted = 1.055 * light ** (1 / 2.4) - 0.055
    assert through(Cicp(9, 16), pq(light * 203)) == pytest.approx([wanted * 255] * 3, abs=1)


def test_hdr_highlights_approach_white() -> None:
    found = [through(Cicp(9, 16), pq(nits))[0] for nits in (100, 203, 400, 1000)]
    assert found == sorted(set(found))
    assert 225 < found[1] < 240
    assert found[-1] <= 255
    assert through(Cicp(9, 18), 1.0)[1] > 250
    assert through(Cicp(9, 18), 0.0) == [0, 0, 0]


def test_code_points_of_display_p3_equal_its_profile() -> None:
    image = pyvips.Image.new_from_array(np.asarray(photo())).copy(interpretation="srgb")
    by_points = to_eight_bits(cicp_to_srgb(image, Cicp(12, 13))).numpy()
    by_profile = image.icc_transform("srgb", input_profile="p3", intent="relative").numpy()
    assert apart(by_points, by_profile) < 0.5


def pq(nits: float) -> float:
    """The PQ value of a luminance (SMPTE ST 2084)."""
    y = (nits / 10_000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375)


def through(cicp: Cicp, value: float) -> list[float]:
    pixel = (pyvips.Image.black(1, 1, bands=3) + value * 65_535).rint().cast("ushort").copy(interpretation="rgb16")
    found: list[float] = to_eight_bits(cicp_to_srgb(pixel, cicp)).getpoint(0, 0)
    return found


def test_ready_images_are_not_touched() -> None:
    image = pyvips.Image.new_from_array(np.asarray(photo())).copy(interpretation="srgb")
    assert to_srgb(image) is image


CMYK, NO_PROFILE = "Channel_digital_image_CMYK_color.jpg", "Channel_digital_image_CMYK_color_no_profile.jpg"


def test_corpus_colours(corpus: Path) -> None:
    """Pure colours and pairs that must agree, from files of third-party cameras and programs."""
    red = seen(made((corpus / "p3.png").read_bytes()).body)[4, 4]
    assert red.tolist() == [255, 0, 0]
    print_red = seen(made((corpus / "fogra-0-100-100-0.tif").read_bytes(), width=10).body)[5, 5].astype(int)
    assert np.abs(print_red - (227, 6, 19)).max() <= 4, "FOGRA39's red in sRGB"
    reference = seen(made((corpus / "sample.tif").read_bytes()).body)
    assert colour_error(seen(made((corpus / "sample-xyb.jpg").read_bytes()).body), reference) < 4
    with_profile, without = (seen(made((corpus / name).read_bytes()).body) for name in (CMYK, NO_PROFILE))
    assert colour_error(with_profile, without) < 6

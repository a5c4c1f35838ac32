"""Every file of the corpus renders correctly or is refused with the expected error."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pi_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from darkroom.errors import DarkroomError
from darkroom.imaging.render.output import RenderedImage
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from tests.corpus import CORPUS, EXPECTED, REFUSED, files
from tests.images.rendering import durations_ms, frames, opened

pytestmark = pytest.mark.usefixtures("corpus")

UNKNOWN_TO_PILLOW = {
    "cielab-dagams.tiff": "16-bit Lab",
    "sample.tif": "16-bit RGB",
    "logo.svg": "SVG",
    "16-bit-grey-alpha.png": "16-bit grey with alpha loses its alpha",
    "Channel_digital_image_CMYK_color_no_profile.jpg": "CMYK without a profile is naive there",
    "gamma_dalai_lama_gray.jpg": "no resize, nothing to compare but an encoder at its worst",
}
"""Exceptions to the reference of Pillow with LittleCMS."""

MOST_DIFFERENT = 2.0
"""Mean difference of a channel, of 255: another resize and other rounding make 0–1, a wrong profile 5 and more."""

SHOWN = [name for name in EXPECTED if name not in REFUSED]
LANDSCAPES = [f"landscape_{turn}.jpg" for turn in range(1, 9)]


@cache
def render_file(name: str, width: int = 320, form: str = "webp") -> RenderedImage:
    return render(
        Plan(name, width=width, format=form), Source.from_bytes((CORPUS / name).read_bytes()), limits=Limits()
    )


def white(image: Image.Image) -> NDArray[np.float64]:
    """RGB on white, as numbers."""
    rich = image.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", rich.size, "white"), rich)
    return np.asarray(flat.convert("RGB"), dtype=np.float64)


def by_pillow(name: str, size: tuple[int, int]) -> Image.Image:
    """The same by Pillow and LittleCMS: upright, in sRGB, at ``size``."""
    if name.endswith((".heic", ".heif")):
        image = pi_heif.open_heif(CORPUS / name)[0].to_pillow()
    else:
        image = Image.open(CORPUS / name)
        # HEIF and AVIF rotate by `irot`; EXIF orientation is ignored.
        image = image if name.endswith(".avif") else ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    if image.mode in ("P", "LA", "PA", "1"):
        image = image.convert("RGBA")
    weighted = image.convert("RGBa") if image.mode == "RGBA" else image
    image = weighted.resize(size, Image.Resampling.LANCZOS).convert(image.mode)
    if not profile or image.mode == "L":
        return image
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    turned = ImageCms.profileToProfile(image, source, target, intent, mode, flags=flags)
    assert turned is not None
    return turned


def test_of_every_file_it_is_known_what_to_expect() -> None:
    assert len(SHOWN) > 50
    assert sorted(EXPECTED) == files()


@pytest.mark.parametrize("name", REFUSED)
def test_the_right_refusal(name: str) -> None:
    with pytest.raises(DarkroomError) as caught:
        render_file(name)
    assert caught.value.code == REFUSED[name]
    assert not caught.value.retryable
    assert "vips" not in caught.value.message.lower()


@pytest.mark.sample(10)
@pytest.mark.parametrize("name", SHOWN)
def test_a_correct_image(name: str) -> None:
    found = render_file(name)
    image = opened(render_file(name, form="png").body)
    assert found.content_type == "image/webp"
    assert opened(found.body).size == image.size == (found.width, found.height)
    assert found.width <= 320
    if name not in UNKNOWN_TO_PILLOW:
        wanted = white(by_pillow(name, image.size))
        assert np.abs(white(image) - wanted).mean() < MOST_DIFFERENT


@pytest.mark.parametrize(
    ("name", "place", "colour"),
    [
        ("fogra-0-100-100-0.tif", (0.5, 0.5), (226, 6, 19)),
        ("p3.png", (0.5, 0.5), (255, 0, 0)),
        ("full-transparent.png", (0.5, 0.5), (255, 255, 255)),
        ("cielab-dagams.tiff", (0.1, 0.1), (139, 155, 108)),
        ("logo.svg", (0.02, 0.02), (255, 255, 255)),
    ],
)
def test_colours_that_are_known(name: str, place: tuple[float, float], colour: tuple[int, int, int]) -> None:
    pixels = white(opened(render_file(name).body))
    x, y = (min(int(part * side), side - 1) for part, side in zip(place, pixels.shape[1::-1], strict=True))
    around = pixels[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].reshape(-1, 3).mean(axis=0)
    assert around == pytest.approx(colour, abs=25)


def test_eight_orientations_are_visually_equal() -> None:
    shown = [white(opened(render_file(name).body)) for name in LANDSCAPES]
    assert {pixels.shape for pixels in shown} == {(240, 320, 3)}
    assert max(np.abs(pixels - shown[0]).mean() for pixels in shown) < 7
    assert np.abs(shown[0][:, ::-1] - shown[0]).mean() > 20, "a mirrored one would not show"


def test_cmyk_without_a_profile_is_close_to_cmyk_with_one() -> None:
    names = ("Channel_digital_image_CMYK_color.jpg", "Channel_digital_image_CMYK_color_no_profile.jpg")
    known, guessed = (white(opened(render_file(name, form="png").body)) for name in names)
    assert np.abs(known - guessed).mean() < 11, "naive arithmetic makes 12.3"


@pytest.mark.parametrize("name", ["cogs.gif", "dispose-previous.gif", "rotating-squares.gif", "animated-loop-3.webp"])
def test_animations_show_the_same_frames(name: str) -> None:
    body = render_file(name).body
    found, ends_ms = frames(body), np.cumsum(durations_ms(body))
    with Image.open(CORPUS / name) as source:
        start_ms = 0
        for index in range(source.n_frames):
            source.seek(index)
            source.load()
            shown = found[int(np.searchsorted(ends_ms, start_ms, side="right"))]
            wanted = source.convert("RGBA").resize(shown.shape[1::-1], Image.Resampling.LANCZOS)
            assert np.abs(white(Image.fromarray(shown)) - white(wanted)).mean() < 7
            start_ms += source.info["duration"] or 100  # the default of browsers for frames without a duration
    assert ends_ms[-1] == start_ms

"""Reviewed reference images, fetched through real URLs and compared by perceptual difference, not byte by byte.

``DARKROOM_GOLDENS=write`` writes them again: review each before you commit it.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.images.photographs import photograph, turned
from tests.images.rendering import alike, apart, seen

from .viewer import Viewer

pytestmark = pytest.mark.smoke

GOLDENS = Path(__file__).parent / "goldens"
LEAST_SSIM = 0.97
MOST_LEVELS = 2.5
"""Room for another version of an encoder, none for another place, colour or effect: see the last test here."""

URLS = {
    "contain": "w=160&f=webp",
    "best": "w=160",
    "avif": "w=160&f=avif",
    "jpeg": "w=160&f=jpeg",
    "cover-north": "w=160&h=90&fit=cover&g=north&f=webp",
    "cover-attention": "w=90&h=160&fit=cover&g=attention&f=webp",
    "cover-focal": "w=100&h=100&fit=cover&g=fp:0.8:0.2&f=webp",
    "fill": "w=160&h=80&fit=fill&f=webp",
    "letterbox": "w=160&h=120&fit=letterbox&bg=ff8800&f=webp",
    "crop-turned": "crop=pct:25,0,50,50&w=160&rot=90&f=webp",
    "mirrored": "w=160&flip=h&f=webp",
    "upside-down": "w=160&flip=v&f=webp",
    "corners": "w=160&radius=40&pad=8&f=png",
    "gray": "w=160&gray=1&con=20&f=webp",
    "warm": "w=160&sat=40&bri=10&gam=1.2&f=webp",
    "blur": "w=160&blur=4&f=webp",
    "sharp": "w=160&sharp=2&f=webp",
    "denoise": "w=160&denoise=6&f=webp",
    "equalise": "w=160&equalise=1&f=webp",
    "watermark": "w=160&wm=logo,northwest,80,40&f=webp",
}


@pytest.fixture(scope="module")
def key(viewer: Viewer) -> str:
    """A photograph with an EXIF orientation."""
    return viewer.upload(turned(photograph(), orientation=6), "turned.jpg")


def fetched(viewer: Viewer, key: str, query: str) -> bytes:
    answer = viewer.get(viewer.signed(f"{key}?{query}"), accept="image/avif,image/webp,*/*")
    assert answer.status == 200, answer.body[:300]
    return answer.body


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", URLS)
def test_it_matches_its_golden_image(viewer: Viewer, key: str, name: str) -> None:
    image = seen(fetched(viewer, key, URLS[name]))
    golden = GOLDENS / f"{name}.png"
    if os.environ.get("DARKROOM_GOLDENS") == "write":
        GOLDENS.mkdir(exist_ok=True)
        Image.fromarray(image).save(golden, optimize=True)
    looked = seen(golden.read_bytes())
    assert alike(image, looked) >= LEAST_SSIM
    assert apart(image, looked) <= MOST_LEVELS


def test_no_golden_without_a_url() -> None:
    assert {path.stem for path in GOLDENS.glob("*.png")} == URLS.keys()


def test_goldens_would_notice() -> None:
    """No golden passes for another of its size, but for those that are meant to be alike."""
    same = {"contain", "best", "avif", "jpeg", "denoise", "sharp"}
    images = {name: seen((GOLDENS / f"{name}.png").read_bytes()) for name in URLS}
    for one, other in ((a, b) for a in URLS for b in URLS if a < b and not {a, b} <= same):
        if images[one].shape == images[other].shape:
            close = alike(images[one], images[other]) >= LEAST_SSIM
            assert not (close and apart(images[one], images[other]) <= MOST_LEVELS), (one, other)


def test_the_formats_agree(viewer: Viewer, key: str) -> None:
    reference = seen(fetched(viewer, key, "w=160&f=png"))
    for form in ("webp", "avif", "jpeg"):
        image = fetched(viewer, key, f"w=160&f={form}&q=90")
        assert Image.open(io.BytesIO(image)).format == form.upper()
        assert alike(seen(image), reference) > 0.93, form

"""Masters: clean, upright, and visually equal to the upload."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DamagedSource, DarkroomError, OverLimits
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging import master as making
from darkroom_pipeline.imaging.master import make_master
from tests.images.drawn import HEIC, corners
from tests.images.exiftool import needs_exiftool, private_parts
from tests.images.masters import header, loaded, look_alike, mastered
from tests.images.planted import in_jpeg, in_png, in_tiff, in_webp, planted
from tests.images.rendering import frames, made, opened, seen
from tests.images.sources import cutout, photo, saved, sources

from .test_gainmap import ultra_hdr

pytestmark = pytest.mark.never_skips

HOW = {
    "jpeg": ("cleaned", "image/jpeg"),
    "jpeg progressive": ("cleaned", "image/jpeg"),
    "jpeg grey": ("cleaned", "image/jpeg"),
    "jpeg cmyk": ("encoded", "image/jpeg"),
    "jpeg profile": ("cleaned", "image/jpeg"),
    "png profile": ("cleaned", "image/png"),
    "webp profile": ("cleaned", "image/webp"),
    "avif profile": ("cleaned", "image/avif"),
    "tiff profile": ("pyramid", "image/tiff"),
    "png": ("cleaned", "image/png"),
    "png alpha": ("cleaned", "image/png"),
    "png palette": ("cleaned", "image/png"),
    "webp": ("cleaned", "image/webp"),
    "webp alpha": ("cleaned", "image/webp"),
    "webp animated": ("cleaned", "image/webp"),
    "gif": ("cleaned", "image/gif"),
    "gif animated": ("cleaned", "image/gif"),
    "avif": ("cleaned", "image/avif"),
    "avif alpha": ("cleaned", "image/avif"),
    "avif of pillow": ("cleaned", "image/avif"),
    "heic": ("encoded", "image/jpeg"),
    "tiff": ("pyramid", "image/tiff"),
    "tiff alpha": ("pyramid", "image/tiff"),
    "tiff of three pages": ("pyramid", "image/tiff"),
    "svg": ("sanitised", "image/svg+xml"),
}


@pytest.mark.parametrize("name", planted())
def test_how_it_is_made_and_what_type_it_has(name: str) -> None:
    master = mastered(planted()[name])
    assert (master.method, master.content_type) == HOW[name]


@pytest.mark.parametrize("name", planted())
def test_nothing_private_is_left(name: str) -> None:
    assert b"secret" in planted()[name] or "pages" in name
    assert b"secret" not in mastered(planted()[name]).body


@pytest.mark.sample(15)
@pytest.mark.parametrize("name", planted())
def test_it_renders_like_the_upload(name: str) -> None:
    upload, master = planted()[name], mastered(planted()[name]).body
    look_alike(upload, master)
    look_alike(upload, master, width=64, height=64, fit="cover", format="webp", quality=90)


@pytest.mark.parametrize("name", [name for name, (how, _) in HOW.items() if how == "cleaned"])
def test_cleaned_pixels_are_the_same_to_libvips_and_pillow(name: str) -> None:
    upload, master = planted()[name], mastered(planted()[name]).body
    assert loaded(upload) == loaded(master)
    assert all(np.array_equal(*pair) for pair in zip(frames(upload), frames(master), strict=True))
    assert header(upload) == header(master)


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", planted())
def test_a_master_of_a_master_is_that_master(name: str) -> None:
    master = mastered(planted()[name])
    again = mastered(master.body)
    if master.method in ("cleaned", "encoded", "sanitised"):
        assert again.body == master.body
    look_alike(master.body, again.body)


TIFF_STRUCTURE = frozenset(
    """
    SubfileType ImageWidth ImageHeight BitsPerSample Compression PhotometricInterpretation Orientation SamplesPerPixel
    XResolution YResolution PlanarConfiguration ResolutionUnit TileWidth TileLength TileOffsets TileByteCounts
    SampleFormat JPEGTables Predictor ExtraSamples
    """.split()  # noqa: SIM905 - a list of forty lines
)
"""Properties of a tiled TIFF, which ExifTool lists beside its texts."""


def unstructured(name: str, tags: list[str]) -> list[str]:
    """The tags that neither make a TIFF nor turn an image."""
    structure = TIFF_STRUCTURE if name.endswith(".tiff") else {"Orientation"}
    return [tag for tag in tags if tag.partition(":")[2] not in structure]


@pytest.mark.slow
@needs_exiftool
def test_exiftool_finds_nothing_private(tmp_path: Path) -> None:
    dirty, clean = tmp_path / "dirty", tmp_path / "clean"
    dirty.mkdir()
    clean.mkdir()
    for name, data in planted().items():
        master = mastered(data)
        (dirty / f"{name}.{header(data).format}").write_bytes(data)
        (clean / f"{name}.{master.content_type.partition('/')[2].partition('+')[0]}").write_bytes(master.body)
    found = private_parts(*clean.iterdir())
    assert len(found) == len(planted())
    assert not {name: left for name, tags in found.items() if (left := unstructured(name, tags))}
    before = private_parts(*dirty.iterdir())
    unplanted = {name for name, tags in before.items() if not any("GPS" in tag for tag in tags)}
    assert unplanted == {"tiff of three pages.tiff"}


def turned(form: str, orientation: int) -> bytes:
    """The corners, stored such that ``orientation`` turns them upright."""
    back = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    upright = Image.fromarray(corners())
    stored = upright if back is None else upright.transpose(Image.Transpose(back))
    writers = {
        "jpeg": lambda: in_jpeg(saved(stored, "JPEG", quality=95), orientation),
        "jpeg cmyk": lambda: in_jpeg(saved(stored.convert("CMYK"), "JPEG", quality=95), orientation),
        "png": lambda: in_png(stored, orientation),
        "webp": lambda: in_webp(stored, orientation, lossless=True),
        "tiff": lambda: in_tiff(stored, orientation),
        "tiff alpha": lambda: in_tiff(stored.convert("RGBA"), orientation),
    }
    return writers[form]()


@pytest.mark.sample(5)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["jpeg", "jpeg cmyk", "png", "webp", "tiff", "tiff alpha"])
def test_upright_whatever_the_orientation(form: str, orientation: int) -> None:
    upload = turned(form, orientation)
    master = mastered(upload).body
    assert header(upload).orientation == orientation
    shown = seen(made(master).body)
    assert shown.shape == (64, 96, 3)
    quarters = [shown[16, 24], shown[16, 72], shown[48, 24], shown[48, 72]]
    wanted = [seen(made(turned(form, 1)).body)[place] for place in ((16, 24), (16, 72), (48, 24), (48, 72))]
    assert np.abs(np.array(quarters, int) - np.array(wanted, int)).max() <= 4
    if form == "jpeg cmyk":
        assert header(master).orientation == 1


@pytest.mark.parametrize("name", ["corners-turned-5", "corners-turned-6"])
def test_a_heic_is_turned_once(name: str) -> None:
    upload = (HEIC / f"{name}.heic").read_bytes()
    master = mastered(upload)
    assert header(master.body).orientation == 1
    assert opened(master.body).size == (header(upload).upright_width, header(upload).upright_height)
    look_alike(upload, master.body)


def test_jpegs_are_encoded_with_full_chroma_and_not_progressive() -> None:
    master = mastered(planted()["jpeg cmyk"]).body
    image = opened(master)
    assert image.mode == "RGB"
    assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
    assert "progressive" not in image.info


def test_transparency_of_a_heic_stays() -> None:
    upload = (HEIC / "half-transparent.heic").read_bytes()
    master = mastered(upload)
    assert master.content_type == "image/png"
    assert opened(master.body).mode == "RGBA"
    look_alike(upload, master.body)


def test_ten_bits_become_eight() -> None:
    upload = (HEIC / "ramp-10-bit.heic").read_bytes()
    master = mastered(upload).body
    assert header(master).bits == 8
    wanted, found = (seen(made(body).body)[32, :, 0].astype(int) for body in (upload, master))
    assert np.unique(wanted).size > 25
    assert np.abs(found - wanted).max() <= 1


def test_the_gain_map_stays() -> None:
    upload = ultra_hdr()
    assert header(upload).gain_map
    master = mastered(upload)
    assert master.method == "cleaned"
    assert header(master.body).gain_map


def test_animations_play_as_before() -> None:
    for name in ("webp animated", "gif animated"):
        with (
            Image.open(io.BytesIO(planted()[name])) as before,
            Image.open(io.BytesIO(mastered(planted()[name]).body)) as after,
        ):
            assert after.n_frames == before.n_frames > 1
            assert after.info.get("loop") == before.info.get("loop")


@pytest.mark.parametrize("name", [name for name in sources() if name != "svg"])
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_a_cut_off_upload_is_damaged(name: str, share: float) -> None:
    """The header may be complete: stripping finds missing parts, and re-encoding finds the damage."""
    whole = sources()[name]
    cut = whole[: int(len(whole) * share)]
    with pytest.raises(DamagedSource):
        make_master(cut, header(whole), limits=Limits())


def test_damage_in_a_tile_of_any_page_is_damage() -> None:
    upload = bytearray(planted()["tiff of three pages"])
    alpha = saved(cutout(), "TIFF", compression="tiff_lzw")
    assert mastered(alpha).method == "pyramid"
    with pytest.raises(DamagedSource):
        make_master(alpha[:-2000], header(alpha), limits=Limits())
    with pytest.raises(DarkroomError):
        make_master(bytes(upload[: len(upload) // 2]), header(bytes(upload)), limits=Limits())


def test_what_draws_too_long_is_over_limits() -> None:
    blurs = b"<filter id='f'>" + b"<feGaussianBlur stdDeviation='99'/>" * 200 + b"</filter>"
    body = blurs + b"<g filter='url(#f)'><rect/></g>" * 500
    with pytest.raises(OverLimits):
        mastered(b"<svg xmlns='http://www.w3.org/2000/svg' width='4000' height='4000'>" + body + b"</svg>")


def test_a_master_that_is_not_the_image_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    small = saved(photo().resize((9, 9)), "TIFF")
    other = make_master(small, header(small), limits=Limits())
    monkeypatch.setattr(making, "_build_pyramid", lambda *_: other)
    with pytest.raises(DarkroomError) as caught:
        mastered(planted()["tiff"])
    assert caught.value.status == 500

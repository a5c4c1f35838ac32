"""Containers of AVIF and HEIC that other encoders write, and that browsers show."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

from darkroom.errors import DamagedSource
from darkroom.imaging.formats.bmff.container import Box, parse_meta
from darkroom.imaging.formats.load import load_whole
from darkroom.imaging.formats.probe import find_patches, probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.master import make_master
from tests.images.drawn import HEIC, avif
from tests.images.heif_files import IDAT, Part, heif, parts_of
from tests.images.sources import cutout, saved


def pixels(data: bytes) -> np.ndarray:
    source = Source.from_bytes(data)
    with source.decoding():
        return np.asarray(load_whole(source, probe(source, Limits()), Limits()).frames[0].numpy())


def transparent() -> bytes:
    return saved(cutout(), "AVIF", quality=80)


def without(part: Part, kind: bytes) -> Part:
    return replace(part, properties=tuple(found for found in part.properties if found.kind != kind))


def alpha_without_size() -> bytes:
    first, alpha = parts_of(transparent())
    assert any(found.kind == b"auxC" for found in alpha.properties)
    return heif([first, without(alpha, b"ispe")])


def endless_meta(parts: list[Part]) -> bytes:
    """All data is in `meta`, which is the last box and reaches to the end of the file."""
    whole = heif([replace(part, place=IDAT) for part in parts])
    start = whole.index(b"meta") - 4
    end = start + int.from_bytes(whole[start : start + 4])
    return whole[:start] + bytes(4) + whole[start + 4 : end]


CASES: dict[str, Callable[[], bytes]] = {
    "alpha without ispe": alpha_without_size,
    "an ipma for each item": lambda: heif(parts_of(transparent()), separate=True),
    "meta of size 0": lambda: endless_meta(parts_of(transparent())),
}


@pytest.mark.parametrize("name", CASES)
def test_transparent_images_of_other_encoders_are_served(name: str) -> None:
    data = CASES[name]()
    header = probe(Source.from_bytes(data), Limits())
    assert header.has_alpha
    assert np.array_equal(pixels(data), pixels(transparent()))
    master = make_master(data, header, limits=Limits())
    assert master.method == "cleaned"
    assert np.array_equal(pixels(master.body), pixels(data))
    with Image.open(io.BytesIO(master.body)) as shown:  # by libavif, which requires every size
        assert shown.convert("RGBA").getchannel("A").getextrema()[0] < 255


@pytest.mark.parametrize(
    "turns", [[Box(b"irot", b"\1")], [Box(b"imir", b"\1")], [Box(b"irot", b"\3"), Box(b"imir", b"\0")]]
)
def test_an_alpha_is_turned_as_its_image(turns: list[Box]) -> None:
    """Older encoders write the turns of the image alone, which libavif takes for both."""
    first, alpha = parts_of(transparent())
    turned = replace(first, properties=(*first.properties, *turns))
    wanted = heif([turned, replace(alpha, properties=(*alpha.properties, *turns))])
    data = heif([turned, alpha])
    assert np.array_equal(pixels(data), pixels(wanted))
    master = make_master(data, probe(Source.from_bytes(data), Limits()), limits=Limits())
    assert np.array_equal(pixels(master.body), pixels(wanted))
    with Image.open(io.BytesIO(data)) as shown:
        alpha_by_libavif = np.asarray(ImageOps.exif_transpose(shown).getchannel("A")).astype(int)
    assert np.abs(alpha_by_libavif - pixels(data)[..., 3]).mean() < 1


def test_an_alpha_larger_than_its_image_is_refused() -> None:
    """It takes the declared size of its image, which its bitstream must not exceed."""
    first, alpha = parts_of(transparent())
    big, *_ = parts_of(avif(1024, 1024))
    declared = tuple(found for found in big.properties if found.kind == b"av1C")
    aux = tuple(found for found in alpha.properties if found.kind == b"auxC")
    file = heif([first, replace(alpha, body=big.body, properties=(*declared, *aux))])
    with pytest.raises(DamagedSource) as caught:
        probe(Source.from_bytes(file), Limits())
    assert "1024 × 1024" in caught.value.detail


def test_data_in_meta_does_not_count_as_its_size() -> None:
    parts = [*parts_of(avif(64, 64)), Part(b"mime", bytes(5_000_000))]
    data = heif([replace(part, place=IDAT) for part in parts])
    assert probe(Source.from_bytes(data), Limits()).width == 64


def test_metadata_of_an_endless_meta_are_hidden_from_the_decoder() -> None:
    exif = Part(b"Exif", bytes(4) + b"II*\0", references=((b"cdsc", (1,)),))
    data = endless_meta([*parts_of(avif(64, 64)), exif])
    patches = find_patches(Source.from_bytes(data), "avif")
    assert len(patches) == sum(item.kind == b"Exif" for item in parse_meta(data).items.values())
    assert all(data[patch.at : patch.at + 4] == b"Exif" for patch in patches)


def grey(value_range: str, **options: object) -> bytes:
    """A ramp without chroma, by libavif."""
    ramp = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (64, 1)))
    return saved(ramp, "AVIF", quality=100, subsampling="4:0:0", range=value_range, **options)


@pytest.mark.parametrize("value_range", ["full", "limited"])
@pytest.mark.parametrize("named", [True, False])
def test_a_grey_image_has_its_whole_range(value_range: str, named: bool) -> None:
    """By `nclx`, or by the bitstream where that is missing. libavif, which browsers have, is the reference."""
    first, *_ = parts_of(grey(value_range))
    assert any(found.kind == b"colr" for found in first.properties)
    data = heif([first if named else without(first, b"colr")])
    assert probe(Source.from_bytes(data), Limits()).colour == "gray"
    with Image.open(io.BytesIO(data)) as shown:
        wanted = np.asarray(shown.convert("RGB"))[..., 0].astype(int)
    assert (wanted[0, 0], wanted[0, 255]) == (0, 255)
    assert np.abs(pixels(data)[..., 0].astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("value_range", ["full", "limited"])
def test_an_alpha_has_its_whole_range(value_range: str) -> None:
    """As cavif writes it."""
    first, *_ = parts_of(grey("full"))
    alpha, *_ = parts_of(grey(value_range))
    kind = Box(b"auxC", bytes(4) + b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
    described = (*without(alpha, b"colr").properties, kind)
    data = heif([first, replace(alpha, properties=described, references=((b"auxl", (1,)),))])
    shown = pixels(data)[0, :, -1]
    assert (shown[0], shown[255]) == (0, 255)
    assert np.abs(shown.astype(int) - np.arange(256)).max() <= 1


def thumbnails(first: Part) -> dict[str, Part]:
    thumbnail = replace(first, references=((b"thmb", (1,)),))
    size = next(found for found in thumbnail.properties if found.kind == b"ispe")
    huge = Box(b"ispe", bytes(4) + (4000).to_bytes(4) * 2)
    return {
        "JPEG": Part(b"jpeg", saved(cutout().convert("RGB"), "JPEG"), (size,), thumbnail.references),
        "larger": replace(without(thumbnail, b"ispe"), properties=(huge, *without(thumbnail, b"ispe").properties)),
        "broken": replace(thumbnail, body=b"x"),
    }


@pytest.mark.parametrize("name", ["JPEG", "larger", "broken"])
@pytest.mark.parametrize("form", ["avif", "heic"])
def test_thumbnails_do_not_decide_about_their_image(form: str, name: str) -> None:
    """No decoder reads them: cameras store JPEGs, and editors leave stale ones behind."""
    image = avif(64, 64) if form == "avif" else (HEIC / "corners-turned-6.heic").read_bytes()
    first, *_ = parts_of(image)
    data = heif([first, thumbnails(first)[name]], brand=form.encode())
    assert np.array_equal(pixels(data), pixels(image))

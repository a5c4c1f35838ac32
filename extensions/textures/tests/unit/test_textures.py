"""URLs of textures, and the container KTX2."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfront_local.patterns import is_invalidated, matches
from darkroom.errors import BadKey, BadOption, DarkroomError, DuplicateOption, UnknownOption
from darkroom.image_keys import derivatives_prefix
from darkroom.plan.canonical import derivative_name
from darkroom.plan.presets import load_default_presets
from darkroom_pipeline.services.purge.consumer import cdn_paths
from textures.container import (
    LINEAR,
    NO_SUPERCOMPRESSION,
    SRGB,
    ZSTANDARD,
    Level,
    Texture,
    count_levels,
    parse_texture,
    set_colour,
    write_texture,
)
from textures.request import (
    Codec,
    Space,
    TextureOptions,
    TextureRequest,
    align_side,
    parse_request,
    texture_path,
)

PRESET = next(iter(load_default_presets().build_plans("a.jpg")))


def parse(query: str, path: str = "/a.jpg/_/texture") -> TextureRequest:
    return parse_request(path, query, load_default_presets())


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("f=ktx2&w=512", "/a.jpg/_/w-512.etc1s.ktx2"),
        ("w=512&f=ktx2&codec=etc1s&space=srgb", "/a.jpg/_/w-512.etc1s.ktx2"),
        ("format=ktx2&width=515", "/a.jpg/_/w-512.etc1s.ktx2"),
        ("f=ktx2&w=512&codec=uastc", "/a.jpg/_/w-512.uastc.ktx2"),
        ("f=ktx2&w=512&space=linear", "/a.jpg/_/w-512.etc1s-linear.ktx2"),
        ("f=ktx2&h=257&w=513&fit=cover&codec=uastc&space=linear", "/a.jpg/_/fit-cover_h-256_w-512.uastc-linear.ktx2"),
        ("f=ktx2&w=256&dpr=2", "/a.jpg/_/w-512.etc1s.ktx2"),
        ("f=ktx2&w=512&q=80", "/a.jpg/_/w-512.etc1s.ktx2"),
        ("f=ktx2&w=4", "/a.jpg/_/w-4.etc1s.ktx2"),
    ],
)
def test_requests_with_one_meaning_have_one_path(query: str, path: str) -> None:
    assert parse(query).path == path


@pytest.mark.parametrize("options", [TextureOptions(codec, space) for codec in Codec for space in Space])
def test_the_format_names_the_options(options: TextureOptions) -> None:
    assert TextureOptions.of_format(options.format) == options


@pytest.mark.parametrize(
    ("query", "error", "option"),
    [
        ("w=512", BadOption, "f"),
        ("f=png&w=512", BadOption, "f"),
        ("f=ktx2", BadOption, "w"),
        ("f=ktx2&w=512&codec=astc", BadOption, "codec"),
        ("f=ktx2&w=512&space=p3", BadOption, "space"),
        ("f=ktx2&f=ktx2&w=512", DuplicateOption, "f"),
        ("f=ktx2&w=512&codec=etc1s&codec=uastc", DuplicateOption, "codec"),
        ("f=ktx2&w=3", BadOption, "w"),
        ("f=ktx2&w=2049", BadOption, "w"),
        ("f=ktx2&h=4096", BadOption, "h"),
        ("f=ktx2&w=512&mips=1", UnknownOption, "mips"),
        ("f=ktx2&w=x", BadOption, "w"),
    ],
)
def test_refusals_name_the_option(query: str, error: type[BadOption], option: str) -> None:
    with pytest.raises(error) as raised:
        parse(query)
    assert (raised.value.option, raised.value.status) == (option, 400)


@pytest.mark.parametrize(
    "path", ["/a.jpg", "/_/texture", "/a.jpg/_/textures", "/a/_/b/_/texture", "/caf%C3%A9.jpg/_/texture", "/", ""]
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(BadKey):
        parse("f=ktx2&w=512", path)


@pytest.mark.parametrize("key", ["a.jpg", "dir/café 1.jpg", "a.-b", "texture"])
def test_paths_name_their_keys(key: str) -> None:
    request = parse("f=ktx2&w=512", texture_path(key))
    assert request.plan.key == key
    assert request.url == f"{texture_path(key)}?f=ktx2&w=512"


@pytest.mark.parametrize("key", ["a.jpg", "dir/café 1.jpg"])
def test_the_cdn_leads_here_and_a_purge_of_the_key_covers_it(key: str) -> None:
    assert matches("*/_/texture", texture_path(key))
    assert not matches("*/_/texture", f"/{key}/_/w-512.etc1s.ktx2")
    cached = f"{texture_path(key)}?f=ktx2&w=512"
    assert any(is_invalidated(cached, path) for path in cdn_paths(key))
    assert derivative_name(parse("f=ktx2&w=512", texture_path(key)).plan).startswith(
        derivatives_prefix(key).removeprefix("derivatives/")
    )


def test_a_preset_alone_is_noticed() -> None:
    def alone(query: str) -> bool:
        return parse(f"f=ktx2&{query}").only_preset

    assert alone(f"preset={PRESET}")
    assert alone(f"preset={PRESET}&codec=uastc&space=linear&exp=1&s={'x' * 43}")
    assert not alone(f"preset={PRESET}&w=512")
    assert not alone("w=512")


@given(st.text(max_size=60))
def test_any_query_is_parsed_or_refused(query: str) -> None:
    try:
        request = parse(query)
    except DarkroomError as error:
        assert error.status == 400
    else:
        assert request.plan.width is not None or request.plan.height is not None


@given(st.integers(1, 100_000))
def test_sides_are_whole_blocks_and_never_larger(side: int) -> None:
    aligned = align_side(side)
    assert aligned % 4 == 0
    assert max(4, side - 3) <= aligned <= max(4, side)


DESCRIPTOR = struct.pack("<IIHHBBBB4B8B", 44, 0, 2, 40, 166, 1, 2, 0, 3, 3, 0, 0, *[0] * 8) + bytes(16)


def make(scheme: int = NO_SUPERCOMPRESSION, metadata: Mapping[str, bytes] | None = None) -> Texture:
    levels = tuple(Level(bytes([number]) * size, size) for number, size in enumerate((64, 16, 16, 16)))
    return Texture(0, 1, 8, 8, scheme, DESCRIPTOR, levels, metadata or {}, b"")


@pytest.mark.parametrize("scheme", [NO_SUPERCOMPRESSION, ZSTANDARD])
@pytest.mark.parametrize("global_data", [b"", b"tables"])
def test_a_container_is_read_as_it_was_written(scheme: int, global_data: bytes) -> None:
    written = make(scheme, {"KTXwriter": b"a\0", "KTXorientation": b"rd\0", "x": b""})
    texture = Texture(*(getattr(written, name) for name in Texture.__slots__[:-1]), global_data)  # type: ignore[misc]
    data = write_texture(texture)
    assert parse_texture(data) == texture
    assert list(parse_texture(data).metadata) == ["KTXorientation", "KTXwriter", "x"]
    assert write_texture(parse_texture(data)) == data


def test_levels_are_smallest_first_and_aligned_to_blocks() -> None:
    data = write_texture(make())
    places = [struct.unpack_from("<3Q", data, 80 + 24 * number) for number in range(4)]
    assert [offset % 16 for offset, _, _ in places] == [0] * 4
    assert [offset for offset, _, _ in places] == sorted((offset for offset, _, _ in places), reverse=True)
    assert places[0][0] + places[0][1] == len(data)


def test_colour_is_set_in_the_descriptor() -> None:
    texture = make()
    changed = set_colour(texture.descriptor, 1, LINEAR)
    assert (texture.transfer, changed[14], changed[13], len(changed)) == (SRGB, LINEAR, 1, len(texture.descriptor))


@pytest.mark.parametrize(("width", "height", "levels"), [(1, 1, 1), (4, 4, 3), (1024, 512, 11), (1020, 680, 10)])
def test_levels_end_at_one_pixel(width: int, height: int, levels: int) -> None:
    assert count_levels(width, height) == levels


@given(st.data())
def test_damaged_containers_raise_value_errors(data: st.DataObject) -> None:
    whole = bytearray(write_texture(make(metadata={"KTXorientation": b"rd\0"})))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        texture = parse_texture(cut)
    except ValueError:
        return
    assert sum(len(level.data) for level in texture.levels) <= len(cut) * len(texture.levels)

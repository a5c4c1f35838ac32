"""Paths and queries, and signatures that cover all tiles of a query."""

from __future__ import annotations

import pytest

from darkroom.errors import (
    BadKey,
    BadOption,
    BadSignature,
    DuplicateOption,
    Expired,
    SourceMissing,
    UnknownOption,
    Unsigned,
)
from map_tiles.grid import Tile
from map_tiles.requests import Style, TileJsonRequest, TileRequest, build_template, parse_request
from tests.fixed_keys import FixedKeys

from .world import KEY, NOW_S, sign

TEMPLATE = "/tiles/a/b.tif/{z}/{x}/{y}.png"


def parse(target: str) -> TileRequest | TileJsonRequest:
    path, _, query = target.partition("?")
    return parse_request(path, query, FixedKeys((KEY,)), NOW_S)


def fill(template: str, z: int = 3, x: int = 2, y: int = 1) -> str:
    return template.replace("{z}/{x}/{y}", f"{z}/{x}/{y}")


def test_a_tile_without_a_query_needs_no_signature() -> None:
    assert parse("/tiles/a/b.tif/3/2/1.webp") == TileRequest("a/b.tif", Tile(3, 2, 1), "webp", Style())
    assert parse("/tiles/a/b.tif/tilejson.json") == TileJsonRequest("a/b.tif", Style(), "")


def test_one_signature_covers_all_tiles_of_a_query() -> None:
    signed = sign(f"{TEMPLATE}?bands=4,3,2&rescale=-5,12.5&resampling=cubic&exp={NOW_S + 60}")
    expected = Style((4, 3, 2), ((-5.0, 12.5),), "cubic", NOW_S + 60)
    for x in range(3):
        assert parse(fill(signed, x=x)) == TileRequest("a/b.tif", Tile(3, x, 1), "png", expected)


@pytest.mark.parametrize(
    "change",
    [
        ("bands=1", "bands=2"),
        ("b.tif", "c.tif"),
        (".png", ".webp"),
        ("bands=1", "bands=1&resampling=cubic"),
        ("&s=", "&s=A"),
        ("bands=1&", "&bands=1&"),
    ],
)
def test_a_signature_covers_everything_but_the_tile(change: tuple[str, str]) -> None:
    signed = sign(f"{TEMPLATE}?bands=1")
    assert isinstance(parse(fill(signed)), TileRequest)
    with pytest.raises(BadSignature):
        parse(fill(signed).replace(*change))


def test_a_query_needs_a_signature_that_has_not_expired() -> None:
    with pytest.raises(Unsigned):
        parse(fill(f"{TEMPLATE}?bands=1"))
    with pytest.raises(Expired):
        parse(fill(sign(f"{TEMPLATE}?bands=1&exp={NOW_S}")))


def test_tilejson_signs_its_tiles() -> None:
    target = sign("/tiles/a/b.tif/tilejson.json?bands=1")
    request = parse(target)
    assert request == TileJsonRequest("a/b.tif", Style((1,)), "bands=1")
    template = build_template("a/b.tif", "png", "bands=1", FixedKeys((KEY,)))
    assert template == sign(f"{TEMPLATE}?bands=1")
    assert build_template("a/b.tif", "png", "", FixedKeys((KEY,))) == TEMPLATE


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("bands=0", BadOption),
        ("bands=1,2", BadOption),
        ("bands=1,2,3,4", BadOption),
        ("bands=%2", BadOption),
        ("rescale=1", BadOption),
        ("rescale=5,1", BadOption),
        ("rescale=nan,1", BadOption),
        ("rescale=1e308,2", BadOption),
        ("resampling=gauss", BadOption),
        ("exp=-1", BadOption),
        ("colormap=viridis", UnknownOption),
        ("url=https://example.com/x.tif", UnknownOption),
        ("bands=1&bands=2", DuplicateOption),
        ("bands=" + "1," * 400, BadOption),
    ],
)
def test_other_queries_are_refused(query: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse(fill(f"{TEMPLATE}?{query}"))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/tiles/",
        "/tiles/a.tif",
        "/tiles/a.tif/1/1/1.tif",
        "/tiles/a.tif/1/1/-1.png",
        "/tiles/a.tif/25/1/1.png",
        "/tiles/a.tif/01/1/1.png",
        "/tiles/a.tif/1/01/1.png",
        "/tiles/a.tif/1/1/00.png",
        "/tiles/a.tif/1/1/\u0661.png",
    ],
)
def test_other_paths_are_missing(path: str) -> None:
    with pytest.raises(SourceMissing):
        parse(path)


@pytest.mark.parametrize("key", ["../x.tif", "a//b.tif", "a%20b.tif", "ä.tif", "a/_/b.tif", "/vsicurl/x", "a,b"])
def test_other_keys_are_refused(key: str) -> None:
    with pytest.raises(BadKey):
        parse(f"/tiles/{key}/1/1/1.png")

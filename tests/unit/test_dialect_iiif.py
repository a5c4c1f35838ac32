"""IIIF URLs: pixels, canonical paths, errors, and requests allowed without a signature."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption, DarkroomError, SourceMissing
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.geometry.layout import compute_geometry
from darkroom.plan.geometry.placement import Box, Size
from darkroom_dialects.iiif import tiles
from darkroom_dialects.iiif.image import ResolvedImage, resolve_image
from darkroom_dialects.iiif.info_json import build_info
from darkroom_dialects.iiif.spec import FEATURES, FORMATS, QUALITIES, UNSUPPORTED_FORMATS, V2, V3, SizeLimits, Version
from darkroom_dialects.iiif.url import (
    BaseRequest,
    ImageRequest,
    InfoRequest,
    encode_identifier,
    parse,
)

CAPS = SizeLimits()
SPECIFIED = Size(300, 200)
"""The image of the specification's own examples."""
PHOTOGRAPH = Size(6000, 4000)

type Case = tuple[str, str, str]


def image(rest: str, upright: Size = SPECIFIED, caps: SizeLimits = CAPS, version: Version = V3) -> ResolvedImage:
    asked = parse(f"{version.prefix}a/{rest}")
    assert isinstance(asked, ImageRequest)
    return resolve_image(asked, upright, caps)


CASES: list[Case] = [
    # region: the examples of section 4.1
    ("full/max/0/default.jpg", "full/max/0/default.jpg", "full.jpeg"),
    ("square/max/0/default.jpg", "50,0,200,200/max/0/default.jpg", "crop-50-0-200-200.jpeg"),
    ("125,15,120,140/max/0/default.jpg", "125,15,120,140/max/0/default.jpg", "crop-125-15-120-140.jpeg"),
    ("pct:41.6,7.5,40,70/max/0/default.jpg", "125,15,120,140/max/0/default.jpg", "crop-125-15-120-140.jpeg"),
    ("125,15,200,200/max/0/default.jpg", "125,15,175,185/max/0/default.jpg", "crop-125-15-175-185.jpeg"),
    ("pct:41.6,7.5,66.6,100/max/0/default.jpg", "125,15,175,185/max/0/default.jpg", "crop-125-15-175-185.jpeg"),
    ("0,0,300,200/max/0/default.jpg", "full/max/0/default.jpg", "full.jpeg"),
    ("pct:0,0,100,100/max/0/default.jpg", "full/max/0/default.jpg", "full.jpeg"),
    ("pct:.5,0,50.,100/max/0/default.jpg", "2,0,150,200/max/0/default.jpg", "crop-2-0-150-200.jpeg"),
    # size: those of section 4.2
    ("full/^max/0/default.jpg", "full/^max/0/default.jpg", "fit-fill_h-5163_up-1_w-7746.jpeg"),
    ("full/150,/0/default.jpg", "full/150,100/0/default.jpg", "w-150.jpeg"),
    ("full/^360,/0/default.jpg", "full/^360,240/0/default.jpg", "fit-fill_h-240_up-1_w-360.jpeg"),
    ("full/,150/0/default.jpg", "full/225,150/0/default.jpg", "w-225.jpeg"),
    ("full/^,240/0/default.jpg", "full/^360,240/0/default.jpg", "fit-fill_h-240_up-1_w-360.jpeg"),
    ("full/pct:50/0/default.jpg", "full/150,100/0/default.jpg", "w-150.jpeg"),
    ("full/^pct:120/0/default.jpg", "full/^360,240/0/default.jpg", "fit-fill_h-240_up-1_w-360.jpeg"),
    ("full/225,100/0/default.jpg", "full/225,100/0/default.jpg", "fit-fill_h-100_w-225.jpeg"),
    ("full/^360,360/0/default.jpg", "full/^360,360/0/default.jpg", "fit-fill_h-360_up-1_w-360.jpeg"),
    ("full/!225,100/0/default.jpg", "full/150,100/0/default.jpg", "w-150.jpeg"),
    ("full/^!360,360/0/default.jpg", "full/^360,240/0/default.jpg", "fit-fill_h-240_up-1_w-360.jpeg"),
    ("full/%5E!360,360/0/default.jpg", "full/^360,240/0/default.jpg", "fit-fill_h-240_up-1_w-360.jpeg"),
    ("full/300,200/0/default.jpg", "full/max/0/default.jpg", "full.jpeg"),
    ("full/^300,200/0/default.jpg", "full/max/0/default.jpg", "full.jpeg"),
    ("full/^200,/0/default.jpg", "full/200,133/0/default.jpg", "w-200.jpeg"),
    ("full/!300,900/0/default.jpg", "full/max/0/default.jpg", "full.jpeg"),
    ("full/!301,201/0/default.jpg", "full/max/0/default.jpg", "full.jpeg"),
    ("0,0,100,50/!400,400/0/default.jpg", "0,0,100,50/max/0/default.jpg", "crop-0-0-100-50.jpeg"),
    # rotation: section 4.3; our box is about the turned image, IIIF's about the one before
    ("full/max/180/default.jpg", "full/max/180/default.jpg", "rot-180.jpeg"),
    ("full/max/90/default.jpg", "full/max/90/default.jpg", "rot-90.jpeg"),
    ("full/150,/90/default.jpg", "full/150,100/90/default.jpg", "h-150_rot-90.jpeg"),
    ("full/225,100/270/default.jpg", "full/225,100/270/default.jpg", "fit-fill_h-225_rot-270_w-100.jpeg"),
    ("full/max/22.5/default.png", "full/max/22.5/default.png", "angle-22.5.png"),
    ("full/max/0.10/default.png", "full/max/0.1/default.png", "angle-0.1.png"),
    ("full/max/360/default.jpg", "full/max/0/default.jpg", "full.jpeg"),
    ("full/max/!0/default.jpg", "full/max/!0/default.jpg", "flip-h.jpeg"),
    ("full/max/!180/default.jpg", "full/max/!180/default.jpg", "flip-h_rot-180.jpeg"),
    ("full/max/!90/default.jpg", "full/max/!90/default.jpg", "flip-h_rot-270.jpeg"),
    # quality and format: sections 4.4 and 4.5
    ("full/max/0/color.jpg", "full/max/0/default.jpg", "full.jpeg"),
    ("full/max/0/gray.jpg", "full/max/0/gray.jpg", "gray-1.jpeg"),
    ("full/max/0/bitonal.jpg", "full/max/0/bitonal.jpg", "thr-128.jpeg"),
    ("full/max/0/default.png", "full/max/0/default.png", "full.png"),
    ("full/max/0/default.tif", "full/max/0/default.tif", "full.tiff"),
    ("full/max/0/default.webp", "full/max/0/default.webp", "anim-0.webp"),
    ("full/max/0/default.gif", "full/max/0/default.gif", "anim-0.gif"),
    # all at once: the example of section 4.6
    (
        "125,15,120,140/90,/!345/gray.jpg",
        "125,15,120,140/90,105/!345/gray.jpg",
        "angle-345_crop-125-15-120-140_flip-h_gray-1_w-90.jpeg",
    ),
]


@pytest.mark.parametrize(("rest", "canonical", "derivative"), CASES, ids=[case[0] for case in CASES])
def test_what_a_url_comes_to(rest: str, canonical: str, derivative: str) -> None:
    found = image(rest)
    assert found.canonical_path(CAPS) == canonical
    assert canonical_path(found.build_plan()) == f"/a/_/{derivative}"
    again = image(canonical)
    assert again.build_plan() == found.build_plan()
    assert again.canonical_path(CAPS) == canonical


BAD_OPTIONS = {
    "region": [
        "all/max/0/default.jpg",
        "Full/max/0/default.jpg",
        "0,0,10/max/0/default.jpg",
        "-1,0,10,10/max/0/default.jpg",
        "0.5,0,10,10/max/0/default.jpg",
        "0,0,0,10/max/0/default.jpg",
        "0,0,10,0/max/0/default.jpg",
        "300,0,10,10/max/0/default.jpg",
        "0,200,10,10/max/0/default.jpg",
        "pct:100,0,10,10/max/0/default.jpg",
        "pct:0,0,0.01,10/max/0/default.jpg",
        "pct:0,0,1e1,10/max/0/default.jpg",
        "9999999999,0,10,10/max/0/default.jpg",
    ],
    "size": [
        "full/full/0/default.jpg",
        "full/0,/0/default.jpg",
        "full/,0/0/default.jpg",
        "full/0,0/0/default.jpg",
        "full/!0,10/0/default.jpg",
        "full/pct:0/0/default.jpg",
        "full/pct:0.1/0/default.jpg",
        "full/,/0/default.jpg",
        "full/10/0/default.jpg",
        "full/301,/0/default.jpg",
        "full/,201/0/default.jpg",
        "full/301,10/0/default.jpg",
        "full/pct:101/0/default.jpg",
        "full/!^30,30/0/default.jpg",
        "full/^8193,1/0/default.jpg",
        "full/^8192,8192/0/default.jpg",
        "full/^9000,/0/default.jpg",
        "10,10,10,10/11,/0/default.jpg",
    ],
    "rotation": [
        "full/max/361/default.jpg",
        "full/max/-90/default.jpg",
        "full/max/!/default.jpg",
        "full/max/90!/default.jpg",
        "full/max/+90/default.jpg",
        "full/max/nan/default.jpg",
        "full/max//default.jpg",
    ],
    "quality": ["full/max/0/native.jpg", "full/max/0/.jpg", "full/max/0/default", "full/max/0/a.b.jpg"],
    "format": [
        "full/max/0/default.jp2",
        "full/max/0/default.pdf",
        "full/max/0/default.jpeg",
        "full/max/0/default.",
        "full/max/0/default.avif",
    ],
}


@pytest.mark.parametrize(("option", "rest"), [(name, rest) for name, all_of in BAD_OPTIONS.items() for rest in all_of])
def test_what_is_refused_is_named(option: str, rest: str) -> None:
    with pytest.raises(BadOption) as caught:
        image(rest)
    assert caught.value.option == option
    assert caught.value.status == 400
    assert option in caught.value.message


def test_an_error_names_the_value_and_the_valid_ones() -> None:
    with pytest.raises(BadOption, match=r"rotation must be degrees from 0 to 360.* but is '361'"):
        image("full/max/361/default.jpg")
    with pytest.raises(BadOption, match=r"300 × 200 px, but is 301 × 201; after \^"):
        image("full/301,/0/default.jpg")
    with pytest.raises(BadOption, match="format jp2 is not supported"):
        image("full/max/0/default.jp2")


def test_a_box_larger_than_the_region_can_be_rejected_as_the_validator_has_it() -> None:
    strict = SizeLimits(rejects_oversized_box=True)
    with pytest.raises(BadOption, match="size must be at most that of the region"):
        image("full/!301,201/0/default.jpg", caps=strict)
    assert image("full/!300,900/0/default.jpg", caps=strict).size == SPECIFIED


CASES_V2: list[Case] = [
    # the examples of sections 4.2 and 4.7 of version 2.1
    ("full/full/0/default.jpg", "full/full/0/default.jpg", "full.jpeg"),
    ("full/max/0/default.jpg", "full/full/0/default.jpg", "full.jpeg"),
    ("full/150,/0/default.jpg", "full/150,/0/default.jpg", "w-150.jpeg"),
    ("full/,150/0/default.jpg", "full/225,/0/default.jpg", "w-225.jpeg"),
    ("full/pct:50/0/default.jpg", "full/150,/0/default.jpg", "w-150.jpeg"),
    ("full/225,100/0/default.jpg", "full/225,100/0/default.jpg", "fit-fill_h-100_w-225.jpeg"),
    ("full/!225,100/0/default.jpg", "full/150,/0/default.jpg", "w-150.jpeg"),
    ("square/full/0/default.jpg", "50,0,200,200/full/0/default.jpg", "crop-50-0-200-200.jpeg"),
    # larger than the region without ^
    ("full/360,/0/default.jpg", "full/360,/0/default.jpg", "fit-fill_h-240_up-1_w-360.jpeg"),
    ("full/!360,360/0/default.jpg", "full/360,/0/default.jpg", "fit-fill_h-240_up-1_w-360.jpeg"),
    ("full/pct:120/0/default.jpg", "full/360,/0/default.jpg", "fit-fill_h-240_up-1_w-360.jpeg"),
    ("full/full/!90/gray.png", "full/full/!90/gray.png", "flip-h_gray-1_rot-270.png"),
]


@pytest.mark.parametrize(("rest", "canonical", "derivative"), CASES_V2, ids=[case[0] for case in CASES_V2])
def test_what_a_url_of_version_2_comes_to(rest: str, canonical: str, derivative: str) -> None:
    found = image(rest, version=V2)
    assert found.canonical_path(CAPS, V2) == canonical
    assert canonical_path(found.build_plan()) == f"/a/_/{derivative}"
    assert image(canonical, version=V2).build_plan() == found.build_plan()


@pytest.mark.parametrize("size", ["^max", "^150,", "^!10,10", "Full", "0,", "full,", "!,10"])
def test_sizes_that_version_2_does_not_have(size: str) -> None:
    with pytest.raises(BadOption) as caught:
        image(f"full/{size}/0/default.jpg", version=V2)
    assert caught.value.option == "size"


def test_version_3_does_not_know_full_as_a_size() -> None:
    with pytest.raises(BadOption, match="size must be max"):
        image("full/full/0/default.jpg")


def test_other_options_of_a_path() -> None:
    assert parse("/iiif/3/a%2Fb%20c.jpg") == BaseRequest("a/b c.jpg", "a%2Fb%20c.jpg")
    assert parse("/iiif/3/a/") == BaseRequest("a", "a")
    assert parse("/iiif/3/a/info.json?x=1") == InfoRequest("a", "a")


@pytest.mark.parametrize(
    "path",
    ["/iiif/3/", "/iiif/3/a/info.xml", "/iiif/3/a/b/full/max/0/default.jpg", "/iiif/3/a/full/max", "/iiif/1/a", ""],
)
def test_a_path_of_another_shape_is_not_found(path: str) -> None:
    with pytest.raises(SourceMissing):
        parse(path)


@pytest.mark.parametrize("identifier", ["%", "%zz", "_", "%2Fa", "a%2F..%2Fb", "a%00"])
def test_an_identifier_that_is_no_key_is_refused(identifier: str) -> None:
    with pytest.raises(BadKey):
        parse(f"/iiif/3/{identifier}/info.json")


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        ("a/b.jpg", "a%2Fb.jpg"),
        ("ark:/12025/654xz321", "ark%3A%2F12025%2F654xz321"),
        ("Größe 1", "Gr%C3%B6%C3%9Fe%201"),
    ],
)
def test_an_identifier_has_one_spelling_that_counts(key: str, spelled: str) -> None:
    assert encode_identifier(key) == spelled
    asked = parse(f"/iiif/3/{spelled}/info.json")
    assert (asked.key, asked.canonical_identifier) == (key, spelled)
    other = parse(f"/iiif/3/%{ord(key[0]):02X}{spelled[1:]}/info.json")
    assert (other.key, other.canonical_identifier, other.identifier == other.canonical_identifier) == (
        key,
        spelled,
        False,
    )


UPRIGHTS = st.builds(Size, st.integers(1, 20_000), st.integers(1, 20_000))
NUMBERS = st.integers(0, 400).map(str)
PERCENTS = st.integers(0, 20_000).map(lambda hundredths: f"{hundredths / 100:g}")
REGIONS = st.one_of(
    st.sampled_from(["full", "square"]),
    st.lists(NUMBERS, min_size=4, max_size=4).map(",".join),
    st.lists(PERCENTS, min_size=4, max_size=4).map(lambda parts: "pct:" + ",".join(parts)),
)
SIZES = st.builds(
    lambda up, rest: up + rest,
    st.sampled_from(["", "^"]),
    st.one_of(
        st.just("max"),
        NUMBERS.map(lambda n: f"{n},"),
        NUMBERS.map(lambda n: f",{n}"),
        PERCENTS.map(lambda n: f"pct:{n}"),
        st.builds(lambda mark, w, h: f"{mark}{w},{h}", st.sampled_from(["", "!"]), NUMBERS, NUMBERS),
    ),
)
ROTATIONS = st.builds(
    lambda mark, degrees: mark + degrees,
    st.sampled_from(["", "!"]),
    st.sampled_from(["0", "90", "180", "270", "360"]) | PERCENTS,
)
RESTS = st.builds(
    "{}/{}/{}/{}.{}".format,
    REGIONS,
    SIZES,
    ROTATIONS,
    st.sampled_from(QUALITIES),
    st.sampled_from(sorted(FORMATS)),
)


@given(RESTS, UPRIGHTS)
def test_every_parsed_url_has_its_size_and_one_canonical_path(rest: str, upright: Size) -> None:
    try:
        found = image(rest, upright)
    except BadOption:
        return
    plan = found.build_plan()
    assert parse_path(canonical_path(plan)) == plan
    assert CAPS.allow(found.size)
    assert compute_geometry(plan, upright).scaled == found.size
    assert compute_geometry(plan, upright).subject == found.region
    again = image(found.canonical_path(CAPS), upright)
    assert (again.build_plan(), again.canonical_path(CAPS)) == (plan, found.canonical_path(CAPS))
    assert not found.is_enlarged or "^" in rest


@given(st.text() | st.text().map(lambda text: f"/iiif/3/a/{text}"), UPRIGHTS)
def test_any_text_is_read_or_refused(text: str, upright: Size) -> None:
    try:
        asked = parse(text)
        if isinstance(asked, ImageRequest):
            resolve_image(asked, upright, CAPS)
    except DarkroomError as error:
        assert 400 <= error.status < 500


def listed_rest(region: Box, size: Size, upright: Size) -> str:
    where = "full" if region == Box(0, 0, *upright) else ",".join(map(str, region))
    return f"{where}/{size.width},{size.height}/0/default.jpg"


SMALL_CAPS = SizeLimits(max_side_px=2000, max_area_px=2_000_000)


@given(st.builds(Size, st.integers(1, 3000), st.integers(1, 3000)), st.sampled_from([CAPS, SMALL_CAPS]))
@example(Size(1, 1025), CAPS)
@example(Size(2049, 2049), CAPS)
@example(Size(1, 2001), SMALL_CAPS)
def test_all_that_is_listed_may_be_requested_and_is_counted(upright: Size, caps: SizeLimits) -> None:
    listed = tiles.list_images(upright, caps)
    assert len(listed) == tiles.count_images(upright, caps)
    plans = set()
    for region, size in listed:
        asked = parse(f"{V3.prefix}a/{listed_rest(region, size, upright)}")
        assert isinstance(asked, ImageRequest)
        found = resolve_image(asked, upright, caps)
        assert (found.region, found.size) == (region, size)
        assert tiles.is_listed(asked, found, caps)
        plans.add(found.build_plan())
        for rest in (found.canonical_path(caps, V2), listed_rest(region, size, upright)):
            old = parse(f"{V2.prefix}a/{rest}")
            assert isinstance(old, ImageRequest)
            assert tiles.is_listed(old, resolve_image(old, upright, caps), caps), rest
    assert len(plans) == len(listed)


@pytest.mark.parametrize(
    "rest",
    [
        "full/max/0/default.jpg",
        "full/6000,4000/0/default.jpg",
        "full/3000,2000/0/default.jpg",
        "full/188,125/0/default.jpg",
        "0,0,512,512/512,512/0/default.jpg",
        "0,0,512,512/max/0/default.jpg",
        "5632,3584,368,416/368,416/0/default.jpg",
        "4096,0,1904,4000/238,500/0/default.jpg",
        "full/90,/0/default.jpg",
        "full/200,/0/default.jpg",
        "full/90,60/0/default.jpg",
    ],
)
def test_unsigned_requests_that_are_allowed(rest: str) -> None:
    assert is_listed(rest)


@pytest.mark.parametrize(
    "rest",
    [
        "full/max/0/default.png",
        "full/max/0/color.jpg",
        "full/max/90/default.jpg",
        "full/max/!0/default.jpg",
        "full/max/360/default.jpg",
        "full/max/0.0/default.jpg",
        "full/^max/0/default.jpg",
        "full/pct:50/0/default.jpg",
        "full/3000,/0/default.jpg",
        "full/^3000,2000/0/default.jpg",
        "full/2999,2000/0/default.jpg",
        "pct:0,0,100,100/max/0/default.jpg",
        "0,0,6000,4000/max/0/default.jpg",
        "1,0,512,512/512,512/0/default.jpg",
        "0,0,511,512/511,512/0/default.jpg",
        "0,0,512,512/511,512/0/default.jpg",
        "512,0,1024,1024/512,512/0/default.jpg",
        "0,0,00512,512/512,512/0/default.jpg",
        "square/max/0/default.jpg",
    ],
)
def test_what_needs_permission(rest: str) -> None:
    assert not is_listed(rest)


def test_unsigned_requests_that_version_2_allows() -> None:
    for rest in ("full/full", "full/max", "full/3000,", "full/90,", "0,0,512,512/512,", "5632,3584,368,416/368,"):
        assert is_listed(f"{rest}/0/default.jpg", version=V2), rest
    for rest in ("full/2999,", "full/91,", "full/,2000", "full/pct:50", "0,0,512,512/511,", "full/7000,"):
        assert not is_listed(f"{rest}/0/default.jpg", version=V2), rest
    assert not is_listed("full/90,/0/default.jpg", Size(60, 60), V2)


def is_listed(rest: str, upright: Size = PHOTOGRAPH, version: Version = V3) -> bool:
    asked = parse(f"{version.prefix}a/{rest}")
    assert isinstance(asked, ImageRequest)
    return tiles.is_listed(asked, resolve_image(asked, upright, CAPS), CAPS)


def openseadragon(upright: Size, level: int, x: int, y: int) -> str:
    """The tile URL of OpenSeadragon: ``getTileUrl`` of its ``iiiftilesource.js``, for version 3 of the API.

    The test of the zoom page runs the library itself.
    """
    factors = tiles.list_scale_factors(upright)
    deepest = len(factors) - 1
    scale = 0.5 ** (deepest - level)
    width, height = (-int(-side * scale // 1) for side in upright)
    tile = tiles.TILE_PX
    if width < tile and height < tile:
        region = "full"
        size = "max" if Size(width, height) == upright else f"{width},{height}"
    else:
        step = round(tile / scale)
        left, top = x * step, y * step
        wide, high = min(step, upright.width - left), min(step, upright.height - top)
        region = "full" if (left, top, wide, high) == (0, 0, *upright) else f"{left},{top},{wide},{high}"
        across, down = min(tile, width - x * tile), min(tile, height - y * tile)
        size = "max" if Size(across, down) == upright else f"{across},{down}"
    return f"{region}/{size}/0/default.jpg"


@given(st.builds(Size, st.integers(1, 5000), st.integers(1, 5000)), st.data())
def test_openseadragon_requests_what_is_listed(upright: Size, data: st.DataObject) -> None:
    level = data.draw(st.integers(0, len(tiles.list_scale_factors(upright)) - 1))
    reduced = tiles.scale_down(upright, 2 ** (len(tiles.list_scale_factors(upright)) - 1 - level))
    across, down = tiles.scale_down(reduced, tiles.TILE_PX)
    x, y = data.draw(st.integers(0, across - 1)), data.draw(st.integers(0, down - 1))
    assert is_listed(openseadragon(upright, level, x, y), upright)


def test_the_sizes_are_those_of_the_scale_factors() -> None:
    """OpenSeadragon takes them for its levels then: edges of one are edges of the other."""
    document = build_info("https://cdn/iiif/3/a", Size(6001, 3999), CAPS, everything=False)
    assert document["sizes"] == [
        {"width": 188, "height": 125},
        {"width": 376, "height": 250},
        {"width": 751, "height": 500},
        {"width": 1501, "height": 1000},
        {"width": 3001, "height": 2000},
        {"width": 6001, "height": 3999},
    ]
    assert document["tiles"] == [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4, 8, 16, 32]}]


def test_sizes_over_the_caps_are_not_listed() -> None:
    assert tiles.list_sizes(Size(40_000, 30_000), CAPS)[-1] == Size(5000, 3750)
    assert all(CAPS.allow(size) for size in tiles.list_sizes(Size(8192, 8192), CAPS))


@pytest.mark.parametrize("everything", [False, True])
def test_information_claims_what_is_served(everything: bool) -> None:
    document = build_info("https://cdn/iiif/3/a", SPECIFIED, CAPS, everything=everything)
    assert next(iter(document)) == "@context"
    assert document["profile"] == ("level2" if everything else "level0")
    assert (document["width"], document["height"]) == SPECIFIED
    assert (document["maxWidth"], document["maxArea"]) == (8192, 40_000_000)
    claimed = set(document["extraFeatures"])  # type: ignore[call-overload]
    if everything:
        assert claimed == {
            "canonicalLinkHeader",
            "mirroring",
            "profileLinkHeader",
            "rotationArbitrary",
            "sizeUpscaling",
        }
        assert document["extraFormats"] == ["webp", "gif", "tif"]
        assert document["extraQualities"] == ["color", "gray", "bitonal"]
    else:
        assert claimed == {"baseUriRedirect", "canonicalLinkHeader", "cors", "jsonldMediaType", "profileLinkHeader"}
        assert "extraFormats" not in document


SPECIFIED_FEATURES = {
    *("baseUriRedirect", "canonicalLinkHeader", "cors", "jsonldMediaType", "mirroring", "profileLinkHeader"),
    *("regionByPct", "regionByPx", "regionSquare", "rotationArbitrary", "rotationBy90s", "sizeByConfinedWh"),
    *("sizeByH", "sizeByPct", "sizeByW", "sizeByWh", "sizeUpscaling"),
}
"""The table of section 5.7 of version 3.0.0."""

LEVELS = {
    1: {"regionByPx", "regionSquare", "sizeByW", "sizeByH", "sizeByWh", "baseUriRedirect", "cors", "jsonldMediaType"},
    2: {"regionByPct", "sizeByPct", "sizeByConfinedWh", "rotationBy90s"},
}
"""The features that https://iiif.io/api/image/3.0/compliance/ adds at each level."""


def test_the_table_has_every_feature_and_format_of_the_specification() -> None:
    assert {feature.name for feature in FEATURES} == SPECIFIED_FEATURES
    for level, names in LEVELS.items():
        assert {feature.name for feature in FEATURES if feature.level == level} == names
    assert {*FORMATS, *UNSUPPORTED_FORMATS} == {"jpg", "tif", "png", "gif", "jp2", "pdf", "webp"}

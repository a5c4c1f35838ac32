"""The IIIF service: information, images, redirects, access, and the bytes of a master that it reads."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from obstore.store import MemoryStore
from PIL import Image

from darkroom.aws.s3_fast import FastBucket
from darkroom.errors import DarkroomError
from darkroom.http.response import HttpResponse
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.limits import Limits
from darkroom.plan.variants import AccessMode
from darkroom_dialects.iiif.spec import V3
from darkroom_dialects.iiif.url import encode_identifier
from darkroom_dialects.registry import encode_path, iiif_wildcard
from darkroom_dialects.serving.iiif import IiifService
from darkroom_dialects.serving.request import DialectRequest
from darkroom_pipeline.services.purge.consumer import cdn_paths
from tests.component.services.test_master_reader import SCENE, TIFF, Counting, scene
from tests.component.services.test_transform import request
from tests.images.photographs import jpeg_photo, photograph, png_noise, turned

from .iiif_serving import VALIDATED, ask, body_of, service

PHOTO = "/iiif/3/trips%2Fphoto.jpg"
SQUARES = "/iiif/3/squares.png"
LEVEL_0, LEVEL_2 = (f'<http://iiif.io/api/image/3/level{level}.json>;rel="profile"' for level in (0, 2))


@pytest.fixture
def media(bucket: FastBucket) -> FastBucket:
    bucket.put("masters/trips/photo.jpg", jpeg_photo(), {"Content-Type": "image/jpeg"})
    bucket.put("masters/squares.png", VALIDATED.read_bytes(), {"Content-Type": "image/png"})
    return bucket


@pytest.fixture
def guarded(media: FastBucket) -> IiifService:
    return service(media)


@pytest.fixture
def opened(media: FastBucket) -> IiifService:
    return service(media, AccessMode.OPEN)


def headers(response: HttpResponse) -> Mapping[str, str]:
    found = response["headers"]
    assert isinstance(found, dict)
    return found


def image(response: HttpResponse) -> Image.Image:
    assert response["statusCode"] == 200, response
    return Image.open(io.BytesIO(body_of(response)))


def problem(response: HttpResponse) -> tuple[object, str]:
    return response["statusCode"], json.loads(str(response["body"]))["code"]


@pytest.mark.slow
def test_information_names_the_address_that_the_viewer_used(guarded: IiifService) -> None:
    response = ask(guarded, f"{PHOTO}/info.json", scheme="https")
    document = json.loads(str(response["body"]))
    assert response["statusCode"] == 200
    assert document["id"] == f"https://cdn.example{PHOTO}"
    assert (document["width"], document["height"], document["profile"]) == (900, 600, "level0")
    assert document["sizes"] == [
        {"width": 225, "height": 150},
        {"width": 450, "height": 300},
        {"width": 900, "height": 600},
    ]
    assert headers(response)["content-type"] == 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"'
    assert headers(response)["link"] == LEVEL_0


def test_information_of_a_server_of_everything(opened: IiifService) -> None:
    response = ask(opened, f"{PHOTO}/info.json")
    assert json.loads(str(response["body"]))["profile"] == "level2"
    assert headers(response)["link"] == LEVEL_2


def test_plain_json_on_request(guarded: IiifService) -> None:
    plain = ask(guarded, f"{PHOTO}/info.json", accept="application/json")
    linked = ask(guarded, f"{PHOTO}/info.json", accept="application/ld+json")
    assert headers(plain)["content-type"] == "application/json"
    assert headers(linked)["content-type"].startswith("application/ld+json;")
    assert plain["body"] == linked["body"]
    assert headers(plain)["etag"] != headers(linked)["etag"]


def test_a_current_copy_of_the_information_is_not_sent_again(guarded: IiifService) -> None:
    etag = headers(ask(guarded, f"{PHOTO}/info.json"))["etag"]
    again = ask(guarded, f"{PHOTO}/info.json", if_none_match=f"W/{etag}")
    assert (again["statusCode"], again["body"], headers(again)["etag"]) == (304, "", etag)


def test_the_size_is_that_of_the_upright_image(guarded: IiifService, media: FastBucket) -> None:
    upright = photograph().resize((300, 400))
    media.put("masters/turned.jpg", turned(upright, 6), {})
    document = json.loads(str(ask(guarded, "/iiif/3/turned.jpg/info.json")["body"]))
    assert (document["width"], document["height"]) == (300, 400)
    top = image(ask(replace(guarded, mode=AccessMode.OPEN), "/iiif/3/turned.jpg/0,0,300,100/max/0/default.png"))
    assert np.abs(np.asarray(top.convert("RGB"), int) - np.asarray(upright)[:100]).mean() < 4


def test_its_own_address_leads_to_the_information(guarded: IiifService) -> None:
    for address in (PHOTO, f"{PHOTO}/"):
        response = ask(guarded, address)
        assert response["statusCode"] == 303
        assert headers(response)["location"] == f"https://cdn.example{PHOTO}/info.json"


@pytest.mark.parametrize("rest", ["", "/info.json", "/full/450,300/0/default.jpg"])
@pytest.mark.parametrize("identifier", ["trips%2fphoto.jpg", "%74rips%2Fphoto.jpg", "trips%2Fphoto%2Ejpg"])
def test_another_spelling_of_an_identifier_redirects_to_the_purged_one(
    guarded: IiifService, identifier: str, rest: str
) -> None:
    response = ask(guarded, f"/iiif/3/{identifier}{rest}")
    assert (response["statusCode"], headers(response)["location"]) == (301, f"{PHOTO}{rest}")


def test_an_image_has_a_file_name(opened: IiifService) -> None:
    response = ask(opened, f"{PHOTO}/square/pct:50/!90/color.png")
    assert image(response).size == (300, 300)
    canonical = f"https://cdn.example{PHOTO}/150,0,600,600/300,300/!90/default.png"
    assert headers(response)["link"] == f'<{canonical}>;rel="canonical", {LEVEL_2}'
    assert headers(response)["content-type"] == "image/png"
    again = ask(opened, canonical.removeprefix("https://cdn.example"))
    assert body_of(again) == body_of(response)


def test_information_of_version_2(guarded: IiifService, opened: IiifService) -> None:
    old = PHOTO.replace("/3/", "/2/")
    response = ask(guarded, f"{old}/info.json")
    document = json.loads(str(response["body"]))
    assert document["@id"] == f"https://cdn.example{old}"
    assert document["@context"] == "http://iiif.io/api/image/2/context.json"
    assert (document["width"], document["height"]) == (900, 600)
    profile, beyond = document["profile"]
    assert profile == "http://iiif.io/api/image/2/level0.json"
    assert (beyond["maxWidth"], "sizeAboveFull" in beyond["supports"]) == (8192, False)
    assert headers(response)["content-type"] == "application/json"
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in headers(response)["link"]
    linked = ask(guarded, f"{old}/info.json", accept="application/ld+json")
    assert headers(linked)["content-type"] == "application/ld+json"
    assert "json-ld#context" not in headers(linked)["link"]
    everything = json.loads(str(ask(opened, f"{old}/info.json")["body"]))["profile"]
    assert everything[0] == "http://iiif.io/api/image/2/level2.json"
    assert {"jpg", "png"} < set(everything[1]["formats"])
    assert "sizeAboveFull" in everything[1]["supports"]


def test_an_image_of_version_2_has_the_same_derivative(guarded: IiifService) -> None:
    old = PHOTO.replace("/3/", "/2/")
    first, second = ask(guarded, f"{old}/full/450,/0/default.jpg"), ask(guarded, f"{PHOTO}/full/450,300/0/default.jpg")
    assert body_of(first) == body_of(second)
    assert f'<https://cdn.example{old}/full/450,/0/default.jpg>;rel="canonical"' in headers(first)["link"]
    assert "http://iiif.io/api/image/2/level0.json" in headers(first)["link"]
    assert problem(ask(guarded, f"{old}/full/^max/0/default.jpg")) == (400, "bad-option")
    assert ask(guarded, f"{old.replace('%2F', '%2f')}/info.json")["statusCode"] == 301


def test_an_image_is_stored_under_its_canonical_path(guarded: IiifService, media: FastBucket) -> None:
    first = ask(guarded, f"{PHOTO}/0,0,512,512/512,512/0/default.jpg")
    stored = media.open("derivatives/trips/photo.jpg/_/crop-0-0-512-512.jpeg")
    assert stored is not None
    assert stored.read() == body_of(first)
    second = ask(guarded, f"{PHOTO}/0,0,512,512/512,512/0/default.jpg")
    assert body_of(second) == body_of(first)
    assert "server-timing" in headers(first)
    assert "server-timing" not in headers(second)


def test_a_native_url_has_the_same_derivative(guarded: IiifService, media: FastBucket) -> None:
    size = ask(guarded, f"{PHOTO}/full/450,300/0/default.jpg")
    native = guarded.transform.serve(_plan("/trips/photo.jpg?w=450&f=jpeg"))
    assert body_of(size) == native.body  # type: ignore[union-attr]


def _plan(url: str) -> object:
    from darkroom.plan.canonical import parse_path

    return parse_path(request(url).path)


def test_a_current_copy_is_not_sent_again(guarded: IiifService) -> None:
    target = f"{PHOTO}/full/max/0/default.jpg"
    etag = headers(ask(guarded, target))["etag"]
    again = ask(guarded, target, if_none_match=etag)
    assert (again["statusCode"], again["body"]) == (304, "")
    assert 'rel="canonical"' in headers(again)["link"]


def test_head_has_no_body(guarded: IiifService) -> None:
    for rest in ("info.json", "full/max/0/default.jpg"):
        response = ask(guarded, f"{PHOTO}/{rest}", method="HEAD")
        assert (response["statusCode"], response["body"]) == (200, "")


def test_other_methods_are_refused(guarded: IiifService) -> None:
    assert problem(ask(guarded, f"{PHOTO}/info.json", method="POST")) == (405, "method-not-allowed")


@pytest.mark.parametrize("rest", ["full/899,/0/default.jpg", "full/max/0/default.png", "square/max/0/default.jpg"])
def test_what_is_not_listed_is_refused_with_what_is(guarded: IiifService, media: FastBucket, rest: str) -> None:
    response = ask(guarded, f"{PHOTO}/{rest}")
    assert problem(response) == (403, "not-listed")
    assert "info.json, the sizes and tiles that it lists" in str(response["body"])


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/iiif/3/missing.jpg/info.json", 404, "no-source"),
        ("/iiif/3/missing.jpg/full/max/0/default.jpg", 404, "no-source"),
        (f"{PHOTO}/full/901,/0/default.jpg", 400, "bad-option"),
        ("/iiif/3/a/b/full/max/0/default.jpg", 404, "no-source"),
        ("/iiif/3/%zz/info.json", 400, "bad-key"),
    ],
)
def test_refusals(opened: IiifService, target: str, status: int, code: str) -> None:
    assert problem(ask(opened, target)) == (status, code)


def test_a_damaged_master_is_refused(opened: IiifService, media: FastBucket) -> None:
    media.put("masters/bad.jpg", jpeg_photo()[:200], {})
    media.put("masters/torn.jpg", jpeg_photo()[:-4000], {})
    assert problem(ask(opened, "/iiif/3/bad.jpg/info.json")) == (422, "damaged")
    assert problem(ask(opened, "/iiif/3/torn.jpg/full/max/0/default.jpg")) == (422, "damaged")


def test_limits_of_sources_hold(opened: IiifService) -> None:
    tight = replace(opened, transform=replace(opened.transform, limits=Limits(max_pixels=1000)))
    assert problem(ask(tight, f"{PHOTO}/info.json")) == (413, "over-limits")


def test_a_purge_reaches_all_addresses_of_an_image() -> None:
    key = "Größe/(1) a.jpg"
    prefix = f"{V3.prefix}{encode_identifier(key)}/"
    assert f"{encode_path(prefix)}*" in cdn_paths(key, [iiif_wildcard])


def test_how_long_answers_are_kept_is_bounded(guarded: IiifService) -> None:
    brief = replace(guarded, delivery=replace(guarded.delivery, max_age_s=60))
    for rest in ("", "/info.json", "/full/max/0/default.jpg"):
        assert headers(ask(brief, f"{PHOTO}{rest}"))["cache-control"] == "public, max-age=60, s-maxage=60"


def test_forced_redaction_is_applied(media: FastBucket) -> None:
    iiif = service(media)
    transform = replace(iiif.transform, always=ForcedOptions.parse("trips/=faces"))
    assert problem(ask(replace(iiif, transform=transform), f"{PHOTO}/full/max/0/default.jpg")) == (501, "no-inference")
    looking = replace(iiif, transform=replace(transform, inference=True))
    assert problem(ask(looking, f"{PHOTO}/full/max/0/default.jpg")) == (503, "findings-pending")
    assert image(ask(looking, f"{SQUARES}/full/max/0/default.jpg")).size == (1000, 1000)


def square(image: Image.Image, column: int, row: int) -> tuple[int, ...]:
    """The colour in the middle of a square of the validator's image, which has ten in each direction."""
    pixel = image.convert("RGB").getpixel((column * 100 + 50, row * 100 + 50))
    assert isinstance(pixel, tuple)
    return pixel


PLACES = {
    "0": lambda x, y: (x, y),
    "90": lambda x, y: (9 - y, x),
    "180": lambda x, y: (9 - x, 9 - y),
    "270": lambda x, y: (y, 9 - x),
    "!0": lambda x, y: (9 - x, y),
    "!90": lambda x, y: (9 - y, 9 - x),
    "!180": lambda x, y: (x, 9 - y),
}
"""The position of a square after mirroring and then clockwise rotation."""


@pytest.mark.sample(3)
@pytest.mark.parametrize("rotation", PLACES)
def test_squares_lie_where_the_rotation_puts_them(opened: IiifService, rotation: str) -> None:
    source = Image.open(VALIDATED)
    shown = image(ask(opened, f"{SQUARES}/full/max/{rotation}/default.png"))
    for column, row in ((0, 0), (9, 0), (2, 7)):
        assert square(shown, *PLACES[rotation](column, row)) == square(source, column, row)


@pytest.mark.slow
def test_sizes_are_exact_whatever_comes_after(opened: IiifService) -> None:
    for rest, size in {
        "100,200,300,400/100,50/0/default.png": (100, 50),
        "100,200,300,400/100,50/90/default.png": (50, 100),
        "100,200,300,400/150,/270/default.png": (200, 150),
        "full/^1500,1200/0/default.png": (1500, 1200),
        "full/^!3000,1100/!90/default.webp": (1100, 1100),
        "pct:0,0,33.3,10/max/0/gray.png": (333, 100),
        "0,0,1000,500/333,/0/default.gif": (333, 167),
    }.items():
        assert image(ask(opened, f"{SQUARES}/{rest}")).size == size, rest


def test_bitonal_is_black_and_white(opened: IiifService) -> None:
    shown = image(ask(opened, f"{PHOTO}/full/max/0/bitonal.png"))
    assert {colour for _, colour in shown.convert("L").getcolors() or ()} == {0, 255}
    light = np.asarray(Image.open(io.BytesIO(jpeg_photo())).convert("L"), int)
    assert abs((np.asarray(shown.convert("L")) == 255).mean() - (light >= 128).mean()) < 0.05


def test_a_turned_image_is_all_there_and_transparent_beside(opened: IiifService) -> None:
    shown = image(ask(opened, f"{SQUARES}/full/500,500/45/default.png")).convert("RGBA")
    assert all(abs(side - 500 * 2**0.5) < 3 for side in shown.size)
    assert shown.getpixel((0, 0))[3] == 0  # type: ignore[index]
    middle = shown.getpixel((shown.width // 2, 25))
    assert np.abs(np.asarray(middle[:3], int) - square(Image.open(VALIDATED), 0, 0)).max() < 12  # type: ignore[index]
    assert image(ask(opened, f"{SQUARES}/full/500,500/45/default.jpg")).getpixel((0, 0)) == (255, 255, 255)


def test_every_format_is_detected(opened: IiifService) -> None:
    for name, form in {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "tif": "TIFF"}.items():
        assert image(ask(opened, f"{SQUARES}/full/100,/0/default.{name}")).format == form


@pytest.mark.slow
def test_what_is_too_large_for_an_answer_is_fetched_from_the_store(opened: IiifService, media: FastBucket) -> None:
    media.put("masters/noise.png", png_noise(1500, 1500), {})
    response = ask(opened, "/iiif/3/noise.png/full/max/0/default.png")
    location = headers(response)["location"]
    assert response["statusCode"] == 302
    assert location.startswith("/_large/noise.png/_/")
    stored = media.open(f"derivatives{location.removeprefix('/_large')}")
    assert stored is not None
    assert stored.attributes["Content-Type"] == "image/png"


def test_while_only_presets_are_made_what_is_stored_is_still_shown(guarded: IiifService) -> None:
    tile = f"{PHOTO}/0,0,512,512/512,512/0/default.jpg"
    shown = ask(guarded, tile)
    sparing = replace(guarded, transform=replace(guarded.transform, is_load_shedding=lambda: True))
    assert body_of(ask(sparing, tile)) == body_of(shown)
    assert problem(ask(sparing, f"{PHOTO}/512,0,388,512/388,512/0/default.jpg")) == (503, "presets-only")


def test_tiles_put_together_are_the_image(guarded: IiifService, media: FastBucket) -> None:
    canvas = Image.new("RGB", (1000, 1000))
    for left, width in ((0, 512), (512, 488)):
        for top, height in ((0, 512), (512, 488)):
            rest = f"{left},{top},{width},{height}/{width},{height}/0/default.jpg"
            canvas.paste(image(ask(guarded, f"{SQUARES}/{rest}")), (left, top))
    source = np.asarray(Image.open(VALIDATED).convert("RGB"), int)
    assert np.abs(np.asarray(canvas, int) - source).mean() < 3


def counted(s3_bucket: FastBucket, name: str, body: bytes, attributes: dict[str, str]) -> tuple[IiifService, Counting]:
    s3_bucket.put(name, body, attributes)
    counting = Counting(s3_bucket)
    iiif = service(s3_bucket, AccessMode.OPEN)
    return replace(iiif, transform=replace(iiif.transform, source=counting)), counting


@pytest.mark.slow
def test_the_information_reads_no_more_than_the_header(s3_bucket: FastBucket) -> None:
    large = png_noise(1500, 1500)
    iiif, counting = counted(s3_bucket, "masters/noise.png", large, {})
    assert ask(iiif, "/iiif/3/noise.png/info.json")["statusCode"] == 200
    assert counting.streamed < len(large) / 10
    assert counting.opened == ["masters/noise.png"]


def test_a_master_is_requested_once(s3_bucket: FastBucket) -> None:
    large = png_noise(1500, 1500)
    iiif, counting = counted(s3_bucket, "masters/noise.png", large, {})
    shown = image(ask(iiif, "/iiif/3/noise.png/0,0,512,512/512,512/0/default.png"))
    assert np.array_equal(np.asarray(shown), np.asarray(Image.open(io.BytesIO(large)))[:512, :512])
    assert counting.opened == ["masters/noise.png"]


@pytest.mark.slow
def test_a_tile_of_a_large_image_reads_little_of_it(s3_bucket: FastBucket) -> None:
    iiif, counting = counted(s3_bucket, SCENE, scene(), TIFF)
    tight = replace(iiif, transform=replace(iiif.transform, limits=Limits(max_pixels=2_000_000)))
    document = json.loads(str(ask(tight, "/iiif/3/scene.tif/info.json")["body"]))
    assert (document["width"], document["height"]) == (4096, 3072)
    shown = image(ask(tight, "/iiif/3/scene.tif/2048,1536,512,512/512,512/0/default.png"))
    whole = np.asarray(Image.open(io.BytesIO(scene())))
    assert np.array_equal(np.asarray(shown), whole[1536:2048, 2048:2560])
    assert image(ask(tight, "/iiif/3/scene.tif/full/256,192/0/default.jpg")).size == (256, 192)
    assert counting.read < 0.15 * len(scene())


def test_errors_are_raised_for_the_log() -> None:
    with pytest.raises(DarkroomError):
        service(FastBucket(MemoryStore())).respond(DialectRequest(target="/iiif/3/a/info.json"))

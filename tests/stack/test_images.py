"""Request real URLs through the local CDN, the deployed stack and the real function."""

from __future__ import annotations

import io
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageOps

from darkroom.overlays.language import Measure, Overlay
from darkroom.overlays.text import render_text
from darkroom.plan.geometry.layout import Size
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import list_unsigned_variants
from tests.images.photographs import jpeg_photo, png_noise

from .viewer import Answer, Viewer

pytestmark = pytest.mark.smoke

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.fixture
def key(viewer: Viewer) -> Iterator[str]:
    """A photograph of its own for each test, with a key that needs escaping."""
    yield viewer.upload(jpeg_photo(size=(1800, 1200)), "ünï code/a+b & c.jpg")


def image(answer: Answer) -> Image.Image:
    assert answer.status == 200, answer.body[:300]
    return Image.open(io.BytesIO(answer.body))


def test_the_accept_header_decides_the_format(viewer: Viewer, key: str) -> None:
    for accept, kind in ((CHROME, "avif"), ("image/webp,*/*;q=0.8", "webp"), ("*/*", "jpeg")):
        answer = viewer.get(f"{key}?w=800", accept=accept)
        assert answer.headers["content-type"] in (f"image/{kind}", "image/webp" if kind == "avif" else "")
        assert image(answer).size == (800, 533)


def test_a_second_request_comes_from_the_cdn_and_after_a_restart_from_the_store(viewer: Viewer, key: str) -> None:
    first = viewer.get(f"{key}?w=640", accept="image/webp")
    assert first.cache == "Miss"
    assert "encode;dur=" in first.headers["server-timing"]
    second = viewer.again(f"{key}?w=640", accept="image/webp")
    assert (second.cache, second.body, second.headers["etag"]) == ("Hit", first.body, first.headers["etag"])
    assert viewer.renders(key) == 1
    viewer.restart_cdn()
    third = viewer.get(f"{key}?w=640", accept="image/webp")
    assert (third.cache, third.body) == ("Miss", first.body)
    assert viewer.renders(key) == 1
    same = ("content-type", "cache-control", "etag", "vary", "x-content-type-options", "access-control-allow-origin")
    assert {name: third.headers.get(name) for name in same} == {name: first.headers.get(name) for name in same}


def test_headers_of_every_image(viewer: Viewer, key: str) -> None:
    headers = viewer.get(f"{key}?w=320").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert {word.strip() for word in headers["vary"].split(",")} >= {"Accept", "DPR", "Sec-CH-DPR", "Save-Data"}
    assert "Sec-CH-DPR" in headers["accept-ch"]
    assert "max-age=" in headers["cache-control"]
    assert not [name for name in headers if name.startswith("x-amz-meta") or name == "x-amz-server-side-encryption"]


@pytest.mark.parametrize("path", ["{key}?w=800", "{key}?w=801", "/imgproxy/unsafe/plain/{key}"])
def test_a_preflight_permits_scripts_of_other_origins(viewer: Viewer, key: str, path: str) -> None:
    """A script that sends headers of its own asks first, and browsers stop at any status but 2xx."""
    before = viewer.invocations()
    asked = {"access_control_request_method": "GET", "access_control_request_headers": "x-requested-with"}
    found = viewer.options(path.format(key=key), origin="https://shop.example.com", **asked)
    assert (found.status, found.headers["access-control-allow-origin"]) == (204, "*")
    assert "GET" in found.headers["access-control-allow-methods"]
    assert found.headers["access-control-allow-headers"] == "*"
    assert viewer.invocations() == before


def test_a_condition_that_fails_is_412(viewer: Viewer, key: str) -> None:
    tag = viewer.get(f"{key}?w=320").headers["etag"]
    for condition, status in ((tag, 200), ('"another"', 412), (f"W/{tag}", 412), ("*", 200)):
        assert viewer.get(f"{key}?w=320", if_match=condition).status == status


def test_outside_the_finite_set_it_needs_a_signature(viewer: Viewer, key: str) -> None:
    before = viewer.invocations()
    refused = viewer.get(f"{key}?w=801")
    assert (refused.status, refused.problem["code"]) == (403, "unsigned")
    assert viewer.invocations() == before
    forged = viewer.get(f"{key}?w=801&s={'A' * 43}")
    assert (forged.status, forged.problem["code"]) == (403, "bad-signature")
    assert viewer.invocations() == before + 1
    assert image(viewer.get(viewer.signed(f"{key}?w=801"))).width == 801


def test_a_forged_signature_does_not_lock_out_the_true_one(viewer: Viewer, key: str) -> None:
    url = f"{key}?w=805&f=webp"
    assert viewer.get(f"{url}&s={'B' * 43}").status == 403
    assert viewer.get(viewer.signed(url)).status == 200


def test_a_signed_link_expires(viewer: Viewer, key: str) -> None:
    assert viewer.get(viewer.signed(f"{key}?w=803&f=webp&exp=4000000000")).status == 200
    late = viewer.get(viewer.signed(f"{key}?w=804&f=webp&exp=1000000000"))
    assert (late.status, late.problem["code"]) == (403, "expired")


@pytest.mark.slow
def test_hints_choose_among_the_ladder(viewer: Viewer, key: str) -> None:
    url = f"{key}?w=320&f=webp"
    assert image(viewer.get(url, sec_ch_dpr="2.625")).width == 960
    assert image(viewer.get(url, dpr="1.5")).width == 480
    assert image(viewer.get(url, dpr="2", save_data="on")).width == 320
    assert image(viewer.get(f"{url}&dpr=1", dpr="2")).width == 320
    economical = viewer.get(f"{key}?w=960", accept="image/webp", save_data="on")
    assert len(economical.body) < len(viewer.get(f"{key}?w=960", accept="image/webp").body)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("w=0", 400, "bad-option"),
        ("colour=red", 400, "unknown-option"),
        ("w=1&width=2", 400, "duplicate-option"),
        ("q=Auto", 400, "bad-option"),
        ("preset=nosuch", 400, "bad-option"),
    ],
)
def test_a_bad_option_is_named_without_an_invocation(
    viewer: Viewer, key: str, query: str, status: int, code: str
) -> None:
    before = viewer.invocations()
    answer = viewer.get(f"{key}?{query}")
    assert (answer.status, answer.problem["code"]) == (status, code)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert query.split("=", maxsplit=1)[0][:2] in answer.problem["detail"] or "option" in answer.problem
    assert viewer.invocations() == before


@pytest.mark.parametrize("query", ["w=400&redact=faces", "w=400&h=400&fit=cover&g=face"])
def test_options_that_need_findings_are_refused_without_inference(viewer: Viewer, key: str, query: str) -> None:
    unsigned = viewer.get(f"{key}?{query}")
    assert (unsigned.status, unsigned.problem["code"]) == (403, "unsigned")
    answer = viewer.get(viewer.signed(f"{key}?{query}"))
    assert (answer.status, answer.problem["code"]) == (501, "no-inference")


def test_no_source(viewer: Viewer) -> None:
    first = viewer.get("/no/such.jpg?w=320")
    assert (first.status, first.problem["code"]) == (404, "no-source")
    before = viewer.invocations()
    assert viewer.get("/no/such.jpg?w=320").status == 404
    assert viewer.invocations() == before


def test_a_damaged_source_is_422_and_decoded_once(viewer: Viewer) -> None:
    key = viewer.upload(jpeg_photo()[:-5000], "damaged.jpg")
    for query in ("w=320", "w=640"):
        answer = viewer.get(f"{key}?{query}")
        assert (answer.status, answer.problem["code"]) == (422, "damaged")


@pytest.mark.slow
def test_a_type_that_is_not_served(viewer: Viewer) -> None:
    answer = viewer.get(f"{viewer.upload(b'%PDF-1.7 not an image', 'paper.jpg')}?w=320")
    assert (answer.status, answer.problem["code"]) == (415, "type-not-allowed")


def test_conditional_requests(viewer: Viewer, key: str) -> None:
    first = viewer.get(f"{key}?w=480")
    assert viewer.get(f"{key}?w=480", if_none_match=first.headers["etag"]).status == 304
    assert viewer.get(f"{key}?w=480", if_none_match='"other"').status == 200
    viewer.restart_cdn()
    assert viewer.get(f"{key}?w=480", if_none_match=first.headers["etag"]).status == 304


def test_a_head_renders_and_stores_as_a_get_does(viewer: Viewer, key: str) -> None:
    head = viewer.head(f"{key}?w=1280&f=webp")
    assert (head.status, head.body, head.headers["content-type"]) == (200, b"", "image/webp")
    assert viewer.stored(f"{key}/_/w-1280.webp") is not None
    viewer.restart_cdn()
    answer = viewer.get(f"{key}?w=1280&f=webp")
    assert (answer.status, answer.headers["etag"]) == (200, head.headers["etag"])
    assert viewer.renders(key) == 1


def test_a_range_is_cut_by_the_cdn(viewer: Viewer, key: str) -> None:
    part = viewer.get(f"{key}?w=320&f=jpeg", range="bytes=10-19")
    whole = viewer.get(f"{key}?w=320&f=jpeg")
    assert (part.status, part.body) == (206, whole.body[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.body)}"
    assert image(whole).format == "JPEG"


@pytest.mark.slow
def test_an_image_of_30_megabytes_comes_by_redirect(viewer: Viewer) -> None:
    key = viewer.upload(png_noise(4000, 2600), "noise.png")
    url = viewer.signed(f"{key}?w=4000&f=png")
    first = viewer.get(url)
    assert (first.status, first.headers["cache-control"]) == (302, "no-store")
    assert first.headers["location"] == url
    second = viewer.get(first.headers["location"])
    assert second.status == 200
    assert len(second.body) > 30_000_000
    assert image(second).size == (4000, 2600)


def test_describing_an_image(viewer: Viewer, key: str) -> None:
    answer = viewer.get(f"{key}?f=json")
    facts = json.loads(answer.body)
    assert (facts["width"], facts["height"]) == (1800, 1200)
    first = facts["srcset"].split(",")[0].split()[0]
    assert viewer.get(first).status == 200
    assert viewer.get(f"{key}?f=thumbhash").status == 200


def test_one_meaning_is_stored_once(viewer: Viewer, key: str) -> None:
    spellings = (
        "w=320&dpr=2&f=webp",
        "f=webp&w=640",
        "width=640&format=webp&rot=0",
        "preset=w640",
        "w=640&f=webp&fit=cover",
    )
    for query in spellings:
        assert viewer.get(f"{key}?{query}").status == 200
    assert viewer.renders(key) == 1


def test_overlays_need_a_signature_and_one_spelling(viewer: Viewer, key: str) -> None:
    query = "w=640&f=png&ov=" + quote("text:限时 עברית,at:northwest,x:0,y:0,back:ff0000")
    assert viewer.get(f"{key}?{query}").status == 403
    shown = image(viewer.get(viewer.signed(f"{key}?{query}"))).convert("RGB")
    assert shown.getpixel((3, 3)) == (255, 0, 0)
    literal = viewer.signed(f"{key}?w=640&f=png&ov=text:a").replace("text:a", "text:b")
    assert viewer.get(literal).status == 403


SCRIPTS = "한국어 မြန်မာ አማርኛ हिन्दी 限时 😀"


def test_text_is_drawn_in_the_fonts_of_the_layer(viewer: Viewer) -> None:
    """As this process draws it with the packages, up to parts of a pixel: the layer's CJK font is reduced."""
    sheet = io.BytesIO()
    Image.new("RGB", (640, 200), "white").save(sheet, "PNG")
    key = viewer.upload(sheet.getvalue(), "sheet.png")
    answer = viewer.get(viewer.signed(f"{key}?w=640&f=png&ov=" + quote(f"text:{SCRIPTS},size:6,color:000000")))
    shown = ImageOps.invert(image(answer).convert("L"))
    drawn = render_text(Overlay("text", SCRIPTS, size=Measure(6), color="000000"), Size(640, 200))
    expected = Image.fromarray(drawn.numpy()).getchannel("A")
    shown, expected = (one.crop(one.getbbox()) for one in (shown, expected))
    assert shown.size == expected.size
    difference = np.asarray(ImageChops.difference(shown, expected))
    assert difference.mean() < np.asarray(expected).mean() / 2


def test_watermarks_and_downloads(viewer: Viewer, key: str) -> None:
    plain = image(viewer.get(viewer.signed(f"{key}?w=640&f=png")))
    answer = viewer.get(viewer.signed(f"{key}?w=640&f=png&wm=logo,southeast,100,30&dl=my%20photo.png"))
    marked = image(answer)
    changed = ImageChops.difference(plain.convert("RGB"), marked.convert("RGB")).getbbox()
    assert changed is not None
    left, top, right, bottom = changed
    assert left > 400
    assert top > 200
    assert 170 < right - left <= 192  # 30 % of 640, less the transparent rim of the watermark
    assert 'filename="my photo.png"' in answer.headers["content-disposition"]
    assert bottom <= marked.height


def test_identical_misses_at_once_are_one_render(viewer: Viewer, key: str) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: viewer.get(f"{key}?w=1536&f=jpeg"), range(16)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert viewer.renders(key) == 1


PIECES: dict[str, tuple[object, ...]] = {
    "w": (320, 480, 640, 800, 321, 0, 8192),
    "h": (320, 640),
    "dpr": (1, 1.5, 2),
    "f": ("auto", "webp", "avif", "jpeg", "png", "gif", "json", "thumbhash", "bmp"),
    "q": (1, 50, 80),
    "fit": ("cover", "contain", "fill"),
    "preset": ("cover", "w320", "social", "nosuch"),
    "blur": (0, 3),
    "v": (1, 2, 3),
    "rot": (0, 90, 360),
    "anim": (0, 1),
}


def random_request(chance: random.Random) -> tuple[str, dict[str, str]]:
    """A query of up to three options, and headers that the edge negotiates by."""
    names = chance.sample(list(PIECES), chance.randint(0, 3))
    query = "&".join(f"{name}={chance.choice(PIECES[name])}" for name in names)
    headers = {"accept": chance.choice([CHROME, "image/webp", "*/*"])}
    if chance.random() < 0.3:
        headers["sec_ch_dpr"] = str(chance.choice([1, 1.25, 2, 3]))
    if chance.random() < 0.1:
        headers["save_data"] = "on"
    return query, headers


@pytest.mark.slow
def test_random_unsigned_requests_store_no_more_than_the_finite_set(viewer: Viewer) -> None:
    """``DARKROOM_RANDOM_REQUESTS`` is the number of random URLs."""
    key = viewer.upload(jpeg_photo(size=(60, 40)), "tiny.jpg")
    chance = random.Random(20261125)
    requests = [random_request(chance) for _ in range(int(os.environ.get("DARKROOM_RANDOM_REQUESTS", "10000")))]
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(lambda asked: viewer.get(f"{key}?{asked[0]}", **asked[1]).status, requests))
    assert statuses.keys() <= {200, 400, 403}
    assert statuses[200] > 100
    assert 0 < len(viewer.derivatives(key)) <= len(list_unsigned_variants("tiny.jpg", load_default_presets()))


def test_escaped_and_unescaped_keys_name_the_same_image(viewer: Viewer, key: str) -> None:
    viewer.get(f"{key}?w=320&f=webp")
    raw = key.replace("%20", " ").replace("%2B", "+").replace("%26", "&")
    assert viewer.again(quote(raw, safe="/%&+") + "?w=320&f=webp").cache == "Hit"

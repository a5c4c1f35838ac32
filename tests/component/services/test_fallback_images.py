"""Fallback images: native and dialect requests for images that are missing or damaged."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from obstore.store import MemoryStore
from PIL import Image

from darkroom.aws.s3_fast import FastBucket
from darkroom.errors import NoInference, SourceMissing, Unanalysable, list_errors_by_code
from darkroom.http.response import REQUEST, SIGNATURE, EdgeRequest, HttpResponse, respond, to_response
from darkroom.plan.canonical import derivative_name
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import Watermark
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import AccessMode, list_unsigned_variants
from darkroom.services.deadline import CpuLimit, is_abandoned
from darkroom.services.serve.answers import Answer, Failed, FallbackImage
from darkroom.services.serve.fallback import STATUSES, build_fallback_plan
from darkroom.services.serve.transform import Transform
from tests.images.photographs import jpeg_photo, png_noise
from tests.images.slow_svg import blurred
from tests.waiting import HANG_S, wait_until

from .dialects.serving import served
from .dialects.test_dialects import imgproxy, thumbor
from .functions import load
from .test_transform import NOW_S, Keys, request

GREY = (200, 200, 200)
WIDE = (800, 400)


def grey_png(size: tuple[int, int] = WIDE, colour: tuple[int, int, int] = GREY) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def store() -> FastBucket:
    """A store with a photograph, files that cannot be rendered, and two fallback images."""
    bucket = FastBucket(MemoryStore())
    bucket.put("masters/shop/photo.jpg", jpeg_photo(), {})
    bucket.put("masters/shop/damaged.jpg", jpeg_photo()[:-4000], {})
    bucket.put("masters/shop/text.jpg", b"a text", {})
    bucket.put("masters/fallback/shop.png", grey_png(), {})
    bucket.put("masters/fallback/any.png", grey_png((40, 40), (0, 0, 0)), {})
    return bucket


@pytest.fixture
def service(store: FastBucket) -> Transform:
    return make_service(store)


def make_service(store: FastBucket, **fields: Any) -> Transform:
    images = (("shop/", "fallback/shop.png"), ("", "fallback/any.png"))
    return Transform(
        **{"source": store, "media": store, "keys": Keys(), "clock": lambda: NOW_S, "fallback_images": images} | fields
    )


def ask(service: Transform, url: str, method: str = "GET", **headers: str) -> HttpResponse:
    return ask_with_error(service, url, method, **headers)[0]


def ask_with_error(service: Transform, url: str, method: str = "GET", **headers: str) -> tuple[HttpResponse, str]:
    """The response and the code of the error that is counted. ``key`` signs the request."""
    path = request(url, extension="auto-webp", key="key" if headers.pop("key", "") else "")
    sent = {REQUEST: path.request_path, SIGNATURE: path.signature} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    response, error = respond(service, EdgeRequest(path.path, method, sent))
    return response, error.code if error else ""


def image(response: HttpResponse) -> Image.Image:
    found = Image.open(io.BytesIO(b64decode(str(response["body"]))))
    found.load()
    return found


def headers(response: HttpResponse) -> Mapping[str, str]:
    return response["headers"]  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("shop/missing.jpg", 404, "no-source"),
        ("shop/text.jpg", 415, "type-not-allowed"),
        ("shop/damaged.jpg", 422, "damaged"),
    ],
)
def test_a_failed_image_is_replaced_with_its_status(service: Transform, key: str, status: int, code: str) -> None:
    response, counted = ask_with_error(service, f"/{key}?w=320")
    assert (response["statusCode"], counted) == (status, code)
    assert headers(response) == {
        "content-type": "image/webp",
        "cache-control": "public, max-age=60",
        "x-darkroom-error": code,
    }
    shown = image(response)
    assert (shown.size, shown.format) == ((320, 160), "WEBP")
    assert all(abs(is_ - was) < 4 for is_, was in zip(shown.convert("RGB").getpixel((9, 9)), GREY, strict=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("stores", [True, False, "presets", "auto"])
def test_it_is_rendered_and_stored_once_for_all_missing_keys(store: FastBucket, stores: bool | str) -> None:
    """Also where derivatives are not stored: otherwise each invented key would render it again."""
    service = make_service(store, stores=stores)
    bodies = {str(ask(service, f"/shop/{number}.jpg?w=320")["body"]) for number in range(3)}
    assert len(bodies) == 1
    assert store.etag("derivatives/fallback/shop.png/_/w-320.auto-webp") is not None
    assert store.etag("derivatives/shop/0.jpg/_/w-320.auto-webp") is None
    assert bodies == {str(ask(service, "/fallback/shop.png?w=320")["body"])}


def test_an_image_that_is_there_is_served(service: Transform) -> None:
    response = ask(service, "/shop/photo.jpg?w=320")
    assert response["statusCode"] == 200
    assert "x-darkroom-error" not in headers(response)


def test_the_longest_prefix_decides(service: Transform) -> None:
    assert image(ask(service, "/shop/missing.jpg?w=320")).size == (320, 160)
    assert image(ask(service, "/missing.jpg?w=320")).size == (40, 40)
    only = replace(service, fallback_images=(("shop/", "fallback/shop.png"),))
    assert headers(ask(only, "/missing.jpg?w=320"))["content-type"] == "application/problem+json"


def test_a_head_has_the_headers_of_a_get(service: Transform) -> None:
    get, head = (ask(service, "/shop/missing.jpg?w=320", method) for method in ("GET", "HEAD"))
    assert (head["statusCode"], head["headers"], head["body"]) == (404, get["headers"], "")


def test_a_condition_does_not_apply_to_an_error(service: Transform) -> None:
    """RFC 9110, 13.2.1: conditions are ignored if the response without them is no success."""
    for tag in ("*", str(headers(ask(service, "/fallback/shop.png?w=320"))["etag"])):
        response = ask(service, "/shop/missing.jpg?w=320", if_none_match=tag)
        assert (response["statusCode"], image(response).size) == (404, (320, 160))


@pytest.mark.parametrize("name", ["json", "thumbhash"])
def test_data_about_an_image_is_a_problem(service: Transform, name: str) -> None:
    response = ask(service, f"/shop/missing.jpg?f={name}")
    assert (response["statusCode"], json.loads(str(response["body"]))["code"]) == (404, "no-source")
    assert headers(response)["x-darkroom-error"] == "no-source"


@pytest.mark.parametrize(("url", "status"), [("/shop/missing.jpg?w=321", 403), ("/shop/missing.jpg?w=321&s=x", 403)])
def test_a_refused_request_gets_no_image(service: Transform, url: str, status: int) -> None:
    response = ask(service, url.replace("s=x", f"s={'A' * 43}"))
    assert (response["statusCode"], headers(response)["content-type"]) == (status, "application/problem+json")
    assert image(ask(service, "/shop/missing.jpg?w=321", key="key")).size == (321, 161)


def test_only_some_errors_are_replaced(service: Transform) -> None:
    over = replace(service, limits=replace(service.limits, max_bytes=9))
    assert headers(ask(over, "/shop/photo.jpg?w=320"))["x-darkroom-error"] == "over-limits"
    viewer_facing = [error for error in list_errors_by_code().values() if error.viewer_facing]
    assert {error.code for error in viewer_facing if error.status in STATUSES} == {
        "no-source", "type-not-allowed", "damaged", "too-slow", "unanalysable",
    }  # fmt: skip


def test_what_refers_to_the_content_of_an_image_is_left_out(service: Transform) -> None:
    plan = parse_url("/shop/a.jpg?w=300&h=200&fit=cover&g=face&crop=10,10,50,50&trim=9&dl=a&radius=7&f=png").plan
    found = build_fallback_plan(replace(plan, redact="faces", findings="1"), "b.png")
    assert found == parse_url("/b.png?w=300&h=200&fit=cover&radius=7&f=png").plan
    point = parse_url("/shop/a.jpg?w=300&h=200&fit=cover&g=fp,0.1,0.2").plan
    assert build_fallback_plan(point, "b.png") == parse_url("/b.png?w=300&h=200&fit=cover").plan
    framed = replace(point, nine_patch=True, watermark=Watermark("marks/frame.png"))
    assert build_fallback_plan(framed, "b.png") == parse_url("/b.png?w=300&h=200&fit=cover").plan
    side = parse_url("/shop/a.jpg?w=300&h=200&fit=cover&g=west").plan
    assert build_fallback_plan(side, "b.png") == replace(side, key="b.png")


def test_no_model_enlarges_a_fallback_image(store: FastBucket) -> None:
    service = make_service(store, upscale_prefixes=("shop/missing",), mode=AccessMode.OPEN)
    response = ask(service, "/shop/missing.jpg?w=1600&up=ai&f=webp", key="key")
    assert (response["statusCode"], image(response).size) == (404, (1600, 800))


def test_unsigned_requests_for_any_keys_have_a_finite_set_of_fallback_derivatives() -> None:
    presets = load_default_presets()
    always = ForcedOptions.parse("people/=faces")
    found = {
        derivative_name(build_fallback_plan(plan, "b.png"))
        for key in ("a.jpg", "people/a.jpg")
        for plan in list_unsigned_variants(key, presets, always)
        if plan.format not in ("json", "thumbhash")
    }
    assert len(found) <= len(list_unsigned_variants("b.png", presets))


def test_a_redacted_image_that_cannot_be_analysed_is_replaced(store: FastBucket) -> None:
    """The edge has added the redaction to the path. The fallback image needs none, and no findings."""
    service = make_service(store, inference=True, always=ForcedOptions.parse("shop/=faces"))
    plan = replace(parse_url("/shop/missing.jpg?w=320&f=webp").plan, redact="faces", findings="1")
    answer = service.serve_or_replace(plan)
    assert isinstance(answer, FallbackImage)
    assert isinstance(answer.error, SourceMissing)
    assert Unanalysable.status in STATUSES


def test_a_fallback_image_that_is_missing_or_broken_leaves_the_problem(service: Transform, store: FastBucket) -> None:
    for key, code in (("none.png", "no-source"), ("shop/text.jpg", "no-source"), ("shop/missing.jpg", "no-source")):
        broken = replace(service, fallback_images=(("", key),))
        response = ask(broken, "/shop/missing.jpg?w=320")
        assert (response["statusCode"], json.loads(str(response["body"]))["code"]) == (404, code)
    unanalysed = replace(service, always=ForcedOptions.parse("fallback/=faces"))
    answer = unanalysed.serve_or_replace(parse_url("/shop/missing.jpg?w=320&f=webp").plan)
    assert isinstance(answer, Failed)
    assert not isinstance(answer.error, NoInference)


@pytest.mark.slow
def test_a_fallback_image_that_is_too_large_leaves_the_problem(service: Transform, store: FastBucket) -> None:
    store.put("masters/noise.png", png_noise(1600, 1200), {})
    large = replace(service, fallback_images=(("", "noise.png"),), mode=AccessMode.OPEN)
    assert headers(ask(large, "/shop/missing.jpg?f=png"))["content-type"] == "application/problem+json"
    assert headers(ask(large, "/shop/missing.jpg?w=320"))["content-type"] == "image/webp"


@pytest.mark.slow
def test_nothing_is_rendered_beside_a_render_that_was_abandoned(service: Transform, store: FastBucket) -> None:
    store.put("masters/shop/slow.svg", blurred(3, 1000, 2000, 2000), {})
    limited = replace(service, cpu_limit=CpuLimit(cpu_s=0.2, wall_s=HANG_S))
    response = ask(limited, "/shop/slow.svg?w=1920")
    assert (response["statusCode"], headers(response)["content-type"]) == (422, "application/problem+json")
    wait_until(lambda: not is_abandoned(), "the render ends")
    again = ask(service, "/shop/slow.svg?w=1920")
    assert (again["statusCode"], headers(again)["x-darkroom-error"]) == (422, "too-slow")
    assert image(again).size == WIDE


@pytest.mark.parametrize(
    "url",
    [
        thumbor("300x200/shop/missing.jpg"),
        imgproxy("/rs:fill:300:200/plain/shop/missing.jpg@jpg"),
        imgproxy("/rs:fill:300:200/plain/https://images.example.com/photos/shop/missing.jpg"),
        "/cdn-cgi/image/width=320/shop/missing.jpg",
    ],
)
def test_dialect_urls_have_fallback_images_too(store: FastBucket, url: str) -> None:
    stack = served(store, fallback_images=(("shop/", "fallback/shop.png"),))
    response = stack.get(url)
    assert (response["statusCode"], headers(response)["cache-control"]) == (404, "public, max-age=60")
    assert headers(response)["x-darkroom-error"] == "no-source"
    assert image(response).size == ((320, 160) if "cdn-cgi" in url else (300, 200))
    assert stack.get(url, method="HEAD")["body"] == ""


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/thumbor/unsafe/meta/300x200/shop/missing.jpg", 404),
        ("/thumbor/unsafe/300x200/shop/missing.jpg", 403),
        ("/iiif/3/shop%2Fmissing.jpg/info.json", 404),
        ("/iiif/3/shop%2Fmissing.jpg/full/max/0/default.jpg", 404),
    ],
)
def test_documents_refusals_and_iiif_have_none(store: FastBucket, url: str, status: int) -> None:
    response = served(store, fallback_images=(("", "fallback/any.png"),)).get(url)
    assert (response["statusCode"], headers(response)["content-type"]) == (status, "application/problem+json")


def test_every_problem_names_its_code_in_a_header(make_answer: Callable[[str], Answer]) -> None:
    for code in ("bad-option", "unsigned", "no-source", "over-limits", "internal", "unavailable"):
        response = to_response(make_answer(code), method="HEAD", viewer_url="/")
        assert headers(response)["x-darkroom-error"] == code


def test_the_function_takes_them_from_the_settings(
    aws: Callable[[str], Any], aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)  # credentials are read when they are needed
    aws("s3").create_bucket(Bucket="with-fallback-images")
    aws("s3").put_object(Bucket="with-fallback-images", Key="masters/fallback/shop.png", Body=grey_png())
    environment = aws_environment | {"MEDIA_BUCKET": "with-fallback-images", "SIGNING_KEYS_ARN": "arn:of:keys"}
    function = load("transform", environment, {"fallback_images": {"shop/": "fallback/shop.png"}})
    event = {"rawPath": "/shop/a.jpg/_/w-320.webp", "headers": {}, "requestContext": {"http": {"method": "GET"}}}
    response = function.invoke(event)
    assert (response["statusCode"], response["headers"]["x-darkroom-error"]) == (404, "no-source")
    assert image(response).size == (320, 160)

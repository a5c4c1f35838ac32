"""Dialect requests, from the edge's headers to the HTTP response, on a store."""

from __future__ import annotations

import io
import json
from base64 import b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import md5, sha1, sha256
from hmac import digest
from typing import Any

import pytest
from PIL import Image

from darkroom.aws.s3_fast import FastBucket
from darkroom.http.response import HttpResponse
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.presets import Presets
from darkroom.plan.variants import AccessMode
from darkroom.services.caching import PROVISIONAL_S
from darkroom.services.serve.answers import MAX_BODY_BYTES
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import DIALECTS, DIALECTS_BY_NAME, IIIF
from darkroom_dialects.serving.signing_keys import parse_keys
from tests.images.photographs import jpeg_photo, png_noise

from .serving import KEYS, NOW_S, OLD_KEY, SETTINGS, Served, served


@pytest.fixture
def stack(bucket: FastBucket) -> Served:
    bucket.put("masters/photo.jpg", jpeg_photo((800, 600)), {})
    return served(bucket)


def thumbor(path: str, key: str = KEYS["thumbor"].key) -> str:
    """Signed as thumbor's documentation does it."""
    return f"/thumbor/{urlsafe_b64encode(digest(key.encode(), path.encode(), sha1)).decode()}/{path}"


def imgproxy(path: str) -> str:
    """Signed as imgproxy's documentation does it."""
    signature = digest(
        bytes.fromhex(KEYS["imgproxy"].key), bytes.fromhex(KEYS["imgproxy"].salt) + path.encode(), sha256
    )
    return f"/imgproxy/{urlsafe_b64encode(signature).decode().rstrip('=')}{path}"


def image(response: HttpResponse) -> Image.Image:
    assert response["statusCode"] == 200, response["body"]
    return Image.open(io.BytesIO(b64decode(str(response["body"]))))


def problem(response: HttpResponse) -> tuple[int, str]:
    return int(str(response["statusCode"])), str(json.loads(str(response["body"]))["code"])


def headers(response: HttpResponse) -> dict[str, str]:
    found: Any = response["headers"]
    return dict(found)


def imgix(target: str) -> str:
    """Signed as imgix's documentation does it."""
    signature = md5(f"{KEYS['imgix'].key}{target}".encode(), usedforsecurity=False).hexdigest()
    return f"/imgix{target}{'&' if '?' in target else '?'}s={signature}"


def cloudinary(target: str) -> str:
    """Signed as Cloudinary's documentation does it."""
    digest = sha1(f"{target}{KEYS['cloudinary'].key}".encode(), usedforsecurity=False).digest()
    return f"/cloudinary/demo/image/upload/s--{urlsafe_b64encode(digest).decode()[:8]}--/{target}"


@pytest.mark.parametrize(
    "url",
    [
        cloudinary("c_fill,h_200,w_300/photo.jpg"),
        imgix("/photo.jpg?fit=crop&w=300&h=200"),
        imgix("/https%3A%2F%2Fimages.example.com%2Fphotos%2Fphoto.jpg?w=300&h=200&fm=jpg&fit=crop&ixlib=js-3.8.0"),
        thumbor("300x200/photo.jpg"),
        thumbor("300x200/https://images.example.com/photos/photo.jpg"),
        imgproxy("/rs:fill:300:200/plain/photo.jpg"),
        imgproxy("/rs:fill:300:200/plain/https://images.example.com/photos/photo.jpg@jpg"),
    ],
)
def test_a_signed_url_gives_its_image(stack: Served, url: str) -> None:
    response = stack.get(url)
    found = image(response)
    assert (found.size, found.format) == ((300, 200), "JPEG")
    assert headers(response)["content-type"] == "image/jpeg"
    assert headers(response)["etag"]


def test_equal_requests_are_one_stored_image(stack: Served) -> None:
    urls = [
        imgproxy("/rs:fit:320:0/f:webp/plain/photo.jpg"),
        imgproxy("/w:320/plain/https://images.example.com/photos/photo.jpg@webp"),
        "/cdn-cgi/image/width=320,format=webp/photo.jpg",
    ]
    tags = {headers(stack.get(url)).get("etag") for url in urls}
    assert tags == {stack.bucket.etag("derivatives/photo.jpg/_/w-320.webp")}


def test_an_old_key_is_valid_beside_the_new_one_and_a_fresh_one_is_fetched(stack: Served) -> None:
    assert stack.get(thumbor("300x200/photo.jpg", OLD_KEY))["statusCode"] == 200
    assert stack.document.asked == [False]
    assert problem(stack.get(thumbor("300x200/photo.jpg", "the newest key of thumbor"))) == (403, "bad-signature")
    stack.document.fresh = parse_keys({"thumbor": ["the newest key of thumbor"]})
    assert stack.get(thumbor("300x200/photo.jpg", "the newest key of thumbor"))["statusCode"] == 200


def test_a_signature_that_is_there_has_to_be_right(stack: Served) -> None:
    forged = imgproxy("/w:321/plain/photo.jpg").replace("w:321", "w:320")
    assert problem(stack.get(forged)) == (403, "bad-signature")


def test_a_dialect_without_keys_has_no_valid_signature(stack: Served) -> None:
    stack.document.current = {}
    assert problem(stack.get(thumbor("300x200/photo.jpg"))) == (403, "bad-signature")


@pytest.mark.parametrize(
    "url",
    [
        "/thumbor/unsafe/300x200/photo.jpg",
        "/imgproxy/insecure/rs:fill:300:200/plain/photo.jpg",
        "/cdn-cgi/image/width=300/photo.jpg",
        "/imgix/photo.jpg?w=320",
        "/cloudinary/demo/image/upload/w_320/photo.jpg",
        "/imgproxy/insecure/w:320/q:77/plain/photo.jpg",
        "/imgproxy/insecure/w:320/fq:jpeg:77/plain/photo.jpg",
    ],
)
def test_unsigned_dialect_urls_get_the_unsigned_set_of_native_urls(stack: Served, url: str) -> None:
    response = stack.get(url)
    assert problem(response) == (403, "unsigned")
    assert headers(response)["cache-control"] == "no-store"
    assert stack.document.asked == [], "no key is fetched for an unsigned URL"


@pytest.mark.parametrize(
    "url",
    [
        "/imgix/photo.jpg?w=320&fit=max",
        "/cloudinary/demo/image/upload/c_limit,w_320/f_auto,q_auto/v1/photo.jpg",
        "/imgproxy/insecure/w:320/plain/photo.jpg",
        "/cdn-cgi/image/width=320/photo.jpg",
        "/cdn-cgi/image/width=320,format=auto/photo.jpg",
    ],
)
def test_a_width_of_the_ladder_needs_no_signature(stack: Served, url: str) -> None:
    assert image(stack.get(url)).width == 320


def test_modes_are_open_or_signed_too(bucket: FastBucket) -> None:
    bucket.put("masters/photo.jpg", jpeg_photo((800, 600)), {})
    for url in ("/thumbor/unsafe/300x200/photo.jpg", "/imgproxy/forged/rs:fill:300:200/plain/photo.jpg"):
        assert image(served(bucket, AccessMode.OPEN).get(url)).size == (300, 200)
    signed = served(bucket, AccessMode.SIGNED)
    assert problem(signed.get("/imgproxy/insecure/w:320/plain/photo.jpg")) == (403, "unsigned")
    assert image(signed.get(imgproxy("/w:320/plain/photo.jpg"))).width == 320


def test_a_dialect_that_is_off_is_not_there(stack: Served) -> None:
    dialects = Served(type(stack.dialects)(**_fields(stack) | {"modes": {}}), stack.document, stack.bucket)
    assert problem(dialects.get(thumbor("300x200/photo.jpg"))) == (404, "no-source")


def _fields(stack: Served) -> dict[str, Any]:
    return {name: getattr(stack.dialects, name) for name in type(stack.dialects).__dataclass_fields__}


@pytest.mark.parametrize(
    ("url", "body"), [("/thumbor/healthcheck", "WORKING"), ("/imgproxy/health", "imgproxy is running")]
)
def test_health_checks_of_other_services_are_answered(stack: Served, url: str, body: str) -> None:
    response = stack.get(url)
    assert (response["statusCode"], response["body"]) == (200, body)
    assert headers(response)["cache-control"] == "no-cache"
    assert stack.get(url, method="HEAD")["body"] == ""


def test_thumbors_metadata_document_needs_no_signature_and_is_not_stored(stack: Served) -> None:
    response = stack.get("/thumbor/unsafe/meta/300x200/photo.jpg")
    document = json.loads(b64decode(str(response["body"])))
    assert document["thumbor"]["target"] == {"width": 300, "height": 200}
    assert [one["type"] for one in document["thumbor"]["operations"]] == ["crop", "resize"]
    assert headers(response)["content-type"] == "application/json"
    assert stack.get("/thumbor/unsafe/meta/100x0/photo.jpg")["body"] != response["body"]
    assert stack.bucket.etag("derivatives/photo.jpg/_/full.json") is not None
    assert stack.bucket.etag("derivatives/photo.jpg/_/fit-cover_h-200_up-1_w-300.json") is None
    etag = headers(response)["etag"]
    assert stack.get("/thumbor/unsafe/meta/300x200/photo.jpg", if_none_match=etag)["statusCode"] == 304


def test_a_second_watermark_has_a_file_of_its_own(bucket: FastBucket) -> None:
    bucket.put("masters/photo.jpg", jpeg_photo((80, 60)), {})
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        out = io.BytesIO()
        Image.new("RGB", (10, 8), colour).save(out, "PNG")
        bucket.put(f"{name}.png", out.getvalue(), {})
    marks = {"red": "red.png", "blue": "blue.png"}
    stack = served(bucket, presets=lambda: Presets({}, marks))
    stack.dialects = replace(stack.dialects, settings=lambda: replace(SETTINGS, watermarks=marks))
    url = thumbor("filters:watermark(red.png,0,0,0):watermark(blue.png,-0,0,0):format(png)/photo.jpg")
    shown = image(stack.get(url)).convert("RGB")
    assert (shown.getpixel((2, 2)), shown.getpixel((77, 2))) == ((255, 0, 0), (0, 0, 255))


def test_a_link_ends_whether_or_not_it_needs_its_signature(stack: Served) -> None:
    for width in (320, 321):
        assert stack.get(imgproxy(f"/w:{width}/exp:{NOW_S + 9}/plain/photo.jpg"))["statusCode"] == 200
        assert problem(stack.get(imgproxy(f"/w:{width}/exp:{NOW_S - 9}/plain/photo.jpg"))) == (403, "expired")


@pytest.mark.parametrize(("left_s", "age_s"), [(9, 9), (3599, 3599), (90_000, 3600)])
def test_no_response_is_kept_beyond_the_expiry_of_its_url(stack: Served, left_s: int, age_s: int) -> None:
    """A dialect URL expires in the CDN's cache too; stored derivatives keep their own ages.

    imgproxy accepts a URL in the second of its timestamp.
    """
    expected = f"public, max-age={age_s}, s-maxage={age_s}"
    expiring = imgix(f"/photo.jpg?w=321&fit=max&expires={NOW_S + left_s}")
    for url in (imgproxy(f"/w:321/exp:{NOW_S + left_s - 1}/plain/photo.jpg"), dit_expiring(NOW_S + left_s), expiring):
        for _ in range(2):
            assert headers(stack.get(url))["cache-control"] == expected
    stored = stack.bucket.open("derivatives/photo.jpg/_/w-321.auto-legacy")
    assert stored is not None
    assert "s-maxage=31536000" in stored.attributes["Cache-Control"]


def test_private_images_need_a_signature_and_an_expiry_and_are_not_cached(bucket: FastBucket) -> None:
    bucket.put("masters/photo.jpg", jpeg_photo(), {})
    stack = served(bucket, AccessMode.OPEN, private_prefixes=("photo",))
    end = f"/exp:{NOW_S + 9}"
    link = imgix(f"/photo.jpg?w=300&expires={NOW_S + 9}")
    for url in (imgproxy(f"/w:320{end}/plain/photo.jpg"), dit_expiring(NOW_S + 9), link):
        response = stack.get(url)
        assert (response["statusCode"], headers(response)["cache-control"]) == (200, "private, no-store")
    refused = ["/imgproxy/insecure/w:320/plain/photo.jpg", f"/imgproxy/insecure/w:320{end}/plain/photo.jpg"]
    refused += [imgproxy("/w:320/plain/photo.jpg"), thumbor("300x200/photo.jpg"), "/dit/photo.jpg?width=300"]
    refused += [
        imgix("/photo.jpg?w=300"),
        cloudinary("w_300/photo.jpg"),
        f"/imgix/photo.jpg?w=320&fit=max&expires={NOW_S + 9}",
        "/cdn-cgi/image/width=320/photo.jpg",
        "/iiif/3/photo.jpg/info.json",
        "/iiif/3/photo.jpg/full/max/0/default.jpg",
    ]
    assert {problem(stack.get(url)) for url in refused} == {(403, "unsigned")}


def dit_expiring(expires_s: int) -> str:
    expires = datetime.fromtimestamp(expires_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    message = f"/photo.jpg?expires={expires}&width=300"
    signature = digest(KEYS["dit"].key.encode(), message.encode(), sha256).hex()
    return f"/dit/photo.jpg?width=300&expires={expires}&signature={signature}"


@pytest.mark.parametrize(
    ("url", "expected", "named"),
    [
        ("/imgproxy/insecure/nonsense:3/plain/photo.jpg", (400, "unknown-option"), "nonsense"),
        ("/cdn-cgi/image/nonsense=3/photo.jpg", (400, "unknown-option"), "nonsense"),
        ("/cloudinary/demo/image/upload/l_logo/photo.jpg", (400, "bad-option"), "watermark"),
        ("/imgix/photo.jpg?txt=hello", (400, "bad-option"), "text overlay"),
        ("/cdn-cgi/image/width=seven/photo.jpg", (400, "bad-option"), "seven"),
        (thumbor("300x200/https://other.example.com/photo.jpg"), (400, "bad-key"), "other.example.com"),
        (thumbor("300x200/missing.jpg"), (404, "no-source"), ""),
    ],
)
def test_errors_are_named_and_cached_briefly(stack: Served, url: str, expected: tuple[int, str], named: str) -> None:
    response = stack.get(url)
    assert problem(response) == expected
    assert named in str(response["body"])
    assert headers(response)["cache-control"] == "public, max-age=60"
    assert headers(response)["content-type"] == "application/problem+json"


def test_a_defect_is_a_problem_without_details(stack: Served) -> None:
    def broken() -> Any:
        raise RuntimeError("arn:aws:s3:::bucket")

    dialects = type(stack.dialects)(**_fields(stack) | {"settings": broken})
    response = Served(dialects, stack.document, stack.bucket).get(thumbor("300x200/photo.jpg"))
    assert problem(response) == (500, "internal")
    assert "arn:" not in str(response["body"])


def test_the_class_of_accept_is_what_is_negotiated(stack: Served) -> None:
    url = thumbor("300x200/photo.jpg")
    kinds = {
        name: headers(stack.get(url, x_darkroom_class=name))["content-type"] for name in ("auto-avif", "auto-webp")
    }
    assert kinds == {"auto-avif": "image/avif", "auto-webp": "image/webp"}
    assert headers(stack.get(url, x_darkroom_class="nonsense"))["content-type"] == "image/jpeg"


def test_nothing_is_kept_for_longer_than_the_limit(stack: Served) -> None:
    found = headers(stack.get(thumbor("300x200/photo.jpg")))
    assert found["cache-control"] == "public, max-age=3600, s-maxage=3600"
    stored = stack.bucket.open("derivatives/photo.jpg/_/fit-cover_h-200_up-1_w-300.auto-legacy")
    assert stored is not None
    assert "s-maxage=31536000" in stored.attributes["Cache-Control"], "our own URLs are purged"
    assert headers(stack.get(thumbor("300x201/filters:max_age(60)/photo.jpg")))["cache-control"] == (
        "public, max-age=60, s-maxage=60"
    )


def test_a_current_copy_is_not_sent_again_nor_a_body_to_head(stack: Served) -> None:
    url = thumbor("300x200/photo.jpg")
    first = headers(stack.get(url))
    again = stack.get(url, if_none_match=first["etag"])
    assert (again["statusCode"], again["body"]) == (304, "")
    assert headers(again)["cache-control"] == first["cache-control"]
    head = stack.get(url, method="HEAD")
    assert (head["statusCode"], head["body"]) == (200, "")
    assert headers(head)["etag"] == first["etag"]
    assert problem(stack.get(url, method="POST")) == (405, "method-not-allowed")


# ------------------------------------------------------------------ large results

LARGE = thumbor("2000x1500/filters:format(png)/noise.png")


@pytest.mark.slow
def test_what_no_answer_carries_is_fetched_under_a_secret_name(bucket: FastBucket) -> None:
    bucket.put("masters/noise.png", png_noise(2000, 1500), {})
    stack = served(bucket)
    first = stack.get(LARGE)
    location = headers(first)["location"]
    assert (first["statusCode"], headers(first)["cache-control"]) == (302, "no-store")
    assert location.startswith("/_large/noise.png/_/")
    handed = bucket.open("derivatives" + location.removeprefix("/_large"))
    assert handed is not None
    assert handed.size_bytes > MAX_BODY_BYTES
    assert handed.attributes["Content-Type"] == "image/png"
    assert handed.attributes["Cache-Control"] == "public, max-age=3600, s-maxage=3600"
    assert handed.attributes["source-etag"] == str(bucket.etag("masters/noise.png")).strip('"'), "a purge goes by it"
    assert handed.read() == next(iter([_stored(bucket)]))
    assert headers(stack.get(LARGE))["location"] == location, "found in the store, it is handed over again"
    assert stack.get(LARGE, method="HEAD")["statusCode"] == 200


def _stored(bucket: FastBucket) -> bytes:
    stored = bucket.open("derivatives/noise.png/_/fit-cover_h-1500_up-1_w-2000.png")
    assert stored is not None
    return stored.read()


@pytest.mark.slow
def test_a_variant_has_one_copy_whatever_age_its_urls_request(bucket: FastBucket) -> None:
    """The attack of the audit: 13 values of ``max_age`` made 13 copies."""
    bucket.put("masters/noise.png", png_noise(2000, 1500), {})
    stack = served(bucket)
    urls = [thumbor(f"2000x1500/filters:format(png):max_age({age})/noise.png") for age in range(0, 130, 10)]
    locations = {headers(stack.get(url))["location"] for url in [LARGE, *urls]}
    assert len(locations) == 1
    copy = bucket.open("derivatives" + locations.pop().removeprefix("/_large"))
    assert copy is not None
    assert copy.attributes["Cache-Control"] == "public, max-age=3600, s-maxage=3600", "the deployment's own"


@pytest.mark.slow
def test_a_copy_is_that_of_the_present_derivative(bucket: FastBucket) -> None:
    bucket.put("masters/noise.png", png_noise(2000, 1500), {})
    stack = served(bucket)
    location = headers(stack.get(LARGE))["location"]
    name = "derivatives/noise.png/_/fit-cover_h-1500_up-1_w-2000.png"
    stored = bucket.open(name)
    assert stored is not None
    other = stored.read() + b"encoded again"
    bucket.put(name, other, stored.attributes)
    assert headers(stack.get(LARGE))["location"] == location
    copy = bucket.open("derivatives" + location.removeprefix("/_large"))
    assert copy is not None
    assert copy.read() == other


@pytest.mark.slow
def test_its_name_cannot_be_guessed(bucket: FastBucket) -> None:
    bucket.put("masters/noise.png", png_noise(2000, 1500), {})
    ours, theirs = served(bucket), served(bucket)
    object.__setattr__(theirs.dialects.delivery, "keys", type(ours.dialects.delivery.keys)(("another key",)))
    assert headers(ours.get(LARGE))["location"] != headers(theirs.get(LARGE))["location"]


# ------------------------------------------------------------------ redaction


def test_a_dialect_serves_nothing_under_forced_redaction(bucket: FastBucket) -> None:
    bucket.put("masters/people/a.jpg", jpeg_photo((800, 600)), {})
    stack = served(bucket, always=ForcedOptions.parse("people/=faces"), inference=True)
    for url in (thumbor("300x200/people/a.jpg"), "/cdn-cgi/image/width=320/people/a.jpg"):
        assert problem(stack.get(url)) == (503, "findings-pending")
    without = served(bucket, always=ForcedOptions.parse("people/=faces"))
    assert problem(without.get(thumbor("300x200/people/a.jpg"))) == (501, "no-inference")


def test_red_eyes_are_corrected_by_known_faces_and_left_without_face_detection(
    bucket: FastBucket,
) -> None:
    bucket.put("masters/a.jpg", jpeg_photo((800, 600)), {})
    url = thumbor("300x200/filters:red_eye()/a.jpg")
    awaited, never = served(bucket, inference=True).get(url), served(bucket).get(url)
    assert (awaited["statusCode"], never["statusCode"]) == (200, 200)
    ages = [headers(one)["cache-control"].rpartition("s-maxage=")[2] for one in (awaited, never)]
    assert ages == [str(PROVISIONAL_S), "3600"]
    assert bucket.etag("derivatives/a.jpg/_/fit-cover_h-200_up-1_w-300.auto-legacy"), "which is stored as any other"


# ------------------------------------------------------------------ the table


@pytest.mark.parametrize("dialect", [one for one in DIALECTS if one.name != IIIF.name], ids=lambda one: one.name)
def test_every_dialect_of_the_table_has_a_parser(dialect: Any) -> None:
    grammar = load_parser(dialect)
    assert callable(grammar.parse)
    assert callable(grammar.verify)
    assert DIALECTS_BY_NAME[dialect.name] == dialect


def document(response: HttpResponse) -> Any:
    assert response["statusCode"] == 200, response["body"]
    assert headers(response)["content-type"] == "application/json"
    return json.loads(b64decode(str(response["body"])))


def test_a_health_check_is_answered_without_an_image(stack: Served) -> None:
    response = stack.get("/imgproxy/health")
    assert (response["statusCode"], response["body"]) == (200, "imgproxy is running")
    assert headers(response)["cache-control"] == "no-cache"
    assert problem(stack.get("/imgproxy/healthy"))[0] == 400


def test_documents_of_other_services_are_their_own(stack: Served) -> None:
    """They are made of the one description that is stored, and need no signature as it needs none."""
    info = stack.get("/imgproxy/info/unsafe/plain/photo.jpg")
    found = document(info)
    assert (found["format"], found["width"], found["height"]) == ("jpeg", 800, 600)
    resized = document(stack.get("/cdn-cgi/image/width=400,format=json/photo.jpg"))
    assert (resized["width"], resized["height"], resized["original"]["file_size"]) == (400, 300, found["size"])
    assert document(stack.get("/cdn-cgi/image/width=300,format=json/photo.jpg"))["width"] == 300
    assert stack.bucket.etag("derivatives/photo.jpg/_/full.json")
    assert stack.bucket.etag("derivatives/photo.jpg/_/w-400.json") is None
    assert stack.get("/imgproxy/info/unsafe/plain/photo.jpg", method="HEAD")["body"] == ""
    etag = headers(info)["etag"]
    again = stack.get("/imgproxy/info/unsafe/plain/photo.jpg", if_none_match=etag)
    assert (again["statusCode"], headers(again)["etag"]) == (304, etag)


def test_hosted_images_are_served_as_presets(stack: Served) -> None:
    response = stack.get("/cdn-cgi/imagedelivery/account/photo.jpg/cover")
    assert (image(response).size, headers(response)["content-type"]) == ((256, 256), "image/webp")
    assert problem(stack.get("/cdn-cgi/imagedelivery/account/photo.jpg/w=401")) == (403, "unsigned")
    assert problem(stack.get("/cdn-cgi/imagedelivery/other/photo.jpg/cover"))[0] == 400

"""Stacks whose CDN can have a flat-rate plan: below Premium without failover, with managed policies below Business."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from darkroom.services.serve.answers import MAX_BODY_BYTES
from tests.images.photographs import jpeg_photo, png_noise
from tests.stack.conftest import Stack, start_stack, stop_stack
from tests.stack.viewer import Viewer
from tests.waiting import HANG_S, wait_until


@pytest.fixture(scope="module", params=["free", "pro", "business", "premium"])
def plan(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def planned(plan: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    options = [f"PriceClass={plan}", "WafRateLimit=100000"]
    if plan in ("free", "pro"):  # the local stack has what these exclude
        options += ["Dialects=off", 'ImgproxyDomainName=""', 'ThumborDomainName=""', 'DitDomainName=""']
    if plan == "free":
        options += ["AccessLogDays=0"]
    words = [word for pair in options for word in ("--parameter", pair)]
    running = start_stack(tmp_path_factory.mktemp(plan), "--no-watch", "--no-inference", *words)
    yield running
    assert stop_stack(running) == 0


@pytest.fixture
def viewer(planned: Stack) -> Viewer:
    return planned.viewer()


def test_an_image_is_rendered_once_and_served_to_every_viewer(viewer: Viewer) -> None:
    path = viewer.upload(jpeg_photo(), "photo.jpg")
    first = viewer.get(f"{path}?w=320&f=webp")
    assert (first.status, first.cache, first.headers["content-type"]) == (200, "Miss", "image/webp")
    other = viewer.again(f"{path}?f=webp&w=320", accept_encoding="gzip, br", cookie="a=b")
    assert (other.cache, other.body) == ("Hit", first.body)
    assert viewer.derivatives(path) == ["w-320.webp"]
    assert viewer.get(f"{path}?w=320&f=webp", if_none_match=first.headers["etag"]).status == 304
    assert viewer.head(f"{path}?w=320&f=webp").status == 200
    json_answer = viewer.get(f"{path}?f=json")
    assert json.loads(json_answer.body)["width"] > 0


def test_unsigned_requests_are_refused_and_signed_ones_served(viewer: Viewer) -> None:
    path = viewer.upload(jpeg_photo(), "signed.jpg")
    url = f"{path}?w=321&f=webp"
    assert viewer.get(url).status == 403
    assert viewer.get(f"{url}&s={'x' * 43}").status == 403
    assert viewer.get(viewer.signed(url)).status == 200
    assert viewer.get(f"{path}?preset=cover").status == 200


def test_headers_of_images_and_errors(viewer: Viewer) -> None:
    path = viewer.upload(jpeg_photo(), "headers.jpg")
    found = viewer.get(f"{path}?w=320", origin="https://a.example").headers
    assert found["vary"] == "Accept, DPR, Sec-CH-DPR, Save-Data, Origin"
    assert found["access-control-allow-origin"] == "*"
    assert found["content-security-policy"].startswith("default-src 'none'")
    assert found["accept-ch"] == "DPR, Sec-CH-DPR, Width, Sec-CH-Width"
    assert not [name for name in found if name.startswith("x-amz-meta-")]
    missing = viewer.get("/none.jpg?w=320", origin="https://a.example")
    assert (missing.status, missing.problem["code"]) == (404, "no-source")
    assert missing.headers["access-control-allow-origin"] == "*"
    assert viewer.options(f"{path}?w=320", origin="https://a.example").status == 204


def test_a_large_image_is_served_after_a_redirect(plan: str, viewer: Viewer) -> None:
    """To itself with failover, which reads the stored image; otherwise to a copy."""
    path = viewer.upload(png_noise(1920, 1500), "noise.png")
    url = f"{path}?w=1920&f=png"
    redirect = viewer.get(url)
    location = redirect.headers["location"]
    assert redirect.status == 302
    first, again = viewer.get(location), viewer.get(location)
    assert (first.status, again.cache) == (200, "Hit")
    assert len(first.body) > MAX_BODY_BYTES
    assert "w-1920.png" in viewer.derivatives(path)
    assert viewer.get(f"/_large{path}/_/w-1920.png").status == 404, "what is stored has no other path"
    if plan == "premium":
        assert location == url
    else:
        assert location.startswith("/_large/")
        assert viewer.get(location.replace(".large", ".png")).status in (403, 404)


def test_an_uploaded_image_is_served_and_its_deletion_reaches_the_cdn(planned: Stack, viewer: Viewer) -> None:
    uploads = next(
        output["OutputValue"]
        for output in planned.cloud.cloudformation.describe_stacks(StackName="darkroom")["Stacks"][0]["Outputs"]
        if output["OutputKey"] == "UploadsBucketName"
    )
    s3 = planned.cloud.s3
    s3.put_object(Bucket=uploads, Key="own.jpg", Body=jpeg_photo())
    wait_until(lambda: viewer.get("/own.jpg?w=320").status == 200, "the upload is served", HANG_S)
    s3.delete_object(Bucket=uploads, Key="own.jpg")
    wait_until(lambda: viewer.get("/own.jpg?w=320").status == 404, "the deletion has reached the CDN", HANG_S)

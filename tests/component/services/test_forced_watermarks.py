"""Watermarks that the setting ``always_watermark`` forces, from the edge function's path to the response and ingest."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from darkroom.aws.s3_fast import FastBucket
from darkroom.http.response import EdgeRequest, respond
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.presets import load_default_presets
from darkroom.plan.url_builder import sign_literal
from darkroom.plan.variants import AccessMode
from darkroom.services.serve.transform import Transform
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.services.ingest.stores import select_presets
from functions.edge.build import edge_code
from tests.images.photographs import jpeg_photo
from tests.unit.edge.engine import Engines
from tests.unit.edge.reference import ViewerRequest, outcome

from .test_transform import NOW_S, Keys

KEY = "previews/photo.jpg"
FORCED = "previews/:logo-center-100-50,previews/press/:logo"


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    found = Engines(edge_code(), load_default_presets())
    yield found
    found.close()


@pytest.fixture
def service(bucket: FastBucket) -> Transform:
    bucket.put(f"masters/{KEY}", jpeg_photo(), {})
    bucket.put("masters/photo.jpg", jpeg_photo(), {})
    red = io.BytesIO()
    Image.new("RGB", (64, 64), (255, 0, 0)).save(red, "PNG")
    bucket.put("watermarks/logo.png", red.getvalue(), {})
    always = ForcedOptions.parse(FORCED)
    return Transform(source=bucket, media=bucket, keys=Keys(), always=always, mode=AccessMode.OPEN, clock=lambda: NOW_S)


def ask(service: Transform, engines: Engines, url: str, *, mode: str = "open") -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the response to a viewer's request, through the edge function."""
    import base64

    got = outcome(engines.of(mode, FORCED).answer(ViewerRequest(url).event(), ""))
    if "statusCode" in got:
        return got["statusCode"], got["headers"], b""
    headers = {f"x-darkroom-{name}": value for name, value in got.items() if name != "path"}
    response, _ = respond(replace(service, mode=AccessMode(mode)), EdgeRequest(got["path"], "GET", headers, ""))
    body = str(response.get("body", ""))
    return (
        int(str(response["statusCode"])),
        response["headers"],  # type: ignore[return-value]
        base64.b64decode(body) if response.get("isBase64Encoded") else body.encode(),
    )


def is_marked(body: bytes) -> bool:
    """Whether the middle of the image is red."""
    pixels = np.asarray(Image.open(io.BytesIO(body)).convert("RGB"), dtype=int)
    red, green, blue = pixels[pixels.shape[0] // 2, pixels.shape[1] // 2]
    return bool(red > 200 and green < 60 and blue < 60)


@pytest.mark.parametrize(
    "query", ["w=320&f=png", "f=png", "w=300&h=40&fit=cover&f=png", "crop=10,10,60,60&f=png", "wm=logo,north,1,1&f=png"]
)
def test_every_image_has_the_mark(service: Transform, engines: Engines, query: str) -> None:
    status, headers, body = ask(service, engines, f"/{KEY}?{query}")
    assert (status, is_marked(body)) == (200, True)
    assert "no-store" not in headers["cache-control"]


def test_other_images_have_none(service: Transform, engines: Engines) -> None:
    status, _, body = ask(service, engines, "/photo.jpg?w=320&f=png")
    assert (status, is_marked(body)) == (200, False)


@pytest.mark.parametrize("mode", ["open", "guarded", "signed"])
def test_a_signed_url_with_none_has_no_mark_and_is_stored_nowhere(
    service: Transform, bucket: FastBucket, engines: Engines, mode: str
) -> None:
    url = f"/{KEY}?w=320&f=png&wm=none"
    assert ask(service, engines, url, mode=mode)[0] == 403
    assert ask(service, engines, sign_literal(url, "another key"), mode=mode)[0] == 403
    for _ in range(2):
        status, headers, body = ask(service, engines, sign_literal(url, "key"), mode=mode)
        assert (status, is_marked(body)) == (200, False)
        assert headers["cache-control"] == "private, no-store"
    assert bucket.etag(f"derivatives/{KEY}/_/w-320_wm-none-southeast-100-25.png") is None


@pytest.mark.parametrize("name", ["w-320.png", "w-320_wm-logo-north-1-1.png", "w-320_wm-logo-southeast-100-25.png"])
def test_a_path_without_the_mark_of_its_key_is_refused(service: Transform, name: str) -> None:
    response, _ = respond(service, EdgeRequest(f"/{KEY}/_/{name}", "GET", {}, ""))
    assert response["statusCode"] == 400


def test_the_mark_is_stored_with_the_image(service: Transform, bucket: FastBucket, engines: Engines) -> None:
    ask(service, engines, f"/{KEY}?w=320&f=png")
    assert bucket.etag(f"derivatives/{KEY}/_/w-320_wm-logo-center-100-50.png") is not None
    assert bucket.etag(f"derivatives/{KEY}/_/w-320.png") is None


def test_presets_at_ingest_have_the_mark(aws: Callable[[str], Any]) -> None:
    aws("s3").create_bucket(Bucket="marks-at-ingest")
    aws("s3").put_object(Bucket="marks-at-ingest", Key="watermarks/logo.png", Body=b"the file")
    media = S3Bucket(aws("s3"), "marks-at-ingest")
    presets = load_default_presets()
    plans, files = select_presets(presets, ForcedOptions.parse(FORCED), media, KEY, "none")
    assert {plan.watermark for plan in plans} == {("logo", "center", 100, 50)}
    assert files == {"logo": b"the file"}
    plain, _ = select_presets(presets, ForcedOptions.parse(FORCED), media, "photo.jpg", "none")
    assert {plan.watermark for plan in plain} == {None}
    assert len(plain) == len(plans) > 3

"""Dialect URLs on the running stack: through the CDN, the edge function and the service."""

from __future__ import annotations

import io
import json
import secrets
import time
from base64 import standard_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import urllib3
from PIL import Image

from cli.dialect_signing import sign_in_dialect
from darkroom.aws.secrets import RETRY_S
from darkroom_dialects.registry import DIALECTS_BY_NAME
from darkroom_dialects.serving.signing_keys import parse_keys
from local.dialect_keys import DOCUMENT
from tests.corpus import CORPUS
from tests.images.photographs import jpeg_photo, png_noise
from tests.waiting import HANG_S, wait_until

from .conftest import Stack
from .viewer import Answer, Viewer

pytestmark = pytest.mark.smoke

MOVING = {
    name: json.loads((Path(__file__).parents[1] / "cases" / "moving" / f"{name}.json").read_text())
    for name in ("thumbor", "imgproxy")
}
PAGE_KEYS: Mapping[str, list[object]] = {
    "thumbor": [MOVING["thumbor"]["keys"]["security_key"]],
    "imgproxy": [MOVING["imgproxy"]["keys"]],
}
KEYS = {name: [*keys, *PAGE_KEYS.get(name, [])] for name, keys in DOCUMENT.items()}


@dataclass
class Page:
    """A browser that resolves its own hosts to the CDN's one port."""

    cdn_url: str
    pool: urllib3.PoolManager

    def get(self, host: str, url: str, **headers: str) -> Answer:
        answer = self.pool.request("GET", self.cdn_url + url, headers={"host": host, **headers}, redirect=False)
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)


@pytest.fixture(scope="module")
def page(stack: Stack) -> Page:
    return Page(stack.cdn_url, urllib3.PoolManager(retries=False, timeout=HANG_S))


@pytest.fixture(scope="module")
def photo(viewer: Viewer) -> str:
    """The key of an image of 1200 × 900."""
    return viewer.upload(jpeg_photo((1200, 900)), "photo.jpg")[1:]


@pytest.fixture(scope="module")
def keys(stack: Stack) -> Iterator[None]:
    """The pages' own keys beside the stack's, as after a migration."""
    arn = json.loads((stack.state / "stack.json").read_text())["outputs"]["LanguageKeysArn"]
    stack.cloud.secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(KEYS))
    time.sleep(RETRY_S)  # a worker fetches keys again after this time if those it has just fetched do not verify
    yield
    stack.cloud.secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(DOCUMENT))


def size(answer: Answer) -> tuple[int, int]:
    assert answer.status == 200, answer.body
    return Image.open(io.BytesIO(answer.body)).size


def signed(dialect: str, target: str) -> str:
    return sign_in_dialect(dialect, target, parse_keys(DOCUMENT))


def dit_request(key: str) -> str:
    """AWS's first form: a request in JSON."""
    document = {"key": key, "edits": {"resize": {"width": 300, "height": 200, "fit": "cover"}}}
    return "/" + standard_b64encode(json.dumps(document).encode()).decode()


TARGETS = {
    "thumbor": "/300x200/{key}",
    "imgproxy": "/rs:fill:300:200/plain/{key}",
    "dit": "/{key}?width=300&height=200&fit=cover",
}


@pytest.mark.parametrize("dialect", TARGETS)
def test_a_signed_url_gives_its_image_and_then_comes_from_the_cache(viewer: Viewer, photo: str, dialect: str) -> None:
    url = signed(dialect, TARGETS[dialect].format(key=photo))
    first, again = viewer.get(url), viewer.again(url)
    assert (size(first), first.headers["content-type"]) == ((300, 200), "image/jpeg")
    assert (again.cache, again.body) == ("Hit", first.body)
    assert first.headers["cache-control"] == "public, max-age=86400, s-maxage=86400"
    modern = viewer.get(url, accept="image/avif,image/webp,*/*")
    assert (size(modern), modern.headers["content-type"]) == ((300, 200), "image/avif")
    assert viewer.get(url, if_none_match=first.headers["etag"]).status == 304
    assert viewer.head(url).headers["content-length"] == str(len(first.body))


def test_awss_first_form_is_read_too(viewer: Viewer, photo: str) -> None:
    assert size(viewer.get(signed("dit", dit_request(photo)))) == (300, 200)


@pytest.mark.parametrize("dialect", TARGETS)
def test_a_forged_url_is_refused_and_so_is_an_unsigned_one(viewer: Viewer, photo: str, dialect: str) -> None:
    target = TARGETS[dialect].format(key=photo)
    forged = signed(dialect, target.replace("300", "301")).replace("301", "302")
    answer = viewer.get(forged)
    assert (answer.status, answer.problem["code"]) == (403, "bad-signature")
    unsigned = {"thumbor": "/unsafe", "imgproxy": "/insecure", "dit": ""}[dialect] + target.replace("300", "303")
    answer = viewer.get(DIALECTS_BY_NAME[dialect].prefix + unsigned)
    assert (answer.status, answer.problem["code"]) == (403, "unsigned")


def test_unsigned_requests_get_the_unsigned_set_of_native_urls(viewer: Viewer, photo: str) -> None:
    """One stored image for all dialects."""
    for url in (
        f"/{photo}?w=640&f=webp",
        f"/imgproxy/insecure/w:640/plain/{photo}@webp",
        f"/cdn-cgi/image/width=640,format=webp/{photo}",
    ):
        assert size(viewer.get(url)) == (640, 480)
    assert viewer.derivatives(f"/{photo}").count("w-640.webp") == 1
    assert viewer.get(f"/cdn-cgi/image/width=641/{photo}").status == 403


def test_what_is_wrong_is_named(viewer: Viewer, photo: str) -> None:
    answer = viewer.get(signed("imgproxy", f"/nonsense:3/plain/{photo}"))
    assert (answer.status, answer.problem["code"], answer.problem["option"]) == (400, "unknown-option", "nonsense")
    assert answer.headers["content-type"] == "application/problem+json"
    assert viewer.get(signed("thumbor", "/300x200/nothing.jpg")).status == 404
    assert viewer.get(signed("thumbor", "/300x200/https://elsewhere.example.com/a.jpg")).status == 400


def test_a_host_of_its_own_needs_no_prefix(page: Page, viewer: Viewer, photo: str) -> None:
    for dialect, target in TARGETS.items():
        url = signed(dialect, target.format(key=photo).replace("300", "270")).removeprefix(
            DIALECTS_BY_NAME[dialect].prefix
        )
        assert size(page.get(f"{dialect}.localhost:8088", url)) == (270, 200)
        assert viewer.get(url).status != 200, "only there"
    assert page.get("imgproxy.localhost", f"/{photo}?w=320").status == 400, "nor is our own language spoken there"


@pytest.mark.slow
def test_a_large_image_is_fetched_under_an_unguessable_name(viewer: Viewer, page: Page) -> None:
    path = viewer.upload(png_noise(2000, 1500), "noise.png")
    url = signed("thumbor", f"/2000x1500/filters:format(png){path}")
    first = viewer.get(url)
    assert (first.status, first.headers["cache-control"]) == (302, "no-store")
    large = viewer.get(first.headers["location"])
    assert (size(large), large.headers["content-type"]) == ((2000, 1500), "image/png")
    assert large.headers["cache-control"] == "public, max-age=86400, s-maxage=86400"
    assert viewer.again(first.headers["location"]).cache == "Hit"
    assert size(page.get("thumbor.localhost", first.headers["location"])) == (2000, 1500)
    canonical = "/_large" + path + "/_/" + next(name for name in viewer.derivatives(path) if name.endswith(".png"))
    assert viewer.get(canonical).status == 404


def test_a_new_image_is_answered_once_the_cdn_asks_again(stack: Stack, viewer: Viewer) -> None:
    """A purge takes care of the store; of the CDN the age does, which here a restart shortens."""
    path = viewer.upload(jpeg_photo((1200, 900)), "changing.jpg")
    url = signed("thumbor", f"/300x200{path}")
    before = viewer.get(url)
    stack.cloud.s3.put_object(Bucket=stack.media_bucket, Key=f"masters{path}", Body=png_noise(600, 400))
    assert viewer.again(url).body == before.body
    viewer.restart_cdn()
    after = viewer.get(url)
    assert size(after) == (300, 200)
    assert after.body != before.body


@pytest.mark.slow
def test_iiif_is_purged_by_its_prefix(stack: Stack, viewer: Viewer, tmp_path: Path) -> None:
    facts = json.loads((stack.state / "stack.json").read_text())
    path = viewer.upload(jpeg_photo((600, 400)), f"purged-{secrets.token_hex(4)}/a b.jpg").removeprefix("/")
    viewer_url = f"/iiif/3/{path.replace('/', '%2F')}/full/max/0/default.jpg"
    uploads, name = facts["uploads_bucket"], unquote(path)
    first = _answered(viewer, viewer_url, (600, 400))
    assert viewer.again(viewer_url).body == first.body
    stack.cloud.s3.put_object(Bucket=uploads, Key=name, Body=jpeg_photo((300, 200)))
    _answered(viewer, viewer_url, (300, 200))


def _answered(viewer: Viewer, url: str, wanted: tuple[int, int]) -> Answer:
    last: list[Answer] = []

    def look() -> Answer | None:
        last[:] = [viewer.get(url)]
        return last[0] if last[0].status == 200 and size(last[0]) == wanted else None

    found = wait_until(look, lambda: (last[0].status, last[0].body[:200]))
    assert found is not None
    return found


# ------------------------------------------------------------------ pages that move


@pytest.fixture(scope="module")
def images(stack: Stack) -> None:
    """The images of both pages, by their bare keys."""
    for name in {*MOVING["thumbor"]["sources"], *MOVING["imgproxy"]["sources"]}:
        [found] = CORPUS.rglob(name)
        stack.cloud.s3.put_object(Bucket=stack.media_bucket, Key=f"masters/{name}", Body=found.read_bytes())


KNOWN = {
    "thumbor: a colour behind transparency": {"content_type": "image/jpeg"},  # nothing shows through: the smaller type
    "thumbor: trimmed": {"height": 107},  # transparent pixels are border, too
    "imgproxy: margins on four sides": {"content_type": "image/png"},  # transparent, as no colour is named
    "imgproxy: margins for a dense screen": {"content_type": "image/png"},
}
"""Differences from the other services, as expectations. docs/guides/migration.md documents them."""

CASES = [(service, case) for service in MOVING for case in MOVING[service]["cases"]]


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason="needs the corpus")
@pytest.mark.usefixtures("images", "keys")
@pytest.mark.parametrize(("service", "case"), CASES, ids=[f"{service}: {case['name']}" for service, case in CASES])
def test_a_page_moves_by_changing_the_host_alone(page: Page, service: str, case: dict[str, Any]) -> None:
    answer = page.get(f"{service}.localhost", case["url"])
    expected = case["expect"] | KNOWN.get(f"{service}: {case['name']}", {})
    if expected["status"] != 200:
        assert 400 <= answer.status < 500
        return
    if answer.status == 403 and not case["signed"]:
        assert answer.problem["code"] == "unsigned", "which the guard refuses here, and the service did not"
        return
    found = Image.open(io.BytesIO(answer.body))
    assert (found.size, answer.headers["content-type"]) == (
        (expected["width"], expected["height"]),
        expected["content_type"],
    )
    assert getattr(found, "n_frames", 1) == expected.get("frames", 1)
    if disposition := expected.get("content_disposition"):
        assert answer.headers["content-disposition"].startswith(disposition)

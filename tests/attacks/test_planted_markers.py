"""Metadata in responses: nothing private that a file carries is returned, by any URL of any dialect.

Files of every type with markers (EXIF with GPS, maker notes and thumbnails, XMP, IPTC, comments, ICC text, hidden
images, unknown chunks, trailing bytes) are placed in the media bucket by hand, by hand with the metadata of a master
that ingest cleaned, and by ingest. Each is requested by a table of URLs, and by random combinations of options. The
services run as they are, over MiniStack's S3; every response and every stored object is searched.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from random import Random
from typing import Any

import obstore
import pytest

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.errors import DarkroomError
from darkroom.http.response import HttpResponse, to_response
from darkroom.plan.native_url import parse_url
from darkroom.plan.variants import AccessMode
from darkroom.services.caching import MASTER_SHA256
from darkroom.services.serve.answers import TransformRequest
from tests.component.imaging.test_gainmap import ultra_hdr
from tests.component.services.dialects.serving import Served, served
from tests.component.services.ingest_environment import IngestEnvironment
from tests.images.cameras import camera_files
from tests.images.markers import MARKER, find_markers
from tests.images.planted import in_jpeg, in_png, planted
from tests.images.sources import photo
from tests.tally import Tally

pytestmark = [pytest.mark.slow, pytest.mark.never_skips]

COMBINATIONS = 30
"""Random URLs for each placed file, beside the table."""
LARGE_BYTES = 3_000
"""The size of a large response here, instead of 4.5 MB, so that `.large` copies are stored."""
LEAST_ANSWERED = 8
"""URLs of each dialect that return an image, for each file: else the search would be of refusals."""


@cache
def files() -> dict[str, bytes]:
    """Every file that is placed, by its name in the tables."""
    turned = photo().rotate(90)
    animated: dict[str, Any] = {"save_all": True, "append_images": [turned.resize(photo().size)], "duration": 70}
    return {
        **planted(),
        **{f"jpeg {name}": body for name, body in camera_files().items()},
        "jpeg gain map": in_jpeg(ultra_hdr()),
        "png animated": in_png(photo(), **animated),
        "jpeg turned": in_jpeg(planted()["jpeg"], 6),
    }


NATIVE = {
    "f": ("jpeg", "png", "webp", "avif", "gif", "json", "thumbhash", "auto"),
    "w": ("40", "4000"),
    "q": ("auto", "100", "30"),
    "page": ("1",),
    "dl": ("name",),
    "anim": ("0",),
    "rot": ("90",),
    "gray": ("1",),
    "crop": ("0,0,20,20",),
    "up": ("1",),
    "meta": ("rights", "none"),
}
IMGPROXY = {
    "raw": ("1",),
    "skp": ("jpg:png:webp:gif:avif:tiff:svg:heic", "jpeg", "png", "tiff", "avif"),
    "f": ("jpg", "png", "webp", "gif", "tiff"),
    "w": ("40", "0"),
    "ar": ("0", "1"),
    "sm": ("0",),
    "kcr": ("1",),
    "scp": ("0",),
    "eth": ("1",),
    "ph": ("1",),
    "q": ("100",),
    "fn": ("secretive",),
    "att": ("1",),
    "pg": ("1",),
    "da": ("1",),
    "rot": ("90",),
}
THUMBOR = {
    "format": ("jpeg", "png", "webp", "gif", "tiff"),
    "strip_exif": ("",),
    "strip_icc": ("",),
    "quality": ("100",),
    "no_upscale": ("",),
    "cover": ("",),
    "grayscale": ("",),
    "gifv": ("",),
}
DIT = {
    "toFormat": ('"jpeg"', '"png"', '"webp"', '"tiff"', '"gif"'),
    "stripExif": ("false", "true"),
    "stripIcc": ("false",),
    "withMetadata": ("true", "{}"),
    "keepExif": ("true",),
    "keepMetadata": ("true",),
    "animated": ("true", "false"),
    "rotate": ("null", "90"),
    "resize": ('{"width":40}', '{"width":4000,"withoutEnlargement":true}'),
}
CLOUDFLARE = {
    "format": ("jpeg", "png", "webp", "json", "auto", "baseline-jpeg"),
    "metadata": ("keep", "copyright", "none"),
    "onerror": ("redirect",),
    "anim": ("false", "true"),
    "quality": ("100",),
    "width": ("40", "4000"),
}
IIIF = [f"full/{size}/{turn}/default.{form}" for size, turn, form in product(("max", "40,"), (0, 90), ("jpg", "png"))]
IIIF += [f"square/max/0/gray.{form}" for form in ("jpg", "png", "tif", "gif")] + ["info.json"]


RIGHTS = re.compile(rb"secret (?:artist|author|byline|copyright)")
"""What the files have as creator and copyright, which a URL may ask for, and other services return unasked."""


def without_rights(body: bytes) -> bytes:
    """Return ``body`` without the rights that were planted."""
    return RIGHTS.sub(b"", body)


def private_texts(path: str, body: bytes) -> object:
    """Return the planted texts of the stored object ``path`` that it must not have."""
    may_have_rights = path.endswith((".json", ".large")) or re.search("[/_]cr-1[_.]", path)
    return find_markers(without_rights(body) if may_have_rights else body)


@dataclass
class Placed:
    """A deployment with files in its media bucket, and the responses made of them."""

    stack: Served
    ingested: bool
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)

    def native(self, key: str, query: str) -> HttpResponse:
        """The response to a native URL."""
        try:
            path = parse_url(f"/{key}?{query}").path
        except DarkroomError as error:
            return {"statusCode": error.status, "headers": {}, "body": error.message}
        answer = self.stack.dialects.transform.answer(TransformRequest(path))
        return to_response(answer, method="GET", viewer_url="")

    def check(self, dialect: str, url: str, response: HttpResponse) -> None:
        """Fail if anything planted is in a response."""
        self.statuses[dialect, int(str(response["statusCode"]))] += 1
        text = str(response["body"])
        body = b64decode(text) if response.get("isBase64Encoded") else text.encode()
        may_have_rights = dialect != "native" or "meta=rights" in url or "f=json" in url
        assert not find_markers(without_rights(body) if may_have_rights else body), url
        headers = str(response["headers"]).replace("secretive", "")
        assert MARKER.decode() not in headers, url

    def get(self, dialect: str, url: str) -> None:
        """Send a URL of a dialect, and check the response."""
        self.check(dialect, url, self.stack.get(url))


def urls_of(key: str, random: Random) -> Iterator[tuple[str, str]]:
    """Dialect and URL: each value of each option alone, and random combinations."""
    for dialect, options in OPTIONS.items():
        alone = [{name: value} for name, values in options.items() for value in values]
        mixed = [
            {name: random.choice(options[name]) for name in random.sample(sorted(options), random.randint(2, 4))}
            for _ in range(COMBINATIONS // len(OPTIONS))
        ]
        for chosen in [{}, *alone, *mixed]:
            yield dialect, WRITTEN[dialect](key, chosen)
    for rest in IIIF:
        for version in (2, 3):
            yield "iiif", f"/iiif/{version}/{key}/{rest}"
    yield "thumbor", f"/thumbor/unsafe/meta/{key}"
    yield "dit", f"/dit/{key}"
    yield "dit", f"/dit/{key}?format=jpeg&width=4000"


def _imgproxy(key: str, chosen: dict[str, str]) -> str:
    return "/imgproxy/unsafe/" + "".join(f"{name}:{value}/" for name, value in chosen.items()) + f"plain/{key}"


def _thumbor(key: str, chosen: dict[str, str]) -> str:
    filters = ":".join(f"{name}({value})" for name, value in chosen.items())
    return "/thumbor/unsafe/" + (f"filters:{filters}/" if filters else "") + key


def _dit(key: str, chosen: dict[str, str]) -> str:
    edits = ",".join(f'"{name}":{value}' for name, value in chosen.items())
    return "/dit/" + b64encode(f'{{"key":"{key}","edits":{{{edits}}}}}'.encode()).decode()


def _cloudflare(key: str, chosen: dict[str, str]) -> str:
    return (
        "/cdn-cgi/image/" + (",".join(f"{name}={value}" for name, value in chosen.items()) or "quality=100") + f"/{key}"
    )


def _native(_: str, chosen: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in chosen.items())


OPTIONS = {"native": NATIVE, "imgproxy": IMGPROXY, "thumbor": THUMBOR, "dit": DIT, "cloudflare": CLOUDFLARE}
WRITTEN = {
    "native": _native,
    "imgproxy": _imgproxy,
    "thumbor": _thumbor,
    "dit": _dit,
    "cloudflare": _cloudflare,
}


def by_hand(bucket: FastBucket, key: str, body: bytes) -> None:
    bucket.put(f"masters/{key}", body, {"Content-Type": "image/jpeg"})


def with_copied_metadata(bucket: FastBucket, key: str, body: bytes) -> None:
    other = hashlib.sha256(b"a master that ingest cleaned").hexdigest()
    marks = {"sequencer": "0" * 64, "sha256": other, "version-id": "1", "how": "cleaned", MASTER_SHA256: other}
    bucket.put(f"masters/{key}", body, {"Content-Type": "image/jpeg", **marks})


@pytest.fixture(params=["by hand", "by hand with copied metadata", "by ingest"], ids=lambda how: how.replace(" ", "-"))
def placed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, aws: Any, aws_environment: dict[str, str]
) -> Placed:
    env = IngestEnvironment.build(aws)
    bucket = connect(env.names["media"], CredentialSource(aws_environment), aws_environment)
    for name, body in files().items():
        key = name.replace(" ", "-")
        if request.param == "by ingest":
            env.created(key, body)
        else:
            (by_hand if request.param == "by hand" else with_copied_metadata)(bucket, key, body)
    monkeypatch.setattr("darkroom.services.serve.rendering.MAX_BODY_BYTES", LARGE_BYTES)
    stack = served(bucket, AccessMode.OPEN)
    stack.dialects = replace(stack.dialects, transform=replace(stack.dialects.transform, mode=AccessMode.OPEN))
    return Placed(stack, ingested=request.param == "by ingest")


def test_no_response_and_no_stored_object_has_anything_planted(placed: Placed, tally: Tally) -> None:
    random = Random(18)
    bucket = placed.stack.bucket
    for name, body in files().items():
        assert find_markers(body) or "pages" in name, name
        key = name.replace(" ", "-")
        assert bucket.etag(f"masters/{key}") is not None, name
        for dialect, url in urls_of(key, random):
            if dialect == "native":
                placed.check(dialect, f"/{key}?{url}", placed.native(key, url))
            else:
                placed.get(dialect, url)
    stored = [one["path"] for page in obstore.list(bucket._store, None) for one in page]
    private = {path: found for path in stored if (found := private_texts(path, bucket.read(path) or b""))}
    assert not [path for path in private if placed.ingested or not path.startswith("masters/")]
    assert any(path.endswith(".large") for path in stored)
    tally.add("responses", placed.statuses.total())
    tally.add("objects", len(stored))
    for dialect in (*OPTIONS, "iiif"):
        answered = placed.statuses[dialect, 200] + placed.statuses[dialect, 302]
        assert answered > LEAST_ANSWERED * len(files()), (dialect, placed.statuses)

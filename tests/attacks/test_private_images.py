"""Private images: in no URL language, spelling or plan are they served without a valid link, stored or not."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from obstore.store import MemoryStore

from darkroom.aws.s3_fast import FastBucket
from darkroom.plan.url_builder import sign_literal, sign_target
from darkroom.plan.variants import AccessMode
from darkroom_pipeline.plan.edge_settings import PrivateImages
from tests.component.services.dialects.serving import KEYS
from tests.images.photographs import jpeg_photo
from tests.tally import Tally
from tests.unit.edge.engine import NOW_S
from tests.unsigned_urls import Sent

from .deployment import Deployment

KEY = "a signing key of the deployment"
KEY_OF_IMAGE = "clients/17/photo.jpg"
PRIVATE = PrivateImages(("clients/",), (KEY,))
FALLBACK = "clients/missing.jpg"
QUERIES = ("", "?w=640", "?w=641", "?f=json", "?f=thumbhash", "?preset=cover", "?w=auto", "?w=640&f=webp&dl=a")
SPELLINGS = (
    "/clients/17/photo.jpg",
    "/client%73/17/photo.jpg",
    "/clients%2F17%2Fphoto.jpg",
    "/%63lients/17/photo.jpg",
    "//clients/17/photo.jpg",
    "/./clients/17/photo.jpg",
    "/x/../clients/17/photo.jpg",
    "/clients/17/photo.jpg/_/w-640.auto-legacy",
    "/derivatives/clients/17/photo.jpg/_/w-640.auto-legacy",
    "/masters/clients/17/photo.jpg",
)


@pytest.fixture(params=["edge", "Free"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """A deployment whose modes are open, with a private image of which every variant of a preset is stored."""
    bucket = FastBucket(MemoryStore())
    for key in (KEY_OF_IMAGE, "photo.jpg"):
        bucket.put(f"masters/{key}", jpeg_photo(), {})
    found = Deployment.of(bucket, AccessMode.OPEN, private=PRIVATE, has_edge_store=request.param == "edge")
    for query in QUERIES:
        found.send(Sent("native", sign_literal(f"/{KEY_OF_IMAGE}{query}", KEY, NOW_S + 60)))
    yield found
    found.close()


def imgproxy(options: str, signature: str = "") -> str:
    path = f"/{options}/plain/{KEY_OF_IMAGE}"
    key = KEYS["imgproxy"]
    signed = hmac.digest(bytes.fromhex(key.key), bytes.fromhex(key.salt) + path.encode(), "sha256")
    return f"/imgproxy/{signature or base64.urlsafe_b64encode(signed).decode().rstrip('=')}{path}"


def dit(end_s: int, key: str) -> str:
    expires = datetime.fromtimestamp(end_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    message = f"/{KEY_OF_IMAGE}?expires={expires}&width=300"
    return f"/dit{message}&signature={hmac.digest(key.encode(), message.encode(), 'sha256').hex()}"


def thumbor_signed() -> str:
    path = f"300x200/{KEY_OF_IMAGE}"
    signature = hmac.digest(KEYS["thumbor"].key.encode(), path.encode(), "sha1")
    return f"/thumbor/{base64.urlsafe_b64encode(signature).decode()}/{path}"


def attempts() -> Iterator[str]:
    """URLs without a valid link to the image."""
    for spelling in SPELLINGS:
        yield from (spelling + query for query in QUERIES)
    for query in QUERIES:
        url = f"/{KEY_OF_IMAGE}{query}"
        for sign in (sign_target, sign_literal):
            if "auto" in query and sign is sign_target:
                continue
            yield sign(url, KEY)
            yield sign(url, KEY, NOW_S)
            yield sign(url, KEY[:-1], NOW_S + 60)
            valid = sign("/photo.jpg" + query, KEY, NOW_S + 60)
            yield valid.replace("/photo.jpg", f"/{KEY_OF_IMAGE}")
    yield from (imgproxy("w:320", "insecure"), imgproxy(f"w:320/exp:{NOW_S + 60}", "insecure"), imgproxy("w:320"))
    yield from (imgproxy(f"w:320/exp:{NOW_S - 60}"), imgproxy(f"w:320/exp:{NOW_S + 60}").replace("w:320", "w:640"))
    yield from (dit(NOW_S - 60, KEYS["dit"].key), dit(NOW_S + 60, "another secret of DIT"))
    yield from (thumbor_signed(), f"/thumbor/unsafe/300x200/{KEY_OF_IMAGE}", f"/dit/{KEY_OF_IMAGE}?width=320")
    yield f"/cdn-cgi/image/width=320/{KEY_OF_IMAGE}"
    identifier = KEY_OF_IMAGE.replace("/", "%2F")
    for version in ("2", "3"):
        yield from (f"/iiif/{version}/{identifier}{rest}" for rest in ("", "/info.json", "/full/max/0/default.jpg"))


def test_no_private_image_is_served_without_a_valid_link(deployment: Deployment, tally: Tally) -> None:
    tried = [*attempts()]
    found = {url: int(str(deployment.response(Sent("any", url))["statusCode"])) for url in tried}
    tally.add("requests", len(found))
    assert {url: status for url, status in found.items() if status not in (400, 403, 404)} == {}
    assert sum(status == 403 for status in found.values()) > 60


def test_valid_links_are_served_and_public_images_are_open(deployment: Deployment) -> None:
    native = [sign_literal(f"/{KEY_OF_IMAGE}{query}", KEY, NOW_S + 60) for query in QUERIES if "auto" not in query]
    others = [imgproxy(f"w:320/exp:{NOW_S + 60}"), dit(NOW_S + 60, KEYS["dit"].key)]
    public = [
        "/photo.jpg?w=640",
        "/imgproxy/insecure/w:320/plain/photo.jpg",
        "/iiif/3/photo.jpg/full/max/0/default.jpg",
    ]
    assert {deployment.send(Sent("any", url)) for url in native + others + public} == {200}


def test_what_the_edge_does_not_verify_is_not_cached(deployment: Deployment) -> None:
    native = deployment.response(Sent("native", sign_literal(f"/{KEY_OF_IMAGE}?w=700", KEY, NOW_S + 60)))
    dialect = deployment.response(Sent("imgproxy", imgproxy(f"w:320/exp:{NOW_S + 60}")))
    ages = [dict(one["headers"])["cache-control"] for one in (native, dialect)]  # type: ignore[call-overload]
    is_verified = deployment.stack.dialects.transform.edge_verifies
    assert ("s-maxage" in ages[0]) == is_verified
    assert ages[1] == "private, no-store"
    assert is_verified or ages[0] == "private, no-store"

"""Images of several sources: rendered from the source of their key, cached as long as their source allows, purged."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.further_sources import FurtherSource
from darkroom.image_keys import MASTERS, derivatives_prefix
from darkroom.origins.https import HttpsOrigin
from darkroom.origins.routing import KEYS, RoutedTransform, route_masters, route_transform
from darkroom.plan.canonical import parse_path
from darkroom.plan.native_url import parse_url
from darkroom.plan.variants import AccessMode
from darkroom.services.caching import CachePolicy, derivative_metadata
from darkroom.services.serve.answers import Answer, Failed, Rendered, Stored, TransformRequest
from darkroom.services.serve.rendering import Prefetch
from darkroom.services.serve.transform import Transform
from darkroom.settings import DEFAULTS, Settings, parse_settings
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.origins.purge import RoutedPurge
from tests.fixed_keys import FixedKeys
from tests.images.photographs import jpeg_photo

from .server import HOST, Origin, page, run_origin

_numbers = itertools.count(1)


@dataclass
class Sites:
    """Buckets of the stack and of a partner, an origin, and the settings that name them."""

    media: FastBucket
    partner: FastBucket
    client: S3Bucket
    partner_client: S3Bucket
    origin: Origin
    settings: Settings

    def transform(self, settings: Settings | None = None, **changed: Any) -> Transform:
        base = Transform(source=self.media, media=self.media, keys=FixedKeys(("key",)), mode=AccessMode.OPEN, **changed)
        settings = settings or self.settings
        if not settings.sources:
            return base

        def open_origin(source: FurtherSource, max_bytes: int) -> HttpsOrigin:
            return HttpsOrigin(source, max_bytes, self.origin.network())

        return route_transform(base, settings, credentials(), open_origin)

    def stored(self, key: str) -> list[str]:
        return [one.key for page in self.client.list_pages(derivatives_prefix(key)) for one in page]


def credentials() -> CredentialSource:
    return CredentialSource()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    with run_origin(tmp_path_factory.mktemp("origin")) as origin:
        yield origin


@pytest.fixture
def sites(aws_environment: dict[str, str], server: Origin, monkeypatch: pytest.MonkeyPatch) -> Sites:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    number, s3 = next(_numbers), create_client("s3", aws_environment)
    names = f"media-{number}", f"partner-{number}"
    for name in names:
        s3.create_bucket(Bucket=name)
    server.pages.clear()
    server.requests.clear()
    settings = parse_settings(
        {
            "sources": {
                "partner/": {"bucket": names[1], "prefix": "originals/"},
                "shop/": {"origin": f"https://{HOST}/images/", "max_age_s": 600},
            }
        }
    )
    media, partner = (connect(name, credentials(), aws_environment) for name in names)
    return Sites(media, partner, S3Bucket(s3, names[0]), S3Bucket(s3, names[1]), server, settings)


def ask(transform: Transform, url: str) -> Answer:
    return transform.answer(TransformRequest(path=parse_url(url).path))


def code(answer: Answer) -> str:
    return answer.error.code if isinstance(answer, Failed) else ""


def test_each_key_is_rendered_from_its_own_source(sites: Sites) -> None:
    sites.media.put("masters/own.jpg", jpeg_photo(), {})
    sites.partner.put("originals/é 1.jpg", jpeg_photo(), {})
    sites.partner.put("secret/a.jpg", jpeg_photo(), {})
    sites.origin.pages["/images/%C3%A9%201.jpg"] = page(jpeg_photo(), ETag='"1"')
    transform = sites.transform()
    for key in ("own.jpg", "partner/%C3%A9%201.jpg", "shop/%C3%A9%201.jpg"):
        assert isinstance(ask(transform, f"/{key}?w=320&f=webp"), Rendered), key
    for key in ("partner/own.jpg", "partner/secret/a.jpg", "shop/own.jpg", "originals/a.jpg"):
        assert code(ask(transform, f"/{key}?w=320&f=webp")) == "no-source", key


def test_derivatives_of_buckets_are_stored_and_those_of_origins_are_not(sites: Sites) -> None:
    sites.partner.put("originals/a.jpg", jpeg_photo(), {})
    sites.origin.pages["/images/a.jpg"] = page(jpeg_photo(), ETag='"1"')
    transform = sites.transform()
    first = ask(transform, "/partner/a.jpg?w=320&f=webp")
    assert isinstance(first, Rendered)
    assert "s-maxage=31536000" in first.derivative.headers["Cache-Control"]
    assert isinstance(ask(transform, "/partner/a.jpg?w=320&f=webp"), Stored)
    sites.partner.put("originals/a.jpg", jpeg_photo((400, 300)), {})
    assert isinstance(ask(transform, "/partner/a.jpg?w=320&f=webp"), Rendered)  # of the new master
    of_origin = ask(transform, "/shop/a.jpg?w=320&f=webp")
    assert isinstance(of_origin, Rendered)
    assert of_origin.derivative.headers["Cache-Control"] == (
        "public, max-age=600, s-maxage=600, stale-while-revalidate=600"
    )
    assert (len(sites.stored("partner/a.jpg")), sites.stored("shop/a.jpg")) == (1, [])


def test_images_for_a_model_to_enlarge_are_stored_only_where_it_will(sites: Sites) -> None:
    sites.partner.put("originals/a.jpg", jpeg_photo(), {})
    sites.origin.pages["/images/a.jpg"] = page(jpeg_photo(), ETag='"1"')
    transform = sites.transform(upscale_prefixes=("partner/", "shop/"), caching=CachePolicy(refines=True), stores=False)
    for key in ("partner/a.jpg", "shop/a.jpg"):
        assert isinstance(transform.serve(parse_url(f"/{key}?w=1600&up=ai&f=webp").plan), Rendered), key
    assert (len(sites.stored("partner/a.jpg")), sites.stored("shop/a.jpg")) == (1, [])


def test_a_damaged_image_of_an_origin_is_refused_and_remembered_by_its_tag(sites: Sites) -> None:
    sites.origin.pages["/images/a.jpg"] = page(b"no image", ETag='"1"')
    transform = sites.transform()
    assert code(ask(transform, "/shop/a.jpg?w=320&f=webp")) in ("type-not-allowed", "unsupported", "bad-type", "type")
    assert code(ask(transform, "/shop/a.jpg?w=320&f=webp")) != ""


def test_an_origin_is_requested_for_authorised_requests_only(sites: Sites) -> None:
    sites.origin.pages["/images/a.jpg"] = page(jpeg_photo())
    transform = sites.transform()
    assert isinstance(transform, RoutedTransform)
    signed = replace(transform, mode=AccessMode.SIGNED)
    path = parse_url("/shop/a.jpg?w=321&f=webp").path
    signed.prefetch(parse_path(path), lambda: DEFAULTS.presets)
    assert code(signed.answer(TransformRequest(path=path))) == "unsigned"
    assert sites.origin.requests == []


@pytest.mark.parametrize("key", ["partner/a.jpg", "shop/a.jpg"])
def test_a_read_that_was_started_by_earlier_settings_is_not_used(sites: Sites, key: str) -> None:
    sites.partner.put("originals/a.jpg", jpeg_photo(), {})
    sites.origin.pages["/images/a.jpg"] = page(jpeg_photo())
    prefetch, path = Prefetch(), parse_url(f"/{key}?w=320&f=webp").path
    before = sites.transform(DEFAULTS, prefetched=prefetch)
    before.prefetch(parse_path(path), lambda: DEFAULTS.presets)
    now = sites.transform(prefetched=prefetch)
    assert isinstance(now.answer(TransformRequest(path=path)), Rendered)


def test_masters_of_buckets_are_re_encoded_and_those_of_origins_are_not_read(sites: Sites) -> None:
    sites.media.put("masters/own.jpg", b"own", {})
    etag = sites.partner.put("originals/a.jpg", b"partner", {})
    bucket = route_masters(sites.media, MASTERS, sites.settings, credentials())
    assert (bucket.read(KEYS.name("own.jpg")), bucket.etag("partner/a.jpg")) == (b"own", etag)
    assert bucket.read_range("partner/a.jpg", 0, 4, etag) == b"part"
    assert (bucket.open("shop/a.jpg"), bucket.etag("shop/a.jpg")) == (None, None)
    assert sites.origin.requests == []


def test_a_purge_compares_with_the_master_in_the_source_of_the_key(sites: Sites) -> None:
    def derive(key: str, name: str, etag: str) -> str:
        name = derivatives_prefix(key) + name
        sites.client.put(name, b"print", headers={}, metadata=derivative_metadata(etag))
        derived.add(name)
        return name

    derived: set[str] = set()
    kept = derive("partner/a.jpg", "w-320.webp", sites.partner.put("originals/a.jpg", b"new", {}))
    derive("partner/a.jpg", "w-640.webp", '"old"')
    derive("partner/gone.jpg", "w-320.webp", '"old"')
    derive("shop/a.jpg", "w-320.webp", '"old"')
    own = derive("own.jpg", "w-320.webp", sites.media.put("masters/own.jpg", b"own", {}))
    purge = RoutedPurge(sites.client, sites.client, MASTERS, sites.settings.sources, lambda _: sites.partner_client)
    for key in ("partner/a.jpg", "partner/gone.jpg", "shop/a.jpg", "own.jpg"):
        assert purge.delete_stale(key).complete
    left = {one.key for page in sites.client.list_pages("derivatives/") for one in page}
    assert left & derived == {own, kept}

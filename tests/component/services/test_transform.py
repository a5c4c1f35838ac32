"""The transform service: find or render, store, respond. On S3 (MiniStack) and in memory."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

import pytest
from obstore.store import MemoryStore
from PIL import Image

from bench.quality import decode_pixels, ssimulacra2
from darkroom.aws.s3_fast import FastBucket, StoredObject
from darkroom.errors import DamagedSource, OverLimits, Unavailable
from darkroom.http.response import EdgeRequest, respond, to_response
from darkroom.image_keys import ObjectNames
from darkroom.imaging.quality.auto_quality import TARGET_SCORE
from darkroom.plan.canonical import parse_path
from darkroom.plan.limits import Limits
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import Presets
from darkroom.plan.url_builder import sign_literal
from darkroom.plan.variants import NEEDS_EXPIRY, AccessMode
from darkroom.services.caching import PACE, UNREFINED_S, CachePolicy, derivative_metadata
from darkroom.services.deadline import CpuLimit, is_abandoned
from darkroom.services.serve.answers import Answer, Failed, NotModified, Rendered, Stored, TransformRequest
from darkroom.services.serve.large_copies import LargeCopies
from darkroom.services.serve.negative_cache import MAX_VARIANTS, RefusalMarker, find_refusal, read_marker, write_marker
from darkroom.services.serve.transform import Transform
from darkroom.signing import sign
from tests.images.drawn import animation
from tests.images.photographs import jpeg_photo, png_noise
from tests.images.slow_svg import blurred
from tests.waiting import HANG_S, wait_until

NOW_S = 1_800_000_000


@dataclass
class Keys:
    """Signing keys that a rotation can change, with a count of fetches."""

    current: Sequence[str] = ("key",)
    fresh: Sequence[str] | None = None
    asked: list[bool] = field(default_factory=list)

    def get(self, *, refresh: bool = False) -> Sequence[str]:
        self.asked.append(refresh)
        return self.fresh if refresh and self.fresh is not None else self.current


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def service(bucket: FastBucket, keys: Keys) -> Transform:
    bucket.put("masters/photo.jpg", jpeg_photo(), {})
    return Transform(source=bucket, media=bucket, keys=keys, clock=lambda: NOW_S)


def request(url: str, *, key: str = "", extension: str = "", **fields: str) -> TransformRequest:
    """The request of the edge for ``url``: signed by ``key``, ``f=auto`` negotiated to ``extension``."""
    asked = parse_url(url)
    path = asked.path.removesuffix("auto") + extension if asked.path.endswith(".auto") else asked.path
    signature = sign(asked.path, key, asked.expires_s) if key else asked.signature
    expires = "" if asked.expires_s is None else str(asked.expires_s)
    return TransformRequest(path=path, request_path=asked.path, signature=signature, expires=expires, **fields)


def status(answer: Answer) -> int:
    return int(str(to_response(answer, method="GET", viewer_url="/photo.jpg?w=1")["statusCode"]))


def code(answer: Answer) -> str:
    assert isinstance(answer, Failed)
    return answer.error.code


def test_a_miss_is_rendered_and_stored_as_it_is_answered(service: Transform, bucket: FastBucket) -> None:
    answer = service.answer(request("/photo.jpg?w=320", extension="auto-webp"))
    assert isinstance(answer, Rendered)
    stored = bucket.open("derivatives/photo.jpg/_/w-320.auto-webp")
    assert stored is not None
    assert stored.read() == answer.body
    assert stored.etag == answer.derivative.etag
    assert {name: stored.attributes[name] for name in answer.derivative.headers} == answer.derivative.headers
    assert answer.derivative.headers["Content-Type"] == "image/webp"
    assert {"fetch", "decode", "transform", "encode", "store"} <= answer.timings_ms.keys()


def test_what_is_stored_already_is_answered_from_the_store(service: Transform) -> None:
    first = service.answer(request("/photo.jpg?w=320&f=webp"))
    second = service.answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(first, Rendered)
    assert isinstance(second, Stored)
    assert (second.body, second.derivative) == (first.body, first.derivative)


def test_a_stored_derivative_has_the_tag_of_its_master(service: Transform, bucket: FastBucket) -> None:
    service.answer(request("/photo.jpg?w=320&f=webp"))
    stored = bucket.open("derivatives/photo.jpg/_/w-320.webp")
    assert stored is not None
    assert stored.attributes["source-etag"] == str(bucket.etag("masters/photo.jpg")).strip('"')
    assert stored.attributes[PACE] == "quick"


def test_a_derivative_of_an_earlier_master_is_made_again(service: Transform, bucket: FastBucket) -> None:
    asked = request("/photo.jpg?w=320&f=webp")
    before = service.answer(asked)
    bucket.put("masters/photo.jpg", png_noise(400, 300), {})
    after = service.answer(asked)
    assert isinstance(before, Rendered)
    assert isinstance(after, Rendered)
    assert before.body != after.body
    assert isinstance(service.answer(asked), Stored)


@pytest.mark.parametrize("wrap", ["{}", "W/{}", '"other", {}', "*"])
def test_a_current_copy_is_not_sent_again(service: Transform, wrap: str) -> None:
    first = service.answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(first, Rendered)
    again = service.answer(request("/photo.jpg?w=320&f=webp", if_none_match=wrap.format(first.derivative.etag)))
    assert isinstance(again, NotModified)
    assert status(again) == 304


def test_a_copy_that_a_new_render_equals_is_not_sent_again(s3_bucket: FastBucket, keys: Keys) -> None:
    bucket, service = s3_bucket, Transform(source=s3_bucket, media=s3_bucket, keys=keys)
    bucket.put("masters/photo.jpg", jpeg_photo(), {})
    first = service.answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(first, Rendered)
    bucket.delete("derivatives/photo.jpg/_/w-320.webp")
    again = service.answer(request("/photo.jpg?w=320&f=webp", if_none_match=first.derivative.etag))
    assert isinstance(again, NotModified)
    assert bucket.etag("derivatives/photo.jpg/_/w-320.webp") == first.derivative.etag


def test_an_outdated_copy_is_sent_again(service: Transform) -> None:
    assert isinstance(service.answer(request("/photo.jpg?w=320&f=webp", if_none_match='"old"')), Rendered)


def test_outside_the_finite_set_a_signature_decides(service: Transform, keys: Keys) -> None:
    url = "/photo.jpg?w=801"
    assert code(service.answer(request(url, extension="auto-avif"))) == "unsigned"
    assert keys.asked == []
    forged = service.answer(request(url, key="wrong", extension="auto-avif"))
    assert (code(forged), status(forged)) == ("bad-signature", 403)
    assert isinstance(service.answer(request(url, key="key", extension="auto-avif")), Rendered)


def test_a_signature_covers_the_negotiations_of_its_request_only(service: Transform) -> None:
    signed = request("/photo.jpg?w=301", key="key", extension="auto-webp")
    for path, fits in {
        "/photo.jpg/_/w-301.auto-avif": True,
        "/photo.jpg/_/w-602.auto-webp": True,
        "/photo.jpg/_/q-50_w-301.auto-webp": True,
        "/photo.jpg/_/w-302.auto-webp": False,
        "/photo.jpg/_/w-301.webp": False,
        "/other.jpg/_/w-301.auto-webp": False,
    }.items():
        answer = service.answer(replace(signed, path=path))
        assert isinstance(answer, Rendered) == fits, path
        if not fits:
            assert code(answer) == "bad-signature"


def test_a_link_expires(service: Transform) -> None:
    assert isinstance(service.answer(request(f"/photo.jpg?w=301&f=webp&exp={NOW_S + 1}", key="key")), Rendered)
    late = service.answer(request(f"/photo.jpg?w=303&f=webp&exp={NOW_S}", key="key"))
    assert (code(late), status(late)) == ("expired", 403)
    signed = request(f"/photo.jpg?w=303&f=webp&exp={NOW_S + 1}", key="key")
    assert code(service.answer(replace(signed, expires=str(NOW_S + 2)))) == "bad-signature"
    for malformed in ("soon", "9" * 5000, "\u0664"):
        assert code(service.answer(replace(signed, expires=malformed))) == "bad-signature"


def literal(
    url: str, *, key: str = "key", extension: str = "", presets: Presets | None = None, expires_s: int | None = None
) -> TransformRequest:
    """The request of the edge for ``url``, which is signed as it is written."""
    signed = sign_literal(url, key, expires_s)
    asked = parse_url(signed, presets)
    path = asked.path.removesuffix("auto") + extension if asked.path.endswith(".auto") else asked.path
    expires = "" if asked.expires_s is None else str(asked.expires_s)
    return TransformRequest(path, asked.path, asked.signature, expires, url=signed)


@pytest.mark.parametrize(
    "url", ["/photo.jpg?w=301&f=webp", "/photo.jpg?format=webp&width=301", "/%70hoto.jpg?f=webp&w=301"]
)
def test_a_signature_may_cover_the_url_as_it_is_written(service: Transform, bucket: FastBucket, url: str) -> None:
    assert isinstance(service.answer(literal(url)), Rendered)
    assert isinstance(service.answer(request("/photo.jpg?w=301&f=webp", key="key")), Stored)
    assert bucket.etag("derivatives/photo.jpg/_/w-301.webp") is not None


def test_a_literal_signature_covers_the_negotiations_of_its_url_only(service: Transform) -> None:
    signed = literal("/photo.jpg?w=301", extension="auto-webp")
    assert isinstance(service.answer(replace(signed, path="/photo.jpg/_/w-602.auto-webp")), Rendered)
    other = replace(signed, path="/photo.jpg/_/w-302.auto-webp", request_path="/photo.jpg/_/w-302.auto")
    for forged in (
        replace(signed, path="/photo.jpg/_/w-302.auto-webp"),
        other,
        replace(other, url="/photo.jpg?w=302&s=" + signed.signature),
        replace(signed, url=signed.url.replace("/photo", "/other")),
        replace(signed, expires=str(NOW_S + 1)),
        replace(literal("/photo.jpg?w=301", key="wrong", extension="auto-webp")),
        replace(signed, url=""),
    ):
        answer = service.answer(forged)
        assert (code(answer), status(answer)) == ("bad-signature", 403), forged


def test_a_literal_link_expires(service: Transform) -> None:
    assert isinstance(service.answer(literal("/photo.jpg?w=301&f=webp", expires_s=NOW_S + 1)), Rendered)
    late = service.answer(literal("/photo.jpg?w=303&f=webp", expires_s=NOW_S))
    assert (code(late), status(late)) == ("expired", 403)


def test_a_literal_signature_of_a_preset_outlives_its_change(service: Transform) -> None:
    """A canonical signature does not: it covers the preset's options."""
    old, new = (Presets({"own": {"w": width, "f": "webp"}}, {}) for width in ("311", "312"))
    signed = sign_literal("/photo.jpg?preset=own&q=70", "key")
    for presets in (old, new):
        now = literal("/photo.jpg?preset=own&q=70", presets=presets)
        assert now.url == signed
        assert isinstance(replace(service, presets=lambda presets=presets: presets).answer(now), Rendered)
    behind = replace(service, presets=lambda: Presets({}, {})).answer(
        literal("/photo.jpg?preset=own&q=71", presets=new)
    )
    assert (code(behind), status(behind)) == ("bad-signature", 403), "400 would be cached"


def test_two_keys_are_valid_at_once_and_a_rotation_is_noticed(service: Transform, keys: Keys) -> None:
    keys.current = ("new", "key")
    assert isinstance(service.answer(request("/photo.jpg?w=301&f=webp", key="key")), Rendered)
    keys.fresh = ("newest", "new")
    assert isinstance(service.answer(request("/photo.jpg?w=302&f=webp", key="newest")), Rendered)


@pytest.mark.parametrize(
    ("mode", "url", "served"),
    [("open", "/photo.jpg?w=301&f=webp", True), ("signed", "/photo.jpg?w=320&f=webp", False)],
)
def test_access_modes(service: Transform, mode: str, url: str, served: bool) -> None:
    answer = replace(service, mode=AccessMode(mode)).answer(request(url))
    assert isinstance(answer, Rendered) == served


@pytest.mark.parametrize(
    "path",
    ["/photo.jpg", "/photo.jpg/_/w-0320.webp", "/photo.jpg/_/w-320.exe", "/photo.jpg/_/z-1.webp", "/_/w-320.webp", "/"],
)
def test_a_path_that_is_not_canonical_is_a_bad_request(service: Transform, path: str) -> None:
    assert status(service.answer(TransformRequest(path=path))) == 400


def private(service: Transform, **changes: Any) -> Transform:
    return replace(service, mode=AccessMode.OPEN, private_prefixes=("photo",), **changes)


def test_a_private_image_needs_a_link_with_an_expiry_in_every_mode(service: Transform) -> None:
    hidden, url = private(service), f"/photo.jpg?w=640&exp={NOW_S + 60}"
    assert code(hidden.answer(request("/photo.jpg?w=640", extension="auto-webp"))) == "unsigned"
    refused = hidden.answer(request("/photo.jpg?w=640", key="key", extension="auto-webp"))
    assert isinstance(refused, Failed)
    assert refused.error.message == NEEDS_EXPIRY
    assert code(hidden.answer(request(url, key="other", extension="auto-webp"))) == "bad-signature"
    assert status(hidden.answer(request(url, key="key", extension="auto-webp"))) == 200
    public = replace(hidden, private_prefixes=("other",))
    assert status(public.answer(request("/photo.jpg?w=641", extension="auto-webp"))) == 200


@pytest.mark.parametrize("verifies", [True, False])
def test_no_cache_keeps_a_private_image_that_the_edge_does_not_verify(service: Transform, verifies: bool) -> None:
    asked = request(f"/photo.jpg?w=640&exp={NOW_S + 60}", key="key", extension="auto-webp")
    headers = {"x-darkroom-request": asked.request_path, "x-darkroom-signature": asked.signature}
    sent = EdgeRequest(asked.path, "GET", headers | {"x-darkroom-expires": asked.expires})
    found, _ = respond(private(service, edge_verifies=verifies), sent)
    assert (found["headers"]["cache-control"] == "private, no-store") is not verifies  # type: ignore[index]


def test_no_copy_of_a_large_private_image_is_made(service: Transform, keys: Keys) -> None:
    with pytest.raises(OverLimits):
        LargeCopies(service.media, keys).locate(parse_path("/photo.jpg/_/w-640.webp"), '"a"', private=True)


def test_no_source(service: Transform) -> None:
    answer = service.answer(request("/missing.jpg?w=320&f=webp"))
    assert (code(answer), status(answer)) == ("no-source", 404)


def test_masters_may_lie_in_a_bucket_of_their_own(bucket: FastBucket, keys: Keys) -> None:
    masters = FastBucket(MemoryStore())
    masters.put("library/2026/photo.jpg", jpeg_photo(), {})
    service = Transform(source=masters, source_names=ObjectNames("library/", encoded=False), media=bucket, keys=keys)
    assert isinstance(service.answer(request("/2026/photo.jpg?w=320&f=webp")), Rendered)
    assert bucket.etag("derivatives/2026/photo.jpg/_/w-320.webp") is not None
    assert masters.etag("derivatives/2026/photo.jpg/_/w-320.webp") is None


def test_a_damaged_source_leaves_a_marker_that_saves_the_next_decode(
    service: Transform, bucket: FastBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("masters/bad.jpg", jpeg_photo()[:-4000], {})
    first = service.answer(request("/bad.jpg?w=320&f=webp"))
    assert (code(first), status(first)) == ("damaged", 422)

    def not_again(*_: object, **__: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr("darkroom.imaging.render.pipeline.render", not_again)
    second = service.answer(request("/bad.jpg?w=640&f=webp"))
    assert isinstance(second, Failed)
    assert isinstance(first, Failed)
    assert (second.error.code, second.error.message) == (first.error.code, first.error.message)


def test_a_refusal_of_one_variant_leaves_the_others(service: Transform, bucket: FastBucket) -> None:
    """An animation that has too many pixels as a whole is still served as a still image, in any order."""
    bucket.put("masters/moving.gif", animation("GIF", frames=6, size=(100, 100)), {})
    tight = replace(service, limits=Limits(max_pixels=30_000))
    for _ in range(2):
        assert code(tight.answer(request("/moving.gif?w=320&f=webp"))) == "over-limits"
        assert code(tight.answer(request("/moving.gif?w=640&f=gif"))) == "over-limits"
        assert isinstance(tight.answer(request("/moving.gif?w=320&f=jpeg")), Rendered | Stored)
        assert isinstance(tight.answer(request("/moving.gif?f=json")), Rendered | Stored)
    marker = read_marker(bucket, "derivatives/moving.gif/_/refusal.json")
    assert list(marker.variants) == ["moving.gif/_/w-320.webp", "moving.gif/_/w-640.gif"]


def test_a_refusal_of_one_variant_saves_its_next_decode(
    service: Transform, bucket: FastBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("masters/moving.gif", animation("GIF", frames=6, size=(100, 100)), {})
    tight = replace(service, limits=Limits(max_pixels=30_000))
    first = tight.answer(request("/moving.gif?w=320&f=webp"))
    monkeypatch.setattr("darkroom.imaging.render.pipeline.render", None)
    second = tight.answer(request("/moving.gif?w=320&f=webp"))
    assert isinstance(first, Failed)
    assert isinstance(second, Failed)
    assert (second.error.code, second.error.message) == (first.error.code, first.error.message)


@pytest.mark.sample(2)
def test_a_marker_records_a_bounded_number_of_variants(bucket: FastBucket) -> None:
    """The oldest are dropped; a refusal of the source replaces all; a marker that changed meanwhile stays as it is."""
    limits, name = Limits(), "derivatives/a.jpg/_/refusal.json"
    for number in range(MAX_VARIANTS + 3):
        write_marker(bucket, name, read_marker(bucket, name), f"v{number}", OverLimits(), '"1"', limits)
    marker = read_marker(bucket, name)
    assert list(marker.variants) == [f"v{number}" for number in range(3, MAX_VARIANTS + 3)]
    assert find_refusal(marker, "v2", '"1"', limits) is None
    assert isinstance(find_refusal(marker, "v3", '"1"', limits), OverLimits)
    assert find_refusal(marker, "v3", '"2"', limits) is None
    write_marker(bucket, name, RefusalMarker(), "v0", DamagedSource(applies_to_source=True), '"1"', limits)
    assert read_marker(bucket, name) == marker, "it was written over what another request had read"
    write_marker(bucket, name, marker, "v0", DamagedSource(applies_to_source=True), '"1"', limits)
    assert isinstance(find_refusal(read_marker(bucket, name), "any", '"1"', limits), DamagedSource)


def test_a_marker_holds_for_its_version_and_limits_only(service: Transform, bucket: FastBucket) -> None:
    tight = replace(service, limits=Limits(max_pixels=1000))
    assert code(tight.answer(request("/photo.jpg?w=320&f=webp"))) == "over-limits"
    assert isinstance(service.answer(request("/photo.jpg?w=320&f=webp")), Rendered)
    bucket.put("masters/bad.jpg", jpeg_photo()[:-4000], {})
    assert code(service.answer(request("/bad.jpg?w=320&f=webp"))) == "damaged"
    bucket.put("masters/bad.jpg", jpeg_photo(), {})
    assert isinstance(service.answer(request("/bad.jpg?w=320&f=webp")), Rendered)


@pytest.mark.slow
def test_a_render_over_its_cpu_time_is_refused_and_marked(
    service: Transform, bucket: FastBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("masters/drawing.svg", blurred(3, 1000, 2000, 2000), {})
    limited = replace(service, cpu_limit=CpuLimit(cpu_s=0.2, wall_s=HANG_S))
    assert code(limited.answer(request("/drawing.svg?w=1920&f=webp"))) == "too-slow"
    wait_until(lambda: not is_abandoned(), "the render ends")
    monkeypatch.setattr("darkroom.imaging.render.pipeline.render", None)
    again = service.answer(request("/drawing.svg?w=1920&f=webp"))
    assert (code(again), status(again)) == ("too-slow", 422)


def test_a_deployment_may_keep_nothing(service: Transform, bucket: FastBucket) -> None:
    unkept = replace(service, stores=False)
    first, again = (unkept.answer(request("/photo.jpg?w=320&f=webp")) for _ in range(2))
    assert isinstance(first, Rendered)
    assert isinstance(again, Rendered)
    assert first.derivative == again.derivative
    assert first.derivative.headers["Cache-Control"] == CachePolicy().cache_control("photo.jpg")
    assert bucket.open("derivatives/photo.jpg/_/w-320.webp") is None
    other = unkept.answer(request("/photo.jpg?w=640&f=webp"))
    assert isinstance(other, Rendered)
    assert other.derivative.etag != first.derivative.etag
    known = request("/photo.jpg?w=320&f=webp", if_none_match=first.derivative.etag)
    assert isinstance(unkept.answer(known), NotModified)


def test_a_deployment_may_keep_presets_only(service: Transform, bucket: FastBucket) -> None:
    """``w=320`` as WebP is the variant of a preset, however it is requested; ``w=800`` is none of one."""
    presets_only = replace(service, stores="presets")
    for path, is_kept in (("w-320.webp", True), ("w-800.webp", False)):
        query = path.replace("-", "=").replace(".", "&f=")
        answer = presets_only.answer(request(f"/photo.jpg?{query}"))
        assert isinstance(answer, Rendered)
        assert (bucket.open(f"derivatives/photo.jpg/_/{path}") is not None) == is_kept
        assert answer.derivative.headers["Cache-Control"] == CachePolicy().cache_control("photo.jpg")


def test_what_keeps_nothing_still_replaces_what_is_stale(service: Transform, bucket: FastBucket) -> None:
    bucket.put("derivatives/photo.jpg/_/w-320.webp", b"stale", {"source-etag": "another"})
    answer = replace(service, stores=False).answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(answer, Rendered)
    found = bucket.open("derivatives/photo.jpg/_/w-320.webp")
    assert found is not None
    assert found.read() == answer.body


def test_what_is_too_large_for_an_answer_is_stored_anyway(
    service: Transform, bucket: FastBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.services.serve.rendering.MAX_BODY_BYTES", 1000)
    answer = replace(service, stores=False).answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(answer, Stored)
    assert answer.body is None
    assert bucket.open("derivatives/photo.jpg/_/w-320.webp") is not None


class OverwrittenBucket(FastBucket):
    """A bucket whose master is replaced while its image is rendered."""

    def __init__(self, real: FastBucket) -> None:
        self.real = real

    def open(self, key: str) -> StoredObject | None:
        found = self.real.open(key)
        if found is None:
            return None

        def overwrite_first() -> Iterator[bytes]:
            self.real.put(key, jpeg_photo(size=(300, 200)), {})
            yield found.read()

        return replace(found, chunks=overwrite_first())

    def etag(self, key: str) -> str | None:
        return self.real.etag(key)


def test_a_derivative_of_an_overwritten_master_does_not_stay(service: Transform, bucket: FastBucket) -> None:
    answer = replace(service, source=OverwrittenBucket(bucket)).answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, Unavailable)
    assert bucket.open("derivatives/photo.jpg/_/w-320.webp") is None


class WaitingBucket(FastBucket):
    """A bucket whose PUT ends only when the master has been checked again."""

    def __init__(self, real: FastBucket) -> None:
        self.real, self.looked = real, Event()
        self.open, self.delete = real.open, real.delete

    def etag(self, key: str) -> str | None:
        self.looked.set()
        return self.real.etag(key)

    def put(self, key: str, body: bytes, attributes: Mapping[str, str], replaces: str | None = None) -> str:
        assert self.looked.wait(HANG_S), "the master is checked only after the PUT"
        return self.real.put(key, body, attributes, replaces)


def test_the_master_is_checked_while_the_derivative_is_put(service: Transform, bucket: FastBucket) -> None:
    waiting = WaitingBucket(bucket)
    answer = replace(service, source=waiting, media=waiting).answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(answer, Rendered)


class StoredMeanwhile(OverwrittenBucket):
    """The same, and ingest has stored the new master's presets too."""

    def open(self, key: str) -> StoredObject | None:
        found = super().open(key)
        if found is None or not found.attributes.get("first"):
            return found

        def store_first() -> Iterator[bytes]:
            body = found.read()
            master = self.real.etag(key)
            assert master is not None
            self.real.put("derivatives/photo.jpg/_/w-320.webp", b"fresh", derivative_metadata(master))
            yield body

        return replace(found, chunks=store_first())


@pytest.mark.parametrize("before", [{}, {"source-etag": "another"}])
def test_a_late_render_leaves_what_was_stored_meanwhile(
    service: Transform, bucket: FastBucket, before: dict[str, str]
) -> None:
    name = "derivatives/photo.jpg/_/w-320.webp"
    bucket.put("masters/photo.jpg", jpeg_photo(), {"first": "yes"})
    if before:
        bucket.put(name, b"stale", before)
    answer = replace(service, source=StoredMeanwhile(bucket)).answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(answer, Stored)
    assert answer.body == b"fresh"
    found = bucket.open(name)
    assert found is not None
    assert found.read() == b"fresh"


def test_a_stale_derivative_is_replaced(service: Transform, bucket: FastBucket) -> None:
    bucket.put("derivatives/photo.jpg/_/w-320.webp", b"stale", {"source-etag": "another"})
    assert isinstance(service.answer(request("/photo.jpg?w=320&f=webp")), Rendered)
    answer = service.answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(answer, Stored)
    assert answer.body != b"stale"


class PurgedMeanwhile(OverwrittenBucket):
    """A purge takes the stale derivative away while the master is read."""

    def open(self, key: str) -> StoredObject | None:
        found = self.real.open(key)
        assert found is not None

        def then_purge() -> Iterator[bytes]:
            yield from found.chunks
            self.real.delete("derivatives/photo.jpg/_/w-320.webp")

        return replace(found, chunks=then_purge())


def test_a_stale_derivative_may_be_purged_while_its_successor_is_rendered(
    service: Transform, bucket: FastBucket
) -> None:
    name = "derivatives/photo.jpg/_/w-320.webp"
    bucket.put(name, b"stale", {"source-etag": "another"})
    answer = replace(service, source=PurgedMeanwhile(bucket)).answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(answer, Rendered)
    assert bucket.etag(name) == answer.derivative.etag


def test_an_image_too_large_for_a_response_is_fetched_from_the_store(service: Transform, bucket: FastBucket) -> None:
    bucket.put("masters/noise.png", png_noise(1500, 1200), {})
    asked = request("/noise.png?w=1500&f=png", key="key")
    for answer in (service.answer(asked), service.answer(asked)):
        assert isinstance(answer, Stored)
        assert answer.body is None
        redirect = to_response(answer, method="GET", viewer_url="/noise.png?w=1500&f=png&s=x")
        assert redirect["statusCode"] == 302
        assert redirect["headers"]["location"] == "/noise.png?w=1500&f=png&s=x"  # type: ignore[index]
        assert redirect["headers"]["cache-control"] == "no-store"  # type: ignore[index]
        assert to_response(answer, method="HEAD", viewer_url="/x")["statusCode"] == 200
    assert bucket.etag("derivatives/noise.png/_/w-1500.png") is not None


@pytest.mark.slow
@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", ""])
def test_a_redirect_stays_on_this_host(service: Transform, bucket: FastBucket, elsewhere: str) -> None:
    bucket.put("masters/noise.png", png_noise(1500, 1200), {})
    answer = service.answer(request("/noise.png?w=1500&f=png", key="key"))
    assert to_response(answer, method="GET", viewer_url=elsewhere)["headers"]["location"] == "/"  # type: ignore[index]


def test_a_watermark_that_is_not_there_is_a_bad_option(service: Transform) -> None:
    answer = service.answer(request("/photo.jpg?w=320&f=webp&wm=nosuch", key="key"))
    assert (code(answer), status(answer)) == ("bad-option", 400)


def test_an_overlay_is_read_from_the_media_bucket(service: Transform, bucket: FastBucket) -> None:
    target = "/photo.jpg?w=320&f=png&ov=image:badges/new.png,at:northwest,x:0,y:0,width:50"
    missing = service.answer(request(target, key="key"))
    assert (code(missing), status(missing)) == ("bad-option", 400)
    red = io.BytesIO()
    Image.new("RGB", (40, 30), (255, 0, 0)).save(red, "PNG")
    bucket.put("overlays/badges/new.png", red.getvalue(), {})
    answer = service.answer(request(target, key="key"))
    assert isinstance(answer, Rendered)
    assert Image.open(io.BytesIO(answer.body)).convert("RGB").getpixel((10, 10)) == (255, 0, 0)
    assert status(service.answer(request(target))) == 403


def test_overlays_in_another_spelling_are_refused_with_theirs(service: Transform) -> None:
    answer = service.answer(request("/photo.jpg?w=320&f=png&ov=text:a,opacity:100", key="key"))
    assert isinstance(answer, Failed)
    assert (answer.error.status, answer.error.message) == (400, "ov: write it as 'text:a'")


def test_a_download_has_its_name_in_two_spellings(service: Transform, bucket: FastBucket) -> None:
    answer = service.answer(request("/photo.jpg?w=320&f=webp&dl=%C3%BCber%20uns.webp", key="key"))
    assert isinstance(answer, Rendered)
    expected = "attachment; filename=\"_ber uns.webp\"; filename*=UTF-8''%C3%BCber%20uns.webp"
    assert answer.derivative.headers["Content-Disposition"] == expected


@pytest.mark.parametrize(("form", "name"), [("webp", "a.b.webp"), ("jpeg", "a.b.jpg")])
def test_a_name_that_is_typed_gets_the_extension_of_what_is_answered(service: Transform, form: str, name: str) -> None:
    anyone = replace(service, mode=AccessMode.OPEN)
    answer = anyone.answer(TransformRequest(f"/photo.jpg/_/dl-a.b_dlx-1_w-320.{form}"))
    assert isinstance(answer, Rendered)
    expected = f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    assert answer.derivative.headers["Content-Disposition"] == expected


def test_what_is_only_named_is_shown_and_not_saved(service: Transform) -> None:
    anyone = replace(service, mode=AccessMode.OPEN)
    answer = anyone.answer(TransformRequest("/photo.jpg/_/dl-a.webp_inl-1_w-320.webp"))
    assert isinstance(answer, Rendered)
    expected = "inline; filename=\"a.webp\"; filename*=UTF-8''a.webp"
    assert answer.derivative.headers["Content-Disposition"] == expected


def test_cache_ages(service: Transform) -> None:
    caching = CachePolicy(10, 20, 30, ("static/",))
    assert caching.cache_control("photo.jpg") == "public, max-age=10, s-maxage=20, stale-while-revalidate=30"
    assert caching.cache_control("static/a.jpg") == "public, max-age=20, immutable"
    answer = replace(service, caching=caching).answer(request("/photo.jpg?w=320&f=webp"))
    assert isinstance(answer, Rendered)
    assert answer.derivative.headers["Cache-Control"] == caching.cache_control("photo.jpg")


def test_the_cdn_asks_again_soon_for_what_is_about_to_be_re_encoded(service: Transform, bucket: FastBucket) -> None:
    caching = CachePolicy(10, 90_000, 30, ("static/",), refines=True)
    soon = f"public, max-age=10, s-maxage={UNREFINED_S}, stale-while-revalidate=30"
    bucket.put("masters/static/a.jpg", jpeg_photo(), {})
    for url, key, expected in (
        ("/photo.jpg?w=320&f=webp", "", soon),
        ("/photo.jpg?w=321&f=webp", "key", caching.cache_control("photo.jpg")),
        ("/photo.jpg?f=thumbhash", "", caching.cache_control("photo.jpg")),
        ("/static/a.jpg?w=320&f=webp", "", f"public, max-age=90000, s-maxage={UNREFINED_S}, immutable"),
    ):
        answer = replace(service, caching=caching).answer(request(url, key=key))
        assert isinstance(answer, Rendered)
        assert answer.derivative.headers["Cache-Control"] == expected, url
    assert UNREFINED_S > 900
    briefly = CachePolicy(10, 20, 30, refines=True)
    assert briefly.cache_control("a", unrefined=True) == briefly.cache_control("a")


def test_a_fault_of_the_store_can_be_retried_and_names_nothing(unreachable: FastBucket, keys: Keys) -> None:
    service = Transform(source=unreachable, media=unreachable, keys=keys)
    response = to_response(service.answer(request("/photo.jpg?w=320&f=webp")), method="GET", viewer_url="/")
    headers, body = response["headers"], str(response["body"])
    assert response["statusCode"] == 503
    assert headers["retry-after"] == "5"  # type: ignore[index]
    assert headers["cache-control"] == "no-store"  # type: ignore[index]
    assert headers["content-type"] == "application/problem+json"  # type: ignore[index]
    assert json.loads(body)["code"] == "unavailable"
    assert "127.0.0.1" not in body


def test_a_head_of_a_refusal_has_no_body(make_answer: Callable[[str], Answer]) -> None:
    get, head = (to_response(make_answer("no-source"), method=method, viewer_url="/") for method in ("GET", "HEAD"))
    assert (head["statusCode"], head["headers"], head["body"]) == (get["statusCode"], get["headers"], "")


def test_cache_headers_of_each_error(make_answer: Callable[[str], Answer]) -> None:
    ages = {"bad-option": 60, "no-source": 60, "over-limits": 60, "type-not-allowed": 60, "damaged": 60}
    for name in ("bad-signature", "unsigned", "expired", "internal", *ages):
        response = to_response(make_answer(name), method="GET", viewer_url="/")
        expected = f"public, max-age={ages[name]}" if name in ages else "no-store"
        assert response["headers"]["cache-control"] == expected, name  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_the_quality_that_fits_is_requested_by_a_signature(service: Transform, bucket: FastBucket, form: str) -> None:
    url = f"/photo.jpg?w=400&q=auto&f={form}"
    assert code(service.answer(request(url))) == "unsigned"
    answer = service.answer(request(url, key="key"))
    assert isinstance(answer, Rendered)
    plain = service.answer(request(url.replace("q=auto&", "").replace(form, "png"), key="key"))
    assert isinstance(plain, Rendered)
    score = ssimulacra2(answer.body, decode_pixels(plain.body))
    assert score == pytest.approx(TARGET_SCORE, abs=2)
    stored = bucket.open(f"derivatives/photo.jpg/_/q-auto_w-400.{form}")
    assert stored is not None
    assert stored.read() == answer.body


@pytest.mark.slow
def test_save_data_gets_less_than_what_fits(service: Transform) -> None:
    asked = request("/photo.jpg?w=400&q=auto", key="key", extension="auto-webp")
    fits = service.answer(asked)
    saving = service.answer(replace(asked, path=asked.path.replace("q-auto", "q-50")))
    assert isinstance(fits, Rendered)
    assert isinstance(saving, Rendered)
    assert len(saving.body) < len(fits.body)

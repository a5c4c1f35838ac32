"""The pure modules of the local CDN: keys, ranges, conditions, patterns, forwarding and response headers."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from cloudfront_local.byte_range import ByteRange, Unsatisfiable, parse_range
from cloudfront_local.cache_key import cache_key, normalize_encoding, query_pairs
from cloudfront_local.conditional import not_modified, same_representation
from cloudfront_local.forwarding import origin_headers, origin_query
from cloudfront_local.messages import Request
from cloudfront_local.model import (
    Behaviour,
    CachePolicy,
    Cors,
    Origin,
    Pick,
    PolicyHeader,
    ResponseHeadersPolicy,
    Selection,
    Selections,
)
from cloudfront_local.patterns import is_invalidated, matches
from cloudfront_local.response_headers import apply_policy


def request_for(path: str = "/a", query: str | None = None, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("GET", path, query, CIMultiDict(named), "192.0.2.7", "request-1")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", ByteRange(0, 0)),
        ("bytes=2-5", ByteRange(2, 5)),
        ("bytes=2-", ByteRange(2, 9)),
        ("bytes=-3", ByteRange(7, 9)),
        ("bytes=-30", ByteRange(0, 9)),
        ("bytes=2-500", ByteRange(2, 9)),
        ("bytes = 2-5", ByteRange(2, 5)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_range(header: str, expected: ByteRange | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=99-100", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_unsatisfiable_range(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, size)


ANSWER = {"etag": '"v1"', "last-modified": "Wed, 25 Nov 2026 01:00:00 GMT"}


@pytest.mark.parametrize(
    ("request_headers", "expected"),
    [
        ({}, False),
        ({"if-none-match": '"v1"'}, True),
        ({"if-none-match": 'W/"v1"'}, True),
        ({"if-none-match": '"v0", "v1"'}, True),
        ({"if-none-match": "*"}, True),
        ({"if-none-match": '"v2"'}, False),
        ({"if-none-match": '"v2"', "if-modified-since": "Wed, 25 Nov 2026 02:00:00 GMT"}, False),
        ({"if-modified-since": "Wed, 25 Nov 2026 01:00:00 GMT"}, True),
        ({"if-modified-since": "Wed, 25 Nov 2026 00:59:59 GMT"}, False),
        ({"if-modified-since": "yesterday"}, False),
    ],
)
def test_not_modified(request_headers: dict[str, str], expected: bool) -> None:
    assert not_modified(request_headers, ANSWER) is expected


@pytest.mark.parametrize(
    ("if_range", "expected"),
    [('"v1"', True), ('W/"v1"', False), ('"v2"', False), ("Wed, 25 Nov 2026 01:00:00 GMT", True)],
)
def test_if_range(if_range: str, expected: bool) -> None:
    assert same_representation(if_range, ANSWER) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*", "/anything/at/all", True),
        ("/api/*", "/api/x", True),
        ("api/*", "/api/x", True),
        ("/api/*", "/API/x", False),
        ("/a?c", "/abc", True),
        ("/a?c", "/ac", False),
        ("/a.c", "/abc", False),
        ("/*.jpg", "/deep/photo.jpg", True),
    ],
)
def test_path_pattern(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


@pytest.mark.parametrize(
    ("path", "invalidation", "expected"),
    [
        ("/photo.jpg/_/w-800.webp", "/photo.jpg/_/*", True),
        ("/photo.jpg/_/w-800.webp", "/photo.jpg", False),
        ("/photo.jpg", "/photo.jpg", True),
        ("/photo.jpg", "photo.jpg", True),
        ("/caf%c3%a9.jpg", "/caf%C3%A9.jpg", True),
        ("/a*b", "/a*b", True),
        ("/photo.jpgx", "/photo.jpg*", True),
        ("/anything", "/*", True),
    ],
)
def test_invalidation_path(path: str, invalidation: str, expected: bool) -> None:
    assert is_invalidated(path, invalidation) is expected


NOTHING = CachePolicy()
KEYED = CachePolicy(
    key=Selections(
        Selection(Pick.ONLY, frozenset({"accept"})),
        Selection(Pick.ONLY, frozenset({"session"})),
        Selection(Pick.ONLY, frozenset({"w", "h"})),
    ),
    encodings=("br", "gzip"),
)


def test_a_key_of_the_path_only() -> None:
    plain = request_for("/a")
    assert cache_key(plain, NOTHING) == cache_key(
        request_for("/a", "w=1", accept="image/webp", cookie="session=1"), NOTHING
    )
    assert cache_key(plain, NOTHING) != cache_key(request_for("/b"), NOTHING)


@pytest.mark.parametrize(
    "other",
    [
        request_for("/a", "w=1", accept="image/webp"),
        request_for("/a", "w=2", accept="image/avif"),
        request_for("/a", "w=1", accept="image/avif", cookie="session=2"),
        request_for("/a", "w=1", accept="image/avif", accept_encoding="gzip"),
    ],
)
def test_key_parts_distinguish_requests(other: Request) -> None:
    assert cache_key(request_for("/a", "w=1", accept="image/avif"), KEYED) != cache_key(other, KEYED)


def test_other_parts_do_not_distinguish_requests() -> None:
    one = request_for("/a", "w=1&utm=x", accept="image/avif", cookie="session=1; other=2", dpr="2")
    two = request_for("/a", "utm=y&w=1", accept="image/avif", cookie="other=3; session=1")
    assert cache_key(one, KEYED) == cache_key(two, KEYED)


def test_head_and_get_have_different_keys() -> None:
    get = request_for("/a")
    assert cache_key(get, NOTHING) != cache_key(Request("HEAD", "/a"), NOTHING)


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [("", ""), ("gzip, deflate, br", "br,gzip"), ("gzip;q=1.0", "gzip"), ("br;q=0, gzip", "gzip"), ("GZIP", "gzip")],
)
def test_normal_encoding(accept_encoding: str, expected: str) -> None:
    assert normalize_encoding(accept_encoding, ("br", "gzip")) == expected


def test_query_pairs_are_not_decoded() -> None:
    assert query_pairs("a=1&&b&c=%20+x&a=2=3") == [("a", "1"), ("b", ""), ("c", "%20+x"), ("a", "2=3")]


NO_SELECTIONS = Selections()


def behaviour(cache: CachePolicy = NOTHING, forward: Selections = NO_SELECTIONS) -> Behaviour:
    methods = frozenset({"GET", "HEAD"})
    return Behaviour("*", "origin", methods, methods, cache, forward)


ORIGIN = Origin("origin", "example.test", headers=(("x-origin-secret", "42"),))
SENT = {
    "Host": "images.example",
    "Accept": "image/avif",
    "Cookie": "session=1; other=2",
    "Accept-Encoding": "gzip, br",
    "User-Agent": "curl",
    "If-None-Match": '"v1"',
    "Range": "bytes=0-1",
    "X-Darkroom-Request": "/a",
    "X-Forwarded-For": "198.51.100.1",
    "Connection": "close",
}


def test_without_policies_an_origin_receives_only_cdn_headers() -> None:
    headers = origin_headers(Request("GET", "/a", None, CIMultiDict(SENT), "192.0.2.7", "id-1"), behaviour(), ORIGIN)
    assert dict(headers) == {
        "User-Agent": "Amazon CloudFront",
        "X-Forwarded-For": "198.51.100.1, 192.0.2.7",
        "Via": "1.1 local.cloudfront.net (CloudFront)",
        "X-Amz-Cf-Id": "id-1",
        "x-origin-secret": "42",
    }


def test_policies_forward_selected_parts() -> None:
    forward = Selections(
        Selection(Pick.ONLY, frozenset({"x-darkroom-request"})), Selection(Pick.ALL), Selection(Pick.ALL)
    )
    request = Request("GET", "/a", "w=1&h=2", CIMultiDict(SENT))
    headers = origin_headers(request, behaviour(KEYED, forward), ORIGIN)
    assert headers["X-Darkroom-Request"] == "/a"
    assert headers["Accept"] == "image/avif"
    assert headers["Cookie"] == "session=1; other=2"
    assert headers["Accept-Encoding"] == "br,gzip"
    assert origin_query(request, behaviour(KEYED, forward)) == "w=1&h=2"


def test_all_viewer_excludes_host_conditions_and_ranges() -> None:
    headers = origin_headers(
        Request("GET", "/a", None, CIMultiDict(SENT)), behaviour(forward=Selections(Selection(Pick.ALL))), ORIGIN
    )
    assert headers["User-Agent"] == "curl"
    assert not {"Host", "If-None-Match", "Range", "Connection", "Accept-Encoding"} & set(headers)


def test_all_except_forwards_the_others() -> None:
    selection = Selection(Pick.EXCEPT, frozenset({"host", "accept"}))
    assert (selection.takes("dpr"), selection.takes("accept")) == (True, False)


HEADERS = CIMultiDict({"Content-Type": "image/webp", "Vary": "Cookie", "X-Amz-Id-2": "secret"})


@pytest.mark.parametrize(("override", "vary"), [(True, "Accept"), (False, "Cookie")])
def test_custom_headers_and_removal(override: bool, vary: str) -> None:
    policy = ResponseHeadersPolicy(
        (PolicyHeader("Vary", "Accept", override), PolicyHeader("Accept-CH", "DPR", False)),
        removed=frozenset({"x-amz-id-2"}),
    )
    assert dict(apply_policy(policy, "GET", {}, HEADERS)) == {
        "Content-Type": "image/webp",
        "Vary": vary,
        "Accept-CH": "DPR",
    }


ANY = Cors(("*",), ("GET", "HEAD"), ("*",), ("ETag",), max_age_s=60)
SOME = Cors(("https://*.example.com",), ("GET",), ("X-One",), credentials=True)


@pytest.mark.parametrize(
    ("cors", "request_headers", "expected"),
    [
        (ANY, {}, None),
        (ANY, {"origin": "https://a.test"}, "*"),
        (SOME, {"origin": "https://www.example.com"}, "https://www.example.com"),
        (SOME, {"origin": "https://www.example.org"}, None),
        (SOME, {"origin": "http://www.example.com"}, None),
    ],
)
def test_cors(cors: Cors, request_headers: dict[str, str], expected: str | None) -> None:
    headers = apply_policy(ResponseHeadersPolicy(cors=cors), "GET", request_headers, CIMultiDict())
    assert headers.get("Access-Control-Allow-Origin") == expected
    assert "Access-Control-Allow-Methods" not in headers


def test_preflight() -> None:
    asked = {"origin": "https://a.test", "access-control-request-method": "GET"}
    headers = apply_policy(ResponseHeadersPolicy(cors=ANY), "OPTIONS", asked, CIMultiDict())
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert headers["Access-Control-Allow-Headers"] == "*"
    assert headers["Access-Control-Max-Age"] == "60"


@pytest.mark.parametrize(("override", "expected"), [(True, "*"), (False, "https://own.test")])
def test_cors_of_the_origin_itself(override: bool, expected: str) -> None:
    cors = Cors(("*",), ("GET",), ("*",), override=override)
    own = CIMultiDict({"Access-Control-Allow-Origin": "https://own.test"})
    headers = apply_policy(ResponseHeadersPolicy(cors=cors), "GET", {"origin": "https://a.test"}, own)
    assert headers["Access-Control-Allow-Origin"] == expected

"""HTTPS origins: which addresses and URLs are never requested, limits, freshness, and rates."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from darkroom.errors import ObjectChanged, OverLimits, SourceBlocked, Unavailable
from darkroom.further_sources import FurtherSource
from darkroom.origins.fetch import MAX_REDIRECTS, Fetcher
from darkroom.origins.https import FAILED_S, FRESH_S, MISSING_S, MISSING_SHARE, HttpsOrigin, RateLimit
from darkroom.origins.network import Network, is_public
from tests.waiting import wait_until

from .server import HOST, PUBLIC, Origin, page, run_origin, send

SOURCE = FurtherSource("shop/", origin=f"https://{HOST}/shop/", hosts=("cdn.example.com",))
MAX_BYTES = 100_000

BLOCKED = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:93.184.216.34",
    "::ffff:0:10.0.0.1",
    "::127.0.0.1",
    "fec0::1",
    "2606:2800:220:1:0:5efe:10.0.0.1",
    "2606:2800:220:1:200:5efe:10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:5ef5:79fd:0:59d:a0e5:ba1",
    "2001:db8::1",
    "2002:a00:1::",
    "2002:5db8:d822::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:2800:220:1:248:1893:25c8:1946%eth0",
    "ff02::1",
    "ff0e::1",
    "",
    "localhost",
    "0x7f000001",
    "2130706433",
]


@pytest.mark.parametrize("address", BLOCKED)
def test_addresses_that_are_not_public_are_never_dialled(address: str) -> None:
    assert not is_public(address)
    network = Network(resolve=lambda *_: [address], connect=refuse)
    with pytest.raises(SourceBlocked):
        network.open(HOST, 443)


def refuse(address: tuple[str, int]) -> socket.socket:
    pytest.fail(f"connected to {address}")


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "52.95.110.1", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("addresses", [[], [PUBLIC, "10.0.0.1"], ["::1", PUBLIC], [PUBLIC, "::ffff:127.0.0.1"]])
def test_one_private_address_blocks_a_host(addresses: Sequence[str]) -> None:
    with pytest.raises(SourceBlocked):
        Network(resolve=lambda *_: addresses, connect=refuse).open(HOST, 443)


def test_the_real_resolver_finds_addresses_of_this_machine_and_they_are_blocked() -> None:
    with pytest.raises(SourceBlocked):
        Network(connect=refuse).open("localhost", 443)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    with run_origin(tmp_path_factory.mktemp("origin")) as origin:
        yield origin


@pytest.fixture
def origin(server: Origin) -> Origin:
    server.pages.clear()
    server.requests.clear()
    server.dialled.clear()
    return server


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def connect(site: Origin, clock: Clock, **changed: Any) -> HttpsOrigin:
    names = changed.pop("names", None)
    values = {"key_prefix": "shop/", "origin": SOURCE.origin, "hosts": SOURCE.hosts} | changed
    return HttpsOrigin(FurtherSource(**values), MAX_BYTES, site.network(names), clock)


def body(bucket: HttpsOrigin, key: str = "a.jpg") -> bytes | None:
    found = bucket.open(key)
    return found.read() if found else None


def test_an_image_is_fetched_from_the_checked_address_under_its_name(origin: Origin, clock: Clock) -> None:
    origin.pages["/shop/%C3%A9%201.jpg"] = page(b"image", ETag='"v1"', Content_Type="image/jpeg")
    found = connect(origin, clock).open("%C3%A9%201.jpg")
    assert found is not None
    assert (found.read(), found.size_bytes, found.attributes) == (b"image", 5, {"Content-Type": "image/jpeg"})
    assert origin.dialled == [(PUBLIC, 443)]
    [(host, _, headers)] = origin.requests
    assert (host, headers["Accept-Encoding"], headers["Connection"]) == (HOST, "identity", "close")


def test_the_name_is_resolved_once_so_that_it_cannot_be_rebound(origin: Origin, clock: Clock) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    network = origin.network()
    bucket = HttpsOrigin(SOURCE, MAX_BYTES, Network(lambda *_: next(answers), network.connect, network.tls), clock)
    origin.pages["/shop/a.jpg"] = page(b"image")
    assert body(bucket) == b"image"
    assert origin.dialled == [(PUBLIC, 443)]
    clock.now_s += FRESH_S
    with pytest.raises(SourceBlocked):  # the second request resolves again, and checks again
        bucket.open("a.jpg")
    assert len(origin.dialled) == 1


def test_a_certificate_of_another_host_is_refused(origin: Origin, clock: Clock) -> None:
    bucket = connect(origin, clock, origin="https://other.example.com/shop/", names={"other.example.com": [PUBLIC]})
    with pytest.raises(Unavailable) as raised:
        bucket.open("a.jpg")
    assert "certificate" in raised.value.detail.lower()
    assert origin.requests == []


@pytest.mark.parametrize(
    "location",
    [
        "http://img.example.com/shop/b.jpg",
        "https://evil.example.org/shop/b.jpg",
        "https://127.0.0.1/shop/b.jpg",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/b.jpg",
        "https://[::ffff:169.254.169.254]/b.jpg",
        "https://img.example.com:22/b.jpg",
        "https://img.example.com:99999/b.jpg",
        "https://user:word@img.example.com/b.jpg",
        "https://img.example.com@127.0.0.1/b.jpg",
        "https://img.example.com.evil.example.org/b.jpg",
        "//evil.example.org/b.jpg",
        "ftp://img.example.com/b.jpg",
        "file:///etc/passwd",
        "gopher://img.example.com/",
    ],
)
def test_redirects_to_other_hosts_and_schemes_are_blocked(origin: Origin, clock: Clock, location: str) -> None:
    origin.pages["/shop/a.jpg"] = page(status=302, Location=location)
    with pytest.raises(SourceBlocked):
        connect(origin, clock).open("a.jpg")
    assert origin.paths == ["/shop/a.jpg"]
    assert origin.dialled == [(PUBLIC, 443)]


@pytest.mark.parametrize(
    ("location", "host", "path"),
    [
        ("/elsewhere/b.jpg?v=2", HOST, "/elsewhere/b.jpg?v=2"),
        ("b.jpg", HOST, "/shop/b.jpg"),
        ("https://cdn.example.com/b.jpg", "cdn.example.com", "/b.jpg"),
        ("https://CDN.example.com:443/b.jpg", "cdn.example.com", "/b.jpg"),
    ],
)
def test_redirects_to_allowed_hosts_are_followed(
    origin: Origin, clock: Clock, location: str, host: str, path: str
) -> None:
    origin.pages["/shop/a.jpg"] = page(status=301, Location=location)
    origin.pages[path] = page(b"moved")
    assert body(connect(origin, clock)) == b"moved"
    assert origin.requests[-1][:2] == (host, path)


def test_the_host_of_each_redirect_is_resolved_and_checked(origin: Origin, clock: Clock) -> None:
    origin.pages["/shop/a.jpg"] = page(status=302, Location="https://cdn.example.com/b.jpg")
    with pytest.raises(SourceBlocked):
        connect(origin, clock, names={"cdn.example.com": ["10.0.0.1"]}).open("a.jpg")
    assert origin.dialled == [(PUBLIC, 443)]


def test_redirects_end(origin: Origin, clock: Clock) -> None:
    origin.pages["/shop/a.jpg"] = page(status=302, Location="/shop/a.jpg")
    with pytest.raises(SourceBlocked):
        connect(origin, clock).open("a.jpg")
    assert len(origin.requests) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("length", [True, False])
def test_more_bytes_than_a_source_may_have_are_not_read(origin: Origin, clock: Clock, length: bool) -> None:
    origin.pages["/shop/a.jpg"] = page(b"x" * (MAX_BYTES + 1), length=length)
    origin.pages["/shop/b.jpg"] = page(b"x" * MAX_BYTES, length=length)
    bucket = connect(origin, clock)
    with pytest.raises(OverLimits):
        bucket.open("a.jpg")
    found = bucket.open("b.jpg")
    assert found is not None
    assert found.size_bytes == MAX_BYTES


@pytest.mark.parametrize(
    "headers",
    [{"Content_Length": "10"}, {"Content_Encoding": "gzip"}, {"Content_Encoding": "br"}],
    ids=["cut off", "gzip", "br"],
)
def test_an_incomplete_or_compressed_body_is_refused(origin: Origin, clock: Clock, headers: dict[str, str]) -> None:
    origin.pages["/shop/a.jpg"] = page(gzip.compress(b"x")[:9], **headers)
    with pytest.raises(Unavailable):
        connect(origin, clock).open("a.jpg")


def test_a_body_that_drips_ends_with_the_time(origin: Origin) -> None:
    ended: list[float] = []

    def drip(request: Any) -> None:
        send(request, 200, b"", length=False)
        try:
            while True:
                request.wfile.write(b"x")
                time.sleep(0.02)
        except OSError:
            ended.append(time.monotonic())

    origin.pages["/shop/a.jpg"] = drip
    fetcher = Fetcher(frozenset({HOST}), MAX_BYTES, origin.network(), total_s=0.3)
    with pytest.raises(Unavailable):
        fetcher.fetch(f"https://{HOST}/shop/a.jpg")
    wait_until(lambda: ended, "the server has lost its client")


def test_a_master_is_revalidated_by_its_tag_and_date(origin: Origin, clock: Clock) -> None:
    origin.pages["/shop/a.jpg"] = page(b"image", ETag='"v1"', Last_Modified="Sat, 28 Nov 2026 12:00:00 GMT")
    bucket = connect(origin, clock)
    etag = bucket.etag("a.jpg")
    assert [body(bucket), body(bucket), bucket.etag("a.jpg"), len(origin.requests)] == [b"image", b"image", etag, 1]
    clock.now_s += FRESH_S
    origin.pages["/shop/a.jpg"] = page(status=304)
    assert body(bucket) == b"image"
    headers = origin.requests[-1][2]
    assert headers["If-None-Match"] == '"v1"'
    assert headers["If-Modified-Since"] == "Sat, 28 Nov 2026 12:00:00 GMT"
    clock.now_s += FRESH_S
    origin.pages["/shop/a.jpg"] = page(b"later", ETag='"v2"')
    assert body(bucket) == b"later"
    assert bucket.etag("a.jpg") != etag
    assert bucket.read_range("a.jpg", 1, 3, str(bucket.etag("a.jpg"))) == b"at"
    with pytest.raises(ObjectChanged):
        bucket.read_range("a.jpg", 1, 3, str(etag))


def test_without_validators_the_tag_is_that_of_the_bytes(origin: Origin, clock: Clock) -> None:
    origin.pages["/shop/a.jpg"] = page(b"one")
    origin.pages["/shop/b.jpg"] = page(b"one")
    origin.pages["/shop/c.jpg"] = page(b"two")
    bucket = connect(origin, clock)
    assert bucket.etag("a.jpg") == bucket.etag("b.jpg") != bucket.etag("c.jpg")


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_missing_image_is_remembered_for_a_minute(origin: Origin, clock: Clock, status: int) -> None:
    origin.pages["/shop/a.jpg"] = page(status=status)
    bucket = connect(origin, clock)
    assert [bucket.open("a.jpg"), bucket.read("a.jpg"), bucket.etag("a.jpg")] == [None, None, None]
    assert len(origin.requests) == 1
    clock.now_s += MISSING_S
    origin.pages["/shop/a.jpg"] = page(b"image")
    assert body(bucket) == b"image"


@pytest.mark.parametrize("status", [429, 500, 503, 206, 304])
def test_a_failure_is_remembered_for_some_seconds(origin: Origin, clock: Clock, status: int) -> None:
    origin.pages["/shop/a.jpg"] = page(status=status)
    bucket = connect(origin, clock)
    for _ in range(3):
        with pytest.raises(Unavailable):
            bucket.open("a.jpg")
    assert len(origin.requests) == 1
    clock.now_s += FAILED_S
    origin.pages["/shop/a.jpg"] = page(b"image")
    assert body(bucket) == b"image"


def test_an_unknown_host_is_unavailable(origin: Origin, clock: Clock) -> None:
    with pytest.raises(Unavailable):
        connect(origin, clock, origin="https://gone.example.com/").open("a.jpg")


def test_requests_to_an_origin_have_a_rate(origin: Origin, clock: Clock) -> None:
    for number in range(3):
        origin.pages[f"/shop/{number}.jpg"] = page(b"x")
    bucket = connect(origin, clock, requests_per_s=2)
    assert all(bucket.open(f"{number}.jpg") for number in range(2))
    with pytest.raises(Unavailable):
        bucket.open("2.jpg")
    assert bucket.open("0.jpg")  # remembered: no request
    clock.now_s += 0.5
    assert bucket.open("2.jpg")
    assert len(origin.requests) == 3


def test_keys_that_do_not_exist_use_a_share_of_the_rate(origin: Origin, clock: Clock) -> None:
    """One client with invented keys does not take the origin's images off line, nor new ones for long."""
    for number in range(40):
        origin.pages[f"/shop/{number}.jpg"] = page(b"x")
    bucket = connect(origin, clock, requests_per_s=10)
    for number in range(5):
        assert bucket.open(f"{number}.jpg")
    refused = 0
    for second in range(20):
        clock.now_s += FRESH_S
        for attempt in range(100):
            try:
                assert bucket.open(f"invented-{second}-{attempt}.jpg") is None
            except Unavailable:
                refused += 1
        assert all(bucket.open(f"{number}.jpg") for number in range(5)), "images that were found, revalidated"
    invented = [path for path in origin.paths if "invented" in path]
    assert len(invented) == 20 * 10 * MISSING_SHARE
    assert refused == 2000 - len(invented)
    with pytest.raises(Unavailable):
        bucket.open("9.jpg")
    clock.now_s += 1
    assert bucket.open("9.jpg"), "an image that was never requested waits for the share"


def test_without_invented_keys_new_images_may_use_the_whole_rate(origin: Origin, clock: Clock) -> None:
    for number in range(10):
        origin.pages[f"/shop/{number}.jpg"] = page(b"x")
    bucket = connect(origin, clock, requests_per_s=10)
    assert bucket.open("missing.jpg") is None
    assert all(bucket.open(f"{number}.jpg") for number in range(9))


def test_an_image_that_was_removed_counts_as_missing(origin: Origin, clock: Clock) -> None:
    origin.pages["/shop/0.jpg"] = page(b"x")
    bucket = connect(origin, clock, requests_per_s=5)
    assert bucket.open("0.jpg")
    del origin.pages["/shop/0.jpg"]
    clock.now_s += FRESH_S
    assert bucket.open("0.jpg") is None
    with pytest.raises(Unavailable):
        bucket.open("1.jpg")


def test_a_rate_limit_saves_no_more_than_a_second(clock: Clock) -> None:
    rate = RateLimit(3, clock)
    clock.now_s += 3600
    assert [rate.take() for _ in range(4)] == [True, True, True, False]


def test_the_cache_holds_a_bounded_number_of_bytes(origin: Origin, clock: Clock, monkeypatch: Any) -> None:
    monkeypatch.setattr("darkroom.origins.https.CACHE_BYTES", 25)
    for number in range(4):
        origin.pages[f"/shop/{number}.jpg"] = page(b"x" * 10)
    bucket = connect(origin, clock)
    for number in (0, 1, 2, 3, 3, 2, 0):
        assert bucket.open(f"{number}.jpg") is not None
    assert origin.paths == [f"/shop/{number}.jpg" for number in (0, 1, 2, 3, 0)]

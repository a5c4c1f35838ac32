"""Tests of the benchmark's path of a miss: the CDN, S3 without the image, and a function."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Self

import pytest

from bench.link.process import run_link
from bench.measure import Running
from bench.origin.function_url import open_function_url
from bench.origin.viewing import open_viewer, store_image
from bench.runtime import CompetitorError, Invocation
from bench.suites.miss import Path, Seen, figures
from bench.suites.origin import OPTIONS

NAME = f"12mp.jpg/_/{OPTIONS}"


class Answering:
    """A process that answers with the path of its event, some milliseconds before its extensions have finished."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def invoke(self, event: Any) -> Invocation:
        if event["rawPath"].startswith("/13/"):
            raise CompetitorError("it failed")
        body = b64encode(event["rawPath"].encode()).decode()
        answer = {"statusCode": 200, "headers": {"content-type": "image/webp"}, "body": body, "isBase64Encoded": True}
        return Invocation(2.0, answer, 12.0)

    def cpu_ms(self) -> float:
        return 0.0

    def peak_rss_mb(self) -> float:
        return 0.0


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    running: Running = Answering()
    with (
        run_link([], latency_ms=0, megabytes_per_s=1000) as s3_url,
        open_function_url(running, lambda target: {"rawPath": target}) as function,
        open_viewer(s3_url, None, "--function", function.url) as viewer,
    ):
        store_image(s3_url, f"derivatives/7/{NAME}", b"stored", {"Content-Type": "image/webp"})
        yield Path("Darkroom", viewer, function)


@pytest.mark.slow
def test_the_function_makes_what_s3_does_not_have(path: Path) -> None:
    seen = path.request(1)
    assert seen.function_ms == 2.0
    made = path.viewer.get("/2/12mp.jpg?w=800&f=webp")
    assert made.body == f"/2/{NAME}".encode()
    assert made.headers["x-cache"] == "Miss from cloudfront"


@pytest.mark.slow
@pytest.mark.parametrize("number", [7, 13])
def test_what_the_function_did_not_make_is_no_measurement(path: Path, number: int) -> None:
    with pytest.raises(CompetitorError):
        path.request(number)


def test_figures_are_ratios_within_each_turn_and_what_is_added() -> None:
    stored = [Seen(60, 30), Seen(90, 50)]
    ratio, added = figures([stored, [Seen(35, 30), Seen(37, 30)], [Seen(120, 110), Seen(150, 140)]])
    assert ratio.value == pytest.approx((60 / 120 + 90 / 150) / 2)
    assert ratio.floor == pytest.approx((30 / 120 + 50 / 150) / 2)
    assert (added.value, added.least, added.most) == (6, 5, 7)

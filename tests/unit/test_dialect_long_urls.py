"""Long URLs of repetitions: the work grows with their length, and patterns with ambiguous repetitions would not end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

import pytest

from darkroom.errors import DarkroomError
from darkroom_dialects import cloudflare, cloudinary, dit, imgix, imgproxy, thumbor
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.iiif.url import parse as parse_iiif

LENGTH = 4_000
"""Half of what CloudFront accepts of a URL."""

PARTS = (
    "1",
    "0",
    "1.",
    ".1",
    "11;",
    "1;",
    ",1",
    " ",
    "a ",
    "'",
    "',1,1,1,a,1,'",
    "(",
    ")",
    "(a",
    "a)",
    ":",
    ":(",
    ":a(",
    ")x(",
)

URLS: dict[str, tuple[Callable[..., object], str]] = {
    **{
        f"thumbor {call}": (thumbor.parse, f"/unsafe/filters:{call}{{}})/a.jpg")
        for call in ("blur(1,", "convolution(", "label(", "label(a,1,1,1,a,1,", "proportion(", "quality(", "watermark(")
    },
    "thumbor filters": (thumbor.parse, "/unsafe/filters:{}/a.jpg"),
    "dit filters": (dit.parse, "/filters:{})/a.jpg"),
    "dit open": (dit.parse, "/filters:{}:)/a.jpg"),
    "dit filter": (dit.parse, "/filters:blur({})/a.jpg"),
    "imgproxy": (imgproxy.parse, "/unsafe/wm:1:{}/plain/a.jpg"),
    "imgproxy path": (imgproxy.parse, "/unsafe/plain/{}"),
    "cloudflare": (cloudflare.parse, "/cdn-cgi/image/width={}/a.jpg"),
    "cloudinary": (cloudinary.parse, "/demo/image/upload/e_blur:{}/a.jpg"),
    "cloudinary path": (cloudinary.parse, "/demo/image/upload/{}/a.jpg"),
    "imgix": (imgix.parse, "/a.jpg?rect={}"),
    "iiif": (lambda target, _: parse_iiif(target), "/iiif/3/a.jpg/pct:{}/max/0/default.jpg"),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", URLS)
def test_the_work_grows_with_the_length_of_a_url(name: str, part: str) -> None:
    parse, url = URLS[name]
    for end in ("", "x", ",)"):
        with suppress(DarkroomError):
            parse(url.replace("{}", quote(part * (LENGTH // len(part)) + end, safe="(),:;'.")), DialectSettings())

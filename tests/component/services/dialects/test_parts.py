"""Cache ages, keys, access modes and the variant of a viewer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadOption
from darkroom.plan.canonical import MAX_OPTIONS_BYTES, build_plan, options_text
from darkroom.plan.forced_options import NOTHING_FORCED, ForcedOptions
from darkroom.plan.model import Plan
from darkroom.services.caching import CachePolicy
from darkroom.services.serve.large_copies import limit_max_age
from darkroom_dialects.common.parsed_url import ParsedUrl
from darkroom_dialects.serving.request import DialectRequest
from darkroom_dialects.serving.service import choose_variant

AGES = st.integers(0, 10**9)


@given(browser=AGES, cdn=AGES, stale=AGES, limit=AGES, immutable=st.booleans(), unrefined=st.booleans())
def test_no_age_of_ours_is_above_the_limit(
    browser: int, cdn: int, stale: int, limit: int, immutable: bool, unrefined: bool
) -> None:
    policy = CachePolicy(browser, cdn, stale, ("a/",) if immutable else ())
    text = limit_max_age(policy.cache_control("a/b.jpg", unrefined=unrefined), limit)
    ages = [int(part.partition("=")[2]) for part in text.split(", ")[1:]]
    assert len(ages) == 2
    assert max(ages) <= limit
    assert "stale" not in text
    assert "immutable" not in text


@pytest.mark.parametrize(
    ("given", "limit_s", "kept"),
    [
        (
            "public, max-age=86400, s-maxage=31536000, stale-while-revalidate=9",
            3600,
            "public, max-age=3600, s-maxage=3600",
        ),
        ("public, max-age=86400, s-maxage=7200", 86400, "public, max-age=86400, s-maxage=7200"),
        ("public, max-age=31536000, immutable", 60, "public, max-age=60, s-maxage=60"),
        ("", 60, "public, max-age=60, s-maxage=60"),
        ("no-store", 60, "no-store"),
    ],
)
def test_ages(given: str, limit_s: int, kept: str) -> None:
    assert limit_max_age(given, limit_s) == kept


def got(plan: Plan, format_class: str = "auto-webp", *, saves_data: bool = False, **asked: Any) -> Plan:
    request = DialectRequest("/", format_class=format_class, saves_data=saves_data)
    return choose_variant(ParsedUrl(plan, None, **asked), request, NOTHING_FORCED)


@pytest.mark.parametrize(
    ("values", "asked", "saves_data", "quality"),
    [
        ({}, {}, False, None),
        ({}, {"qualities": (("webp", 60), ("jpeg", 70))}, False, 60),
        ({"q": 33}, {"qualities": (("webp", 60),)}, False, 33),
        ({"f": "jpeg"}, {"qualities": (("webp", 60), ("jpeg", 70))}, False, 70),
        ({"f": "png"}, {"qualities": (("png", 60),)}, False, None),
        ({}, {}, True, 50),
        ({"q": 33}, {}, True, 33),
        ({"q": 33}, {"saving_quality": 20}, True, 20),
        ({"q": 33}, {"saving_quality": 20}, False, 33),
    ],
)
def test_qualities(values: dict[str, Any], asked: dict[str, Any], saves_data: bool, quality: int | None) -> None:
    plan = build_plan("a.jpg", {"w": 100, **values})
    assert got(plan, saves_data=saves_data, **asked).quality == quality


def test_a_quality_by_format_may_be_too_much_for_a_name() -> None:
    values = {"w": 100, "dl": "a" * 255, "ov": "text:a"}
    room = MAX_OPTIONS_BYTES - len(options_text(build_plan("a.jpg", values)))
    text = build_plan("a.jpg", values | {"ov": f"text:a{'a' * room}"})
    with pytest.raises(BadOption, match=str(MAX_OPTIONS_BYTES)):
        got(text, qualities=(("webp", 100),))


def test_what_is_forced_is_in_the_variant_with_the_findings_that_are_active() -> None:
    always = ForcedOptions.parse("people/=faces")
    request = DialectRequest("/", findings="b2")
    found = choose_variant(ParsedUrl(build_plan("people/a.jpg", {"w": 320}), None), request, always)
    assert (found.redact, found.findings, found.format) == ("faces", "b2", "auto-legacy")
    assert choose_variant(ParsedUrl(build_plan("a.jpg", {"w": 320}), None), request, always).findings == ""
    with pytest.raises(BadOption, match="page 0"):
        choose_variant(ParsedUrl(build_plan("people/a.tif", {"w": 320, "page": 1}), None), request, always)


def test_a_request_is_read_from_the_headers_of_the_edge() -> None:
    sent = {
        "x-darkroom-url": "/iiif/3/a%2Fb.jpg/info.json",
        "x-darkroom-class": "application/ld+json",
        "x-darkroom-host": "images.example.com",
        "x-darkroom-findings": "b2",
        "cloudfront-forwarded-proto": "https",
        "if-none-match": '"a"',
    }
    request = DialectRequest.from_headers("GET", sent)
    assert request.base_url == "https://images.example.com"
    assert (request.path, request.accept, request.findings) == (sent["x-darkroom-url"], "application/ld+json", "b2")
    assert request.format_class == "auto-legacy"
    assert DialectRequest.from_headers("GET", {}).findings == "1"

"""The setting ``sources``: buckets and origins by key prefix, and what no source may be."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.errors import BadKey
from darkroom.further_sources import FurtherSource, find_source
from darkroom.settings import InvalidSettings, parse_settings
from darkroom_dialects.settings_file import apply_settings, load_settings

BUCKET = {"bucket": "partner-photos", "prefix": "originals/", "region": "eu-west-1"}
ORIGIN = {"origin": "https://img.example.com/shop/", "hosts": ["cdn.example.com:8443"], "max_age_s": 600}


def parse(table: Any) -> tuple[FurtherSource, ...]:
    return parse_settings({"sources": table}).sources


def test_the_longest_prefix_of_a_key_selects_its_source() -> None:
    sources = parse({"shop/": ORIGIN, "shop/old/": BUCKET})
    assert [one.key_prefix for one in sources] == ["shop/old/", "shop/"]
    assert find_source(sources, "shop/old/é 1.jpg") == sources[0]
    assert find_source(sources, "shop/a.jpg") == sources[1]
    assert find_source(sources, "shopping/a.jpg") is None
    assert (sources[0].name("shop/old/é 1.jpg"), sources[1].name("shop/é 1.jpg")) == (
        "originals/é 1.jpg",
        "%C3%A9%201.jpg",
    )


@pytest.mark.parametrize(
    "table",
    [
        [],
        {"shop/": {}},
        {"shop/": 5},
        {"shop": ORIGIN},
        {"/shop/": ORIGIN},
        {"": ORIGIN},
        {"a/../": ORIGIN},
        {"a/_/": ORIGIN},
        {"shop/": ORIGIN | BUCKET},
        {"shop/": ORIGIN | {"region": "eu-west-1"}},
        {"shop/": BUCKET | {"hosts": []}},
        {"shop/": BUCKET | {"bucket": "Photos"}},
        {"shop/": BUCKET | {"bucket": 5}},
        {"shop/": BUCKET | {"prefix": "originals"}},
        {"shop/": BUCKET | {"prefix": "/originals/"}},
        {"shop/": BUCKET | {"region": "eu west"}},
        {"shop/": BUCKET | {"key_prefix": "x/"}},
        {"shop/": ORIGIN | {"hosts": "cdn.example.com"}},
        {"shop/": ORIGIN | {"hosts": ["10.0.0.1"]}},
        {"shop/": ORIGIN | {"max_age_s": 0}},
        {"shop/": ORIGIN | {"max_age_s": True}},
        {"shop/": ORIGIN | {"requests_per_s": 0}},
        *(
            {"shop/": {"origin": origin}}
            for origin in (
                "http://img.example.com/",
                "https://img.example.com",
                "https://img.example.com/a",
                "https://user@img.example.com/",
                "https://169.254.169.254/",
                "https://[::1]/",
                "https://localhost/",
                "https://2130706433/",
                "https://img.example.com/?q=/",
                "https://IMG.example.com/",
                "https://img.example.com:0/",
                "https://img.example.com/\n/",
                7,
            )
        ),
    ],
)
def test_an_invalid_table_is_refused(table: Any) -> None:
    with pytest.raises(InvalidSettings, match="sources: must be a table of at most 20"):
        parse(table)


def test_at_most_twenty_sources() -> None:
    assert len(parse({f"{number}/": BUCKET for number in range(20)})) == 20
    with pytest.raises(InvalidSettings):
        parse({f"{number}/": BUCKET for number in range(21)})


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("s3://partner-photos/originals/trips/a%20b.jpg", "partner é/trips/a b.jpg"),
        ("https://img.example.com/shop/a.jpg?v=5", "shop/a.jpg"),
        ("a.jpg", "a.jpg"),
    ],
)
def test_addresses_of_dialects_are_keys_of_their_source(address: str, key: str) -> None:
    settings = parse_settings({"sources": {"shop/": ORIGIN, "partner é/": BUCKET}})
    assert apply_settings(load_settings(), settings).sources.resolve(address) == key


@pytest.mark.parametrize(
    "address",
    [
        "s3://partner-photos/secret/a.jpg",
        "s3://another/originals/a.jpg",
        "https://img.example.com/other/a.jpg",
        "https://img.example.com/shop/../other/a.jpg",
        "https://img.example.com.evil.example/shop/a.jpg",
        "https://user@img.example.com/shop/a.jpg",
        "http://img.example.com/shop/a.jpg",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    settings = parse_settings({"sources": {"shop/": ORIGIN, "partner/": BUCKET}})
    with pytest.raises(BadKey):
        apply_settings(load_settings(), settings).sources.resolve(address)

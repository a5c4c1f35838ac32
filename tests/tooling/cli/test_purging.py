"""Manifests of keys to purge, and what their purge costs."""

from __future__ import annotations

import pytest

from cli.purging import BadKeys, estimate, parse_keys
from darkroom_pipeline.operations.cost_model import load_prices
from darkroom_pipeline.services.purge.consumer import BULK_MESSAGES

PRICES = load_prices()


def usd(keys: int, *, dialects: bool = False) -> float:
    return estimate(keys, dialects=dialects, prices=PRICES).usd


def test_a_key_costs_two_invalidations_of_each_of_its_paths() -> None:
    assert usd(1000) == pytest.approx(1000 * 4 * 0.005, rel=0.01)
    assert usd(1000, dialects=True) == pytest.approx(1000 * 6 * 0.005, rel=0.01)
    assert estimate(0, dialects=False, prices=PRICES).usd == 0


def test_many_keys_share_invalidations_of_the_whole_cdn() -> None:
    assert usd(2_000_000) < usd(BULK_MESSAGES - 1)
    assert 0 < usd(BULK_MESSAGES) < 1


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (1, "1 key: at most $0.02, about 2 min"),
        (15, "15 keys: at most $0.30, about 3 min"),
        (1000, "1000 keys: at most $20.0"),
        (2_000_000, "2000000 keys: at most $5"),
    ],
)
def test_an_estimate_is_one_line(keys: int, text: str) -> None:
    assert estimate(keys, dialects=False, prices=PRICES).describe().startswith(text)


def test_a_manifest_names_each_key_once_in_its_order() -> None:
    assert parse_keys(["b/é 1.jpg\r\n", "\n", "a.jpg\n", "b/é 1.jpg"]) == ["b/é 1.jpg", "a.jpg"]


def test_lines_that_are_no_keys_are_named() -> None:
    with pytest.raises(BadKeys, match=r"^line 2: .*; line 3: .*; line 4: .*, and 2 more lines$"):
        parse_keys(["a.jpg", "/b.jpg", "a//b", "..", "x/_/y", "c/"])

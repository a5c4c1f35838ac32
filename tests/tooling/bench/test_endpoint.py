"""Tests of the model server's suite: its images, and its table."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bench.corpus.packages import PackageUnavailable
from bench.endpoint.batching import SERVERS, Findings, Measured, format_page, prepare_images, tables
from bench.endpoint.server import ServerResult

pytestmark = pytest.mark.slow


def findings() -> Findings:
    """Batches are twice as fast in each turn, though the machine was slow in the second."""
    fast = Measured([ServerResult(20, 400, 12, 90), ServerResult(8, 900, 14, 110)])
    slow = Measured([ServerResult(10, 700, 1, 200), ServerResult(4, 1900, 1, 200)])
    return Findings({("faces", "batches"): fast, ("faces", "one by one"): slow}, ["a machine"])


def test_ratios_are_to_the_server_that_makes_no_batches() -> None:
    [table] = tables(findings())
    assert table.rows == [
        ("batches", "14.0 (8.0–20.0)", "2.00", "650", "13.0", "0.10"),
        ("one by one", "7.0 (4.0–10.0)", "1.00", "1,300", "1.0", "0.20"),
    ]
    assert {len(row) for row in table.rows} == {len(table.headings)}


def test_it_tells_all_that_it_found() -> None:
    text = format_page(findings())
    assert all(word in text for word in ("faces", *SERVERS, "2.00", "a machine"))


def test_the_last_server_makes_no_batches() -> None:
    assert list(SERVERS.values())[-1] == {"BATCH_SIZE": "1"}


def test_images_have_one_side_and_differ() -> None:
    try:
        made = prepare_images(17)
    except PackageUnavailable as reason:
        pytest.skip(str(reason))
    assert len(set(made)) == 17
    assert {max(Image.open(io.BytesIO(one)).size) for one in made} == {2048}

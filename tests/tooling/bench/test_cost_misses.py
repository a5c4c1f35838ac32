"""The cost pages agree with the price table and the measurements."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from math import e
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from bench.compare import OURS, STORED
from bench.competitors.dit import NAME as DIT
from bench.competitors.model import MissingCompetitor
from bench.cost import PAGE
from bench.cost.misses import MARKERS, MEMORY_MB, by_memory, conditions, for_page
from bench.cost.pricing import (
    ALL_TIMES,
    COLD,
    MEZZANINE_READS,
    RENDER_READS,
    TIMES,
    UNSTORED_RENDER_READS,
    CostComparison,
    compute_chance_ratio,
    compute_lower_bound,
    compute_ratio,
    describe_memory,
    read_comparison,
    tabulate_by_misses,
)
from bench.cost.render_cost import misses_cost, with_misses
from bench.goals import read_goals
from bench.suites.cost import figures
from darkroom.aws.s3_fast import FastBucket, StoredObject
from darkroom.services.serve.answers import Rendered, TransformRequest
from darkroom.services.serve.transform import Transform
from darkroom_pipeline.operations.cost_model import load_prices
from tests.fixed_keys import FixedKeys
from tests.images.photographs import jpeg_photo

PRICES, PROCESSOR, TITLE = load_prices(), "x86_64", "an image"


def measured(
    warm_ms: float, cpu_ms: float, cold_ms: float, peak_mb: float, size: int, late_ms: float = 0
) -> dict[str, float]:
    """Results of a competitor that works for ``late_ms`` after its response."""
    times_ms = {"warm_ms": warm_ms, "billed_ms": warm_ms + late_ms, "cpu_ms": cpu_ms, "cold_ms": cold_ms}
    return times_ms | {"peak_mb": peak_mb, "image_bytes": size}


FOUND = {
    STORED: measured(125, 66, 275, 60, 76_000, late_ms=25),
    OURS: measured(100, 65, 250, 60, 76_000),
    DIT: measured(140, 90, 400, 150, 75_000),
}


class Counting(FastBucket):
    """Counts its calls as S3 charges for them."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.asked: list[str] = []

    def open(self, key: str, first_bytes: int = 0) -> StoredObject | None:
        self.asked.append("like a GET")
        return super().open(key, first_bytes)

    def etag(self, key: str) -> str | None:
        self.asked.append("like a GET")
        return super().etag(key)

    def put(self, key: str, body: bytes, attributes: Mapping[str, str], replaces: str | None = None) -> str:
        self.asked.append("PUT")
        return super().put(key, body, attributes, replaces)


def kept(folder: Path, found: dict[str, dict[str, float]]) -> Path:
    file = folder / "requests.json"
    file.write_text(json.dumps({TITLE: found}), encoding="utf-8")
    return file


@pytest.fixture
def found(tmp_path: Path) -> CostComparison:
    return read_comparison(TITLE, PRICES, PROCESSOR, kept(tmp_path, FOUND))


def test_designs_are_made_of_what_was_measured(found: CostComparison) -> None:
    ours, unstored, theirs = (one.design for one in (found.ours, found.unstored, found.theirs))
    assert (ours.render.wall_ms, ours.render.cpu_ms, ours.render.start_ms, ours.image_bytes) == (150, 66, 150, 76_000)
    assert (ours.stores, ours.extra_gets, ours.cold_share, ours.rest_api) == (True, 5, COLD, False)
    assert (unstored.render.wall_ms, unstored.stores, unstored.rest_api) == (100, False, False)
    assert (theirs.render.wall_ms, theirs.render.start_ms, theirs.stores, theirs.rest_api) == (140, 260, False, True)
    assert not found.bare.design.rest_api


def test_each_has_a_memory_that_its_template_allows(found: CostComparison) -> None:
    """Darkroom's is the cheapest: waiting costs by the memory, computing does not. That of AWS's solution is fixed."""
    assert (found.ours.memory_mb, found.unstored.memory_mb) == (1024, 1024)
    assert (found.theirs.memory_mb, found.bare.memory_mb) == (1024, 1024)
    ours, theirs = describe_memory(found)
    assert "1024 MB, 199 ms a render, and 260 ms more" in ours
    assert "1024 MB, 206 ms a render, and 450 ms more" in theirs


@pytest.mark.parametrize("lacking", [STORED, OURS, DIT])
def test_what_was_not_measured_is_not_priced(tmp_path: Path, lacking: str) -> None:
    file = kept(tmp_path, {name: one for name, one in FOUND.items() if name != lacking})
    with pytest.raises(MissingCompetitor, match=re.escape(lacking)):
        read_comparison(TITLE, PRICES, PROCESSOR, file)
    with pytest.raises(MissingCompetitor):
        read_comparison(TITLE, PRICES, PROCESSOR, tmp_path / "none")


def test_the_table_by_times_has_the_costs_of_a_million_misses(found: CostComparison) -> None:
    table = tabulate_by_misses(TITLE, found, PRICES, PROCESSOR)
    assert [row[0] for row in table.rows] == ["once", *(f"{times} times" for times in ALL_TIMES[1:])]
    assert {len(row) for row in table.rows} == {len(table.headings)}
    for times, row in zip(ALL_TIMES, table.rows, strict=True):
        expected = [
            sum(misses_cost(PRICES, with_misses(one.design, times), one.memory_mb).values())
            for one in (found.ours, found.unstored, found.theirs, found.bare)
        ]
        assert [float(row[at]) for at in (1, 3, 5, 6)] == pytest.approx(expected, abs=0.005)
        assert float(row[2]) == pytest.approx(expected[0] / expected[2], abs=0.005)
        assert float(row[7]) == pytest.approx(expected[0] / expected[3], abs=0.005)


def test_a_render_makes_as_many_requests_of_s3_as_are_priced() -> None:
    bucket = Counting(MemoryStore())
    bucket.put("masters/photo.jpg", jpeg_photo(), {})
    bucket.asked.clear()
    service = Transform(source=bucket, media=bucket, keys=FixedKeys(()))
    assert isinstance(service.answer(TransformRequest("/photo.jpg/_/w-800.webp")), Rendered)
    assert Counter(bucket.asked) == {"like a GET": 1 + RENDER_READS + MEZZANINE_READS, "PUT": 1}
    bucket.asked.clear()
    assert isinstance(replace(service, stores=False).answer(TransformRequest("/photo.jpg/_/w-800.auto-webp")), Rendered)
    assert bucket.asked == ["like a GET"] * (1 + UNSTORED_RENDER_READS + MEZZANINE_READS)


def test_a_miss_where_nothing_is_stored_has_no_question_of_the_cdn_to_s3(found: CostComparison) -> None:
    """The edge function makes the function the first origin."""
    assert found.unstored.design.extra_gets == UNSTORED_RENDER_READS + MEZZANINE_READS
    gets = sum(PRICES.cost({"s3-gets": 1e6 * (1 + UNSTORED_RENDER_READS + MEZZANINE_READS)}).values())
    parts = misses_cost(PRICES, found.unstored.design, found.unstored.memory_mb)
    assert parts["requests"] == pytest.approx(gets + 0.20)


def test_the_figures_are_of_their_goals(found: CostComparison) -> None:
    often, once, by_chance = figures(found)
    assert f"missed {TIMES} times in a month" in read_goals()[often.goal].what
    assert "missed once" in read_goals()[once.goal].what
    for notes, times in ((often, TIMES), (once, 1)):
        assert notes.value == compute_ratio(found, PRICES, PROCESSOR, times)
        assert notes.floor == compute_lower_bound(found, PRICES, PROCESSOR, times) < notes.value
    assert "PUTs alone cost $5.00" in once.why
    assert "stored by chance" in read_goals()[by_chance.goal].what
    assert by_chance.floor is not None
    assert by_chance.floor < by_chance.value < once.value


def test_a_render_stored_by_chance_has_the_reads_of_the_function_and_the_cdn(found: CostComparison) -> None:
    """What differs from storing is the PUT, its check and wait, and storage."""
    by_chance, unstored = compute_chance_ratio(found, PRICES, PROCESSOR)
    theirs = found.theirs.dollars(PRICES, PROCESSOR, 1)
    storing = sum(misses_cost(PRICES, found.ours.design, 1024).values()) - theirs * unstored
    assert storing == pytest.approx(5.00 + 0.40 + 76_000 / 1e3 * 0.023 + 50 / 1e3 * 16.6667, rel=0.01)
    assert theirs * unstored - found.unstored.dollars(PRICES, PROCESSOR, 1) == pytest.approx(0.40)
    assert by_chance == pytest.approx(unstored + (unstored * theirs - 0.4) / (e - 1) / theirs)


def test_the_table_by_memory_has_a_row_for_each_size(found: CostComparison) -> None:
    table = by_memory(TITLE, found, PRICES, PROCESSOR)
    assert [row[0] for row in table.rows] == [str(memory_mb) for memory_mb in MEMORY_MB]
    full = table.rows[MEMORY_MB.index(1769)]
    assert (full[1], full[3]) == ("150", "140")
    expected = [sum(misses_cost(PRICES, one.design, 1769).values()) for one in (found.ours, found.theirs)]
    assert [float(full[at]) for at in (2, 4)] == pytest.approx(expected, abs=0.005)


def test_the_page_has_its_place_for_the_tables(found: CostComparison) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(MARKERS.begin) == text.count(MARKERS.end) == 1
    measured_part = text[text.index(MARKERS.begin) : text.index(MARKERS.end)]
    assert len(re.findall(r"^\| \d+ \| \d+ \|", measured_part, re.MULTILINE)) == 2 * len(MEMORY_MB)
    assert f"as read on {PRICES.read_on.isoformat()}" in measured_part


@pytest.mark.slow
def test_the_conditions_are_on_the_page(found: CostComparison) -> None:
    text = for_page({TITLE: found}, PRICES, PROCESSOR)
    assert f"### {TITLE}: USD for a million misses" in text
    assert all(line in text for line in conditions(PRICES, PROCESSOR))

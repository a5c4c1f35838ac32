"""Tests of the measurement of ``q=auto``: arithmetic, and images."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bench.auto.starts import _met, start_line, write_starts
from bench.auto.unseen import AutoResult, EncodedImage, Outcome
from bench.corpus.drawn import DRAWN, draw
from bench.corpus.packages import MATE, PackageUnavailable, unpack
from bench.corpus.views import _LEARNED, _UNSEEN
from bench.suites import quality as part
from darkroom.imaging.formats import bmff, jpeg, webp
from darkroom.imaging.formats.image_format import ANY_SIZE, Start


def output(size_bytes: int, score: float, estimate: float = 0.0) -> AutoResult:
    return AutoResult("p", "photograph", EncodedImage(size_bytes, score), estimate or score, 2, 100.0, 10.0)


@pytest.fixture
def outcome() -> Outcome:
    """Two images that score 75, of which quality 80 gives one 70 and the other 80."""
    fixed = {
        70: [EncodedImage(900, 66.0), EncodedImage(90, 74.0)],
        80: [EncodedImage(1000, 70.0), EncodedImage(100, 80.0)],
        90: [EncodedImage(2000, 80.0), EncodedImage(200, 90.0)],
    }
    careful = {quality: [EncodedImage(one.size_bytes // 2, one.score) for one in row] for quality, row in fixed.items()}
    return Outcome("webp", "fast", [output(700, 75.0, 75.5), output(40, 75.0, 74.0)], fixed, careful)


@pytest.mark.parametrize("package", [jpeg, webp, bmff])
def test_the_learned_tables_are_written_where_they_lie(package: ModuleType) -> None:
    starts = package.OUTPUT.encoder.starts
    source = Path(str(package.__file__)).read_text(encoding="utf-8")
    assert write_starts(source, "".join(start_line(content, rows) for content, rows in starts.items())) == source
    other = write_starts(source, start_line("flat", [(ANY_SIZE, Start(1, 2.5))]))
    assert '"flat": ((ANY_SIZE, Start(1, 2.5))),' in other
    assert '"busy"' not in other


def test_bytes_are_compared_at_the_same_mean_score(outcome: Outcome) -> None:
    assert outcome.equal_quality == pytest.approx(80)
    assert outcome.ratios == pytest.approx([0.7, 0.4])
    assert outcome.total_ratio == pytest.approx(740 / 1100)
    assert outcome.settings_ratio == pytest.approx(0.5)


def test_between_qualities_bytes_grow_by_a_factor(outcome: Outcome) -> None:
    higher = replace(outcome, results=[output(1000, 79.0), output(100, 81.0)])
    assert higher.equal_quality == pytest.approx(85)
    assert higher.ratios == pytest.approx([1 / sqrt(2), 1 / sqrt(2)])


def test_the_share_of_those_that_are_near(outcome: Outcome) -> None:
    assert outcome.within == 1
    assert replace(outcome, results=[*outcome.results, output(1, 77.1), output(1, 72.9)]).within == 0.5
    assert outcome.errors == pytest.approx([0.5, 1.0])


def test_the_page_tells_each_format(outcome: Outcome) -> None:
    middle_score = part.text([outcome, replace(outcome, form="avif"), replace(outcome, pace="slow")])
    assert "| WebP | 2 | 100 % | 75.0 | 80 |" in middle_score
    assert "| WebP, re-encoded | 2 | 100 % |" in middle_score
    assert "| AVIF | 2 |" in middle_score


def test_bytes_count_when_re_encoded_and_scores_always(outcome: Outcome) -> None:
    refined = replace(outcome, pace="slow", results=[output(630, 75.0), output(36, 75.0)])
    far = replace(outcome, results=[*outcome.results[:1], output(40, 78.0)])
    near, size = part.figures(outcome, refined)
    assert (near.goal, near.value) == ("auto-within-2", 1)
    assert (size.goal, size.value) == ("auto-bytes", pytest.approx(sqrt(0.63 * 0.36)))
    assert "0.53 of it alone" in size.why
    assert part.figures(far, refined)[0].value == 0.5


def test_a_start_is_where_the_target_is_met() -> None:
    start = _met(lambda quality: 40 + 0.5 * quality)
    assert start.quality == 70
    assert start.slope == pytest.approx(0.5)


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_is_the_same_each_time(name: str) -> None:
    first = draw(name)
    assert np.array_equal(np.asarray(first), np.asarray(draw(name)))
    assert len(first.getcolors(1 << 20) or []) > 20


def test_nothing_is_learned_from_what_is_tested_by() -> None:
    assert not {package for package, *_ in _LEARNED} & {package for package, *_ in _UNSEEN}


def test_without_apt_a_package_is_not_to_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageUnavailable, match="mate-backgrounds"):
        unpack(MATE)


def test_missing_packages_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PackageUnavailable("no apt")

    monkeypatch.setattr(part, "compare_formats", refuse)
    section = part.measure("quick", lambda _: None)
    assert not section.figures
    assert section.missing == ["`q=auto`: no apt."]

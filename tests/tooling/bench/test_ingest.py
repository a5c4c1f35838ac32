"""Tests of the ingest suite: its jobs are the real ones, and its report."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bench.competitors.darkroom import darkroom_at_ingest
from bench.competitors.darkroom.ingest import build_plan_of
from bench.competitors.model import Competitor
from bench.competitors.node import sharp_at_ingest
from bench.equal_quality_set import match_presets, render_presets
from bench.images import Recipe, make_photograph
from bench.quality import resize_reference, ssimulacra2
from bench.statistics import Spread
from bench.suites.ingest import (
    MATCHED,
    PRESETS,
    WEBP_QUALITY,
    Findings,
    Timed,
    figures,
    format_page,
    list_competitors,
    request_presets,
)
from bench.worker import Worker
from darkroom.plan.model import DEFAULT_QUALITY
from darkroom.plan.presets import load_default_presets

pytestmark = pytest.mark.slow

SIZES = {"w320": (320, 240), "w640": (640, 480), "w960": (960, 720), "w1280": (1280, 960), "w1920": (1500, 1125)}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("images") / "small.jpg"
    make_photograph(Recipe("small.jpg", "coffee", 1500, 1125)).save(file, quality=85)
    return file


def sizes(made: dict[str, bytes]) -> dict[str, tuple[int, int]]:
    return {name: Image.open(io.BytesIO(body)).size for name, body in made.items()}


def test_the_presets_are_those_of_an_upload() -> None:
    assert DEFAULT_QUALITY.webp == WEBP_QUALITY
    ours = {name: replace(build_plan_of(fields), quality=None) for name, fields in PRESETS.items()}
    assert ours == load_default_presets().build_ingest_plans("photo")


def test_darkroom_makes_them(image: Path) -> None:
    with Worker(darkroom_at_ingest("", "", "series", image, PRESETS), None) as worker:
        assert worker.ms() > 0
        assert sizes(worker.made()) == SIZES | {"cover": (256, 256)}


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_sharp_makes_the_same(image: Path) -> None:
    with Worker(sharp_at_ingest(image, PRESETS), None) as worker:
        assert worker.ms() > 0
        assert sizes(worker.made()) == SIZES | {"cover": (256, 256)}
        assert all(Image.open(io.BytesIO(body)).format == "WEBP" for body in worker.made().values())


def test_a_job_that_fails_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    worker = Worker(darkroom_at_ingest("Darkroom", "", "series", broken, PRESETS), None)
    with worker, pytest.raises(RuntimeError, match="Darkroom ended with status 1"):
        worker.ms()


def test_a_machine_without_node_measures_the_others(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"/nowhere:{Path(shutil.which('make') or '').parent}")
    monkeypatch.setattr("bench.competitors.npm.shutil.which", lambda _: None)
    found, missing = list_competitors(image)
    assert [competitor.name for competitor in found] == [
        "Darkroom",
        "Darkroom, without mezzanines",
    ]
    assert missing == ["The Node handler: Node and npm are not installed."]


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_sharp_gets_a_quality_that_scores_as_ours(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.equal_quality.FOUND", tmp_path)
    presets = {"w320": PRESETS["w320"]}
    reference = {"w320": resize_reference(image, 320)}
    ours = render_presets(darkroom_at_ingest("", "", "series", image, presets), None)
    found = match_presets(sharp_at_ingest, image, presets, ours, reference, None)
    score = ssimulacra2(ours["w320"], reference["w320"])
    assert abs(found["w320"].score - score) < 1
    theirs = render_presets(sharp_at_ingest(image, {"w320": request_presets(found)["w320"]}), None)["w320"]
    assert ssimulacra2(theirs, reference["w320"]) == found["w320"].score
    assert abs(found["w320"].equal_bytes / len(theirs) - 1) < 0.1
    assert match_presets(sharp_at_ingest, image, presets, ours, reference, None) == found
    assert request_presets(found)["cover"]["quality"] == found["w320"].quality


def result(name: str, ms: list[float], **made: int) -> Timed:
    competitor = Competitor(name, f"what {name} is", ["true"], Path(), {})
    return Timed(competitor, Spread.of(ms), {key: bytes(size) for key, size in made.items()})


def test_what_it_tells() -> None:
    presets = [result("Darkroom", [30, 32], **dict.fromkeys(MATCHED, 1000)), result("sharp", [60, 64], w320=1234)]
    scores = {"Darkroom": 75.12, "sharp": 75}
    findings = Findings(presets, Spread.of([42, 44.8]), scores, 4000, ["the moon."], ["a machine."])
    page = format_page(findings)
    assert "| Darkroom | 31 (30–32) | 0.50 | 5,000 | 75.1 |" in page
    assert "| sharp | 62 (60–64) | 1.00 | 1,234 | 75.0 |" in page
    assert "| Decode and encode alone | 43 (42–45) | 0.70 |" in page
    assert "At exactly equal scores, Darkroom's images have 1.25 of sharp's bytes." in page
    [figure] = figures(findings)
    assert (figure.goal, figure.value, figure.floor, figure.unequal) == ("presets", 0.5, pytest.approx(0.7), True)
    assert figure.why.startswith("25.0% more bytes at equal score; allowed: 2%; the floor is one decode")
    [equal] = figures(replace(findings, equal_bytes=5000))
    assert not equal.unequal
    assert page.endswith("- a machine.")
    assert "sharp: what sharp is." in page

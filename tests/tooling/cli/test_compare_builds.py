"""``darkroom compare-builds``: two real builds render requests of a log, on buckets of MiniStack."""

from __future__ import annotations

import gzip
import itertools
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.build_comparison.compare import RenderedSide, compare_sides
from cli.build_comparison.page import summarise
from cli.build_comparison.requests import LoggedRequest, choose_requests, read_targets
from darkroom.plan.presets import parse_presets_toml
from tests import commands
from tests.commands import Commands
from tests.images.photographs import jpeg_photo
from tests.images.sources import saved

ROOT = Path(__file__).resolve().parents[3]
FIELDS = "#Version: 1.0\n#Fields: cs-method cs-uri-stem cs-uri-query sc-status x-edge-result-type\n"
PRESETS = parse_presets_toml('[presets.own]\nw = 300\nh = 200\nfit = "cover"\nf = "jpeg"\n')
_numbers = itertools.count(1)


def log_lines(*urls: str) -> str:
    lines = (url.partition("?") for url in urls)
    return FIELDS + "".join(f"GET\t{path}\t{query or '-'}\t200\tMiss\n" for path, _, query in lines)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.gz"
    urls = ("/a.jpg?w=64&f=webp", "/a.jpg?w=64&f=webp", "/a.jpg?w=60&f=png&s=abc", "/missing.jpg?w=64", "/a.jpg?f=json")
    path.write_bytes(gzip.compress(log_lines(*urls).encode()))
    return path


@pytest.fixture
def media(aws: Callable[[str], Any]) -> str:
    bucket = f"builds-{next(_numbers)}"
    aws("s3").create_bucket(Bucket=bucket)
    aws("s3").put_object(Bucket=bucket, Key="masters/a.jpg", Body=jpeg_photo())
    return bucket


@pytest.fixture
def command(
    tmp_path: Path, media: str, aws_environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> Commands:
    outputs = {"MediaBucketName": media, "MastersUri": f"s3://{media}/masters/"}
    return commands.local(aws_environment, tmp_path, capsys, outputs, {"InferenceMode": "off"}, ())


def copy_build(folder: Path, file: str = "", old: str = "", new: str = "") -> Path:
    """A checkout with the layer alone, in which ``old`` is ``new``."""
    code = folder / "layers" / "darkroom" / "darkroom"
    shutil.copytree(ROOT / "layers" / "darkroom" / "darkroom", code, ignore=shutil.ignore_patterns("__pycache__"))
    if file:
        text = (code / file).read_text(encoding="utf-8")
        assert old in text
        (code / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_equal_builds_pass(command: Commands, log: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = command.run("compare-builds", "--json", str(log), "--builds", str(ROOT), str(ROOT), "--page", str(page))
    assert (done.code, done.document["compared"], done.document["lowest"]) == (0, 2, 100.0)
    assert page.read_text().count("<img") == 4


@pytest.mark.slow
def test_a_worse_build_fails_and_its_worst_result_comes_first(command: Commands, log: Path, tmp_path: Path) -> None:
    worse = copy_build(tmp_path / "worse", "plan/model.py", "webp: int = 80", "webp: int = 5")
    page = tmp_path / "page.html"
    done = command.run("compare-builds", "--json", str(log), "--builds", str(ROOT), str(worse), "--page", str(page))
    assert (done.code, done.document["passed"]) == (1, False)
    assert done.document["lowest"] < 70
    text = page.read_text()
    assert text.index("/a.jpg?f=webp&amp;w=64") < text.index("/a.jpg?f=png&amp;w=60")
    assert "requested 2 times" in text


@pytest.mark.slow
def test_a_build_that_fails_is_named(command: Commands, log: Path, tmp_path: Path) -> None:
    broken = copy_build(tmp_path / "broken", "imaging/render/pipeline.py", "timer = StageTimer()", "timer = None.x")
    page = tmp_path / "page.html"
    done = command.run("compare-builds", "--json", str(log), "--builds", str(ROOT), str(broken), "--page", str(page))
    assert (done.code, done.document["compared"]) == (1, 2)
    assert "AttributeError" in page.read_text()


@pytest.mark.slow
def test_images_of_overlays_are_drawn_and_errors_of_both_builds_have_no_score(
    command: Commands, media: str, aws: Callable[[str], Any], tmp_path: Path
) -> None:
    red = saved(Image.new("RGB", (20, 20), (255, 0, 0)), "PNG")
    for name, body in (("new", red), ("damaged", b"damaged")):
        aws("s3").put_object(Bucket=media, Key=f"overlays/{name}.png", Body=body)
    log, page = tmp_path / "overlays.log", tmp_path / "page.html"
    drawn, missing, damaged = (f"/a.jpg?w=64&f=png&ov=image:{name}.png" for name in ("new", "missing", "damaged"))
    log.write_text(log_lines(drawn, missing, damaged, "/missing.jpg", "/a.jpg?w=64&up=ai"))
    done = command.run("compare-builds", "--json", str(log), "--builds", str(ROOT), str(ROOT), "--page", str(page))
    assert done.code == 0
    assert (done.document["compared"], done.document["failing"], done.document["lowest"]) == (1, 1, 100.0)
    assert done.document["left_out"] == {
        "missing image of an overlay": 1,
        "missing master": 1,
        "upscaled by a model": 1,
    }
    text = page.read_text()
    assert text.count("<img") == 2
    assert "<th>same error: BadOption: ov: &#x27;damaged.png&#x27; is not a usable image<td>1" in text
    assert "<th>not compared: upscaled by a model<td>1" in text


@pytest.mark.slow
def test_a_comparison_without_a_rendered_image_is_an_error(command: Commands, tmp_path: Path) -> None:
    log, page = tmp_path / "failing.log", tmp_path / "page.html"
    log.write_text(log_lines("/a.jpg?w=64&page=3"))
    done = command.run("compare-builds", str(log), "--builds", str(ROOT), str(ROOT), "--page", str(page))
    assert done.code == 1
    assert "Neither build renders any request: BadOption" in done.err
    assert page.exists()


def test_errors_of_both_builds_are_counted_apart_and_sorted_last(tmp_path: Path) -> None:
    same, other = (RenderedSide(tmp_path / "none", error=error) for error in ("BadOption: no", "ValueError: x"))
    request = LoggedRequest("/a.jpg?w=9", 1, "/a.jpg/_/w-9.auto", "a.jpg")
    compared = [
        compare_sides(request, *sides) for sides in ((same, same), (same, other), (other, other), (other, other))
    ]
    assert [one.score for one in compared] == [None] * 4
    assert sorted(compared, key=lambda one: one.rank)[0] is compared[1]
    totals = dict(summarise(compared, Counter({"watermark": 2, "data": 3})))
    assert (totals["compared requests"], totals["without a score"], totals["equal images"]) == ("1", "1", "0")
    assert totals["requests with the same error in both builds"] == "3"
    assert totals["same error: ValueError: x"] == "2"
    assert totals["logged requests that were not compared"] == "5"
    assert totals["not compared: data"] == "3"


def test_a_log_without_stored_images_is_an_error(command: Commands, tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.write_text(FIELDS)
    done = command.run("compare-builds", str(empty), "--builds", str(ROOT), str(ROOT))
    assert done.code == 1
    assert "nothing to compare" in done.err


def test_requests_are_chosen_by_frequency(tmp_path: Path) -> None:
    path = tmp_path / "plain.log"
    path.write_text(
        log_lines(
            *["/a.jpg?preset=own"] * 2,
            *["/b.jpg"] * 2,
            "/b.jpg?s=abc",
            *["/b.jpg?exp=hero"] * 4,
            "/c.jpg?w=9",
            "/d.jpg?wm=logo",
            "/e.jpg?redact=faces",
            "/f.jpg?w=none",
            *["/g.jpg?w=64&up=ai"] * 2,
            "/h.jpg?f=json",
            "/i.jpg?ov=audio:a",
        )
    )
    chosen, left_out = choose_requests(read_targets([path]), PRESETS, 2)
    assert [(one.url, one.count, one.path) for one in chosen] == [
        ("/b.jpg", 3, "/b.jpg/_/h-2560_w-2560.auto-webp"),
        ("/a.jpg?preset=own", 2, "/a.jpg/_/fit-cover_h-200_w-300.jpeg"),
    ]
    assert left_out == {
        "data": 1,
        "experiment": 4,
        "needs findings": 1,
        "not a native URL": 2,
        "upscaled by a model": 2,
        "watermark": 1,
    }


def test_requests_name_the_images_of_their_overlays() -> None:
    presets = parse_presets_toml('[presets.new]\nw = 64\nov = "image:a.png;text:b;image:c.png"\n')
    chosen, left_out = choose_requests(["/a.jpg?preset=new"], presets, 2)
    assert [one.overlays for one in chosen] == [("overlays/a.png", "overlays/c.png")]
    assert not left_out


def test_the_version_that_derivatives_record_is_that_of_the_project() -> None:
    import tomllib

    from darkroom import VERSION

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION

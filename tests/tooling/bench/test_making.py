"""Tests of the benchmark's caches, images, quality measure and Lambda emulation."""

from __future__ import annotations

import io
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from PIL import Image

from bench.build_cache import build_once
from bench.cases import Case
from bench.compare import list_installed
from bench.competitors.darkroom import INGEST_ALLOCATOR, VARIABLES, darkroom
from bench.competitors.dit import dit
from bench.competitors.node import node
from bench.emulator import install_emulator
from bench.images import Recipe, make_photograph
from bench.link.process import run_link
from bench.measure import build_event
from bench.runtime import CompetitorError, Sandbox
from tests.component.template.stack import template

SMALL = Recipe("small.jpg", "coffee", 1200, 900)


def test_a_folder_is_made_again_only_when_its_sources_change(tmp_path: Path) -> None:
    source, folder, made = tmp_path / "source", tmp_path / "folder", []

    def make(into: Path) -> None:
        made.append(1)
        (into / f"file{len(made)}").touch()

    source.write_text("one", encoding="ascii")
    for _ in range(2):
        build_once(folder, [source], make, "fact")
    assert made == [1]
    source.write_text("two", encoding="ascii")
    build_once(folder, [source], make, "fact")
    build_once(folder, [source], make, "another fact")
    assert len(made) == 3
    assert not (folder / "file1").exists()


def test_a_folder_that_was_half_made_is_made_again(tmp_path: Path) -> None:
    def fail(into: Path) -> None:
        (into / "half").touch()
        raise OSError

    with pytest.raises(OSError):
        build_once(tmp_path / "folder", [], fail)
    build_once(tmp_path / "folder", [], lambda into: (into / "whole").touch())
    assert not (tmp_path / "folder" / "half").exists()


def test_a_folder_that_two_want_at_once_is_made_once(tmp_path: Path) -> None:
    made, begun = [], Barrier(2)

    def make(into: Path) -> None:
        made.append(into)
        time.sleep(0.3)  # another process may build it meanwhile, which must not matter

    def want() -> Path:
        begun.wait()
        return build_once(tmp_path / "folder", [], make)

    with ThreadPoolExecutor(2) as pool:
        folders = [pool.submit(want) for _ in range(2)]
    assert [folder.result() for folder in folders] == [tmp_path / "folder"] * 2
    assert len(made) == 1


@pytest.mark.slow
def test_an_image_is_the_same_each_time_and_has_fine_detail() -> None:
    made = make_photograph(SMALL)
    assert made.size == (1200, 900)
    assert made.tobytes() == make_photograph(SMALL).tobytes()
    smooth = made.resize((600, 450)).resize(made.size)
    assert np.abs(np.asarray(made, dtype=float) - np.asarray(smooth, dtype=float)).mean() > 1


def test_the_function_has_the_templates_variables() -> None:
    variables = template()["Resources"]["TransformFunction"]["Properties"]["Environment"]["Variables"]
    literal = {name: value for name, value in variables.items() if isinstance(value, str)}
    assert literal.items() <= VARIABLES.items()


def test_ingest_has_the_templates_allocator() -> None:
    variables = template()["Resources"]["IngestFunction"]["Properties"]["Environment"]["Variables"]
    assert {name: value for name, value in variables.items() if name.startswith("MALLOC_")} == INGEST_ALLOCATOR


def test_a_machine_without_node_measures_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found, missing = list_installed([node, dit], "http://localhost")
    assert found == []
    assert missing == [f"{peer}: Node and npm are not installed." for peer in ("The Node handler", "DIT's calls")]


@pytest.mark.slow
def test_the_real_handler_answers_in_awss_emulator(tmp_path: Path) -> None:
    make_photograph(SMALL).save(tmp_path / "small.jpg")
    case = Case("small", "small.jpg", 320)
    with (
        run_link([tmp_path / "small.jpg"], latency_ms=0, megabytes_per_s=1000) as url,
        Sandbox(install_emulator(), darkroom(url), None) as sandbox,
    ):
        for number in range(2):
            answer = sandbox.invoke(build_event(case, number)).answer
            image = Image.open(io.BytesIO(b64decode(answer["body"])))
            assert (image.format, image.size) == ("WEBP", (320, 240))
        assert sandbox.cpu_ms() > 0
        assert sandbox.peak_rss_mb() > 10
        with pytest.raises(CompetitorError, match="404"):
            sandbox.invoke(build_event(Case("no such image", "other.jpg", 320), 1))

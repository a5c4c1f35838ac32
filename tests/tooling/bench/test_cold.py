"""Tests of the file cache and of the files that a start reads."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bench.cold.cache import PAGE_BYTES, drop_pages, resident_bytes
from bench.cold.files import list_files, list_reach
from bench.cold.starts import Read, subtract_cached
from bench.competitors.model import Competitor
from bench.paths import ROOT

PAGES = 300


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder on the project's disk: temporary folders may be in memory, without a cache to drop."""
    (ROOT / ".local").mkdir(exist_ok=True)
    with TemporaryDirectory(dir=ROOT / ".local") as name:
        yield Path(name)


@pytest.fixture
def file(folder: Path) -> Path:
    path = folder / "code.so"
    with path.open("wb") as opened:
        opened.write(bytes(PAGES * PAGE_BYTES - 1))
        opened.flush()
        os.fsync(opened.fileno())
    return path


def test_a_file_is_cached_when_it_was_written_and_not_when_it_was_dropped(file: Path) -> None:
    assert resident_bytes(file) == PAGES * PAGE_BYTES
    drop_pages([file])
    assert resident_bytes(file) == 0
    file.read_bytes()
    assert resident_bytes(file) == PAGES * PAGE_BYTES


def test_a_look_at_the_cache_brings_nothing_into_it(file: Path) -> None:
    drop_pages([file])
    assert [resident_bytes(file) for _ in range(3)] == [0, 0, 0]


def test_what_a_process_has_mapped_stays(file: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped[0] == 0
        drop_pages([file])
        assert resident_bytes(file) >= PAGE_BYTES


def test_an_empty_file_takes_no_room(folder: Path) -> None:
    (folder / "empty").touch()
    assert resident_bytes(folder / "empty") == 0
    with pytest.raises(FileNotFoundError):
        resident_bytes(folder / "none")


def test_read_is_what_came_to_the_cache() -> None:
    a, b, c = Path("a"), Path("b"), Path("c")
    read = Read(subtract_cached({a: 4096, b: 0, c: 8192}, {a: 8192, b: 2_000_000, c: 8192}))
    assert read.bytes_by_file == {a: 4096, b: 2_000_000}
    assert read.largest(1) == [(b, 2_000_000)]
    assert (read.mb(frozenset({b, c})), read.count(frozenset({b, c}))) == (2.0, 1)


def test_code_is_what_is_deployed_and_the_runtime_is_the_rest(folder: Path) -> None:
    code, layer = folder / "function", folder / "layer"
    for path in (code / "app.mjs", layer / "package" / "module.so", folder / "bin" / "node"):
        path.parent.mkdir(parents=True)
        path.touch()
    (code / "link").symlink_to(folder / "bin" / "node")
    competitor = Competitor("Node", "", [folder / "bin" / "node"], code, {"PYTHONPATH": str(layer)})
    found = list_reach(competitor, [folder / "bin" / "node", layer / "package" / "module.so"])
    assert found.code == {code / "app.mjs", layer / "package" / "module.so"}
    assert found.runtime == {folder / "bin" / "node"}
    assert found.all == list_files([folder])

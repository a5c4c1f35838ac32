"""OpenSeadragon is installed once for each lock file, and where it cannot be, that is said."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from local import viewer
from local.errors import StartError

NPM = """#!/bin/sh
set -e
grep -q openseadragon package-lock.json
mkdir -p node_modules/openseadragon/build/openseadragon
echo installed >> node_modules/openseadragon/build/openseadragon/openseadragon.min.js
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which nothing is installed; what is on PATH is in its ``bin``, before the system's."""
    installed = tmp_path / "viewer"
    monkeypatch.setattr(viewer, "INSTALLED", installed)
    monkeypatch.setattr(viewer, "SCRIPT", installed / viewer.SCRIPT.relative_to(viewer.BUILT.parents[3]))
    (tmp_path / "bin").mkdir()
    return tmp_path


def with_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    npm = folder / "bin" / "npm"
    npm.write_text(text)
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")


def test_it_is_installed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_npm(folder, monkeypatch, NPM)
    for _ in range(2):
        assert asyncio.run(viewer.script()).read_text() == "installed\n"


def test_another_lock_file_has_it_installed_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_npm(
        folder, monkeypatch, NPM + "echo again >> node_modules/openseadragon/build/openseadragon/openseadragon.min.js"
    )
    asyncio.run(viewer.script())
    (folder / "viewer" / "package-lock.json").write_text("{}")
    assert asyncio.run(viewer.script()).read_text() == "installed\nagain\n"


def test_without_npm_it_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder / "bin"))
    with pytest.raises(StartError, match="install Node and npm"):
        asyncio.run(viewer.script())


def test_what_npm_says_is_passed_on_and_nothing_half_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_npm(folder, monkeypatch, "#!/bin/sh\necho no network\nexit 1\n")
    with pytest.raises(StartError, match="no network"):
        asyncio.run(viewer.script())
    assert not (folder / "viewer").exists()


def test_the_package_is_pinned_by_its_bytes() -> None:
    lock = json.loads(viewer.LOCKED[1].read_text())
    package = lock["packages"]["node_modules/openseadragon"]
    assert package["integrity"].startswith("sha512-")
    assert "resolved" not in package

"""OpenSeadragon is installed once for each lock file, and a failure is reported."""

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
    """Return a checkout in which nothing is installed. Its ``bin`` precedes the system's in PATH."""
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
        assert asyncio.run(viewer.ensure_script()).read_text() == "installed\n"


def test_another_lock_file_is_installed_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_npm(
        folder, monkeypatch, NPM + "echo again >> node_modules/openseadragon/build/openseadragon/openseadragon.min.js"
    )
    asyncio.run(viewer.ensure_script())
    (folder / "viewer" / "package-lock.json").write_text("{}")
    assert asyncio.run(viewer.ensure_script()).read_text() == "installed\nagain\n"


def test_missing_npm_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder / "bin"))
    with pytest.raises(StartError, match="Install Node and npm"):
        asyncio.run(viewer.ensure_script())


def test_a_failed_installation_is_reported_and_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_npm(folder, monkeypatch, "#!/bin/sh\necho no network\nexit 1\n")
    with pytest.raises(StartError, match="no network"):
        asyncio.run(viewer.ensure_script())
    assert not (folder / "viewer").exists()


def test_the_package_is_pinned_by_hash() -> None:
    lock = json.loads((viewer.HERE / viewer.LOCKED[1]).read_text())
    package = lock["packages"]["node_modules/openseadragon"]
    assert package["integrity"].startswith("sha512-")
    assert "resolved" not in package

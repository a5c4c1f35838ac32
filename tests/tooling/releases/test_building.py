"""Tests of the parts of a release that are built from this checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkroom import VERSION
from tools.release.building import COMMAND, build_wheel


def test_a_wheel_is_built_into_a_folder_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    build_wheel(COMMAND, Path("dist"))
    assert [one.name for one in (tmp_path / "dist").iterdir()] == [f"darkroom-{VERSION}-py3-none-any.whl"]

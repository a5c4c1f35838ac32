"""Fetch the models: download the wheels that contain them, pinned by hash, and extract the files.

``python -m cli.models.fetch_models --to FOLDER --for endpoint|lambda``. Existing files with the right hash remain. The
licences of the wheels are stored beside the files.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[2]
LICENCES = "licences"


class CannotFetch(Exception):
    """The wheels could not be downloaded, or a file has another hash."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A change of a file: the SHA-256 of the file in the wheel, and the function that changes it."""

    sha256: str
    apply: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file of a model: its name in the folder of models, its path in a wheel, and the SHA-256 of what is stored."""

    name: str
    member: str
    digest: str
    rewrite: Rewrite | None = None

    @property
    def wheel(self) -> str:
        """Return the start of the wheel's name."""
        return self.member.partition("/")[0]

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the file in the wheel."""
        return self.rewrite.sha256 if self.rewrite else self.digest


def _accept_any_size(model: bytes) -> bytes:
    from cli.models.dynamic_axes import with_dynamic_axes  # and onnx, which only rewritten files need

    return with_dynamic_axes(model, "input.1")


def _convert_checkpoint(checkpoint: bytes) -> bytes:
    from cli.models.efficientnet_lite import convert, read_tags

    return convert(checkpoint, read_tags(ROOT / "cli" / "models" / "imagenet_tags.toml"))


REWRITTEN = {
    "centerface-dynamic.onnx": Rewrite(
        "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc", _accept_any_size
    ),
    "efficientnet-lite0.onnx": Rewrite(
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", _convert_checkpoint
    ),
}
"""Files that are stored otherwise than they are in their wheel."""


@dataclass(frozen=True, slots=True)
class Place:
    """A user of models: the requirements file with the wheels, and the table of the models."""

    requirements: Path
    table: Path

    @property
    def artefacts(self) -> tuple[Artefact, ...]:
        """Return the files to extract. Raises KeyError for a file without a digest in the table."""
        models = tomllib.loads(self.table.read_text(encoding="utf-8"))["model"]
        found = (
            Artefact(name, member, model["sha256"][name], REWRITTEN.get(name))
            for model in models
            for name, member in model["wheel"].items()
        )
        return tuple(dict.fromkeys(found))  # models of one network have the same file


PLACES = {
    "endpoint": Place(ROOT / "endpoint" / "requirements-models.txt", ROOT / "endpoint" / "models.toml"),
    "lambda": Place(
        ROOT / "layers" / "inference" / "requirements-models.txt",
        ROOT / "layers" / "analysis" / "darkroom_analysis" / "models" / "small.toml",
    ),
}

ADDED = {
    "cutout-model": ROOT / "endpoint" / "cutout.toml",
    "upscale-model": ROOT / "endpoint" / "upscale.toml",
}
"""Tables of models that are no part of ``PLACES``, by the command of ``darkroom`` that adds them to a folder."""


def fetch(place: Place, folder: Path) -> list[str]:
    """Fetch the missing models of ``place`` into ``folder``. Return their names. Raises CannotFetch."""
    missing = [artefact for artefact in place.artefacts if not is_there(artefact, folder)]
    if missing:
        with TemporaryDirectory() as scratch:
            download(place.requirements, Path(scratch))
            for artefact in missing:
                extract(artefact, Path(scratch), folder)
    return [artefact.name for artefact in missing]


def is_there(artefact: Artefact, folder: Path) -> bool:
    """Return whether ``folder`` has the file with the right hash."""
    path = folder / artefact.name
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == artefact.digest


def download(requirements: Path, folder: Path) -> None:
    """Download every wheel of ``requirements`` into ``folder``, verified by hash. Raises CannotFetch."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    options = ["--require-hashes", "--only-binary", ":all:", "--dest", str(folder), "-r", str(requirements)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CannotFetch(f"pip could not download {requirements.name}:\n{done.stderr.strip()}")


def read_from_wheel(requirements: Path, members: Sequence[str]) -> list[bytes]:
    """Download the only wheel of ``requirements`` and return the contents of its ``members``. Raises CannotFetch."""
    with TemporaryDirectory() as scratch:
        download(requirements, Path(scratch))
        [wheel] = Path(scratch).glob("*.whl")
        with ZipFile(wheel) as archive:
            return [archive.read(member) for member in members]


def extract(artefact: Artefact, wheels: Path, folder: Path) -> None:
    """Extract the file from its wheel, with the wheel's licences, atomically. Raises CannotFetch."""
    [wheel] = wheels.glob(f"{artefact.wheel}-*.whl")
    with ZipFile(wheel) as archive:
        content = archive.read(artefact.member)
        if hashlib.sha256(content).hexdigest() != artefact.sha256:
            raise CannotFetch(f"{artefact.member} of {wheel.name} is not the file that is expected")
        for name in archive.namelist():
            if _is_licence(name):
                _write(folder / LICENCES / artefact.wheel / name.rpartition("/")[2], archive.read(name))
    if artefact.rewrite:
        content = artefact.rewrite.apply(content)
        if hashlib.sha256(content).hexdigest() != artefact.digest:
            raise CannotFetch(f"{artefact.name} was rewritten to another file than expected: is onnx as pinned?")
    _write(folder / artefact.name, content)


def _is_licence(name: str) -> bool:
    is_file = not name.endswith("/")
    return is_file and ".dist-info/" in name and any(word in name.lower() for word in ("licen", "notice"))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as scratch:
        whole = Path(scratch) / path.name
        whole.write_bytes(content)
        whole.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m cli.models.fetch_models", description="Fetch the models' files.")
    parser.add_argument("--to", required=True, type=Path, help="target folder")
    parser.add_argument("--for", required=True, choices=PLACES, dest="place", help="where they run")
    chosen = parser.parse_args(arguments)
    try:
        fetched = fetch(PLACES[chosen.place], chosen.to)
    except CannotFetch as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{', '.join(fetched)}\n" if fetched else "All models are there.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

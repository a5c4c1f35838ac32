"""What the ELF files of layers need of Lambda's environment, and what of it AWS's base image for Python 3.13 lacks.

Layers have no section headers (``strip.py``): what is read is what a loader reads, the dynamic segment.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path, PurePosixPath

from elftools.construct.lib.container import Container
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from tests.execution_environment.base_image import LIBRARIES

MACHINES = {"arm64": "EM_AARCH64", "x86_64": "EM_X86_64"}
LOADERS = {"arm64": "ld-linux-aarch64.so.1", "x86_64": "ld-linux-x86-64.so.2"}

NEWEST = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13), "GCC": (11, 0), "ZLIB": (1, 2, 9)}
"""The newest symbol versions of the base image: glibc 2.34, libstdc++ and libgcc of GCC 11.4, zlib 1.2.11.

Versions by library: "ABI Policy and Guidelines" of libstdc++ (GCC 11.1: GLIBCXX_3.4.29, CXXABI_1.3.13), zlib.map.
"""

SEARCHED = PurePosixPath("/opt/lib")
"""The folder of layers in LD_LIBRARY_PATH (AWS Lambda developer guide, "Working with Lambda environment variables")."""

_VERSION = re.compile(r"([A-Z]+)_([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Binary:
    """An ELF file at ``path`` in Lambda.

    ``needed`` are names of libraries, ``folders`` where its loader looks for them first, ``versions`` the versions of
    symbols by library.
    """

    path: PurePosixPath
    machine: str
    needed: Sequence[str]
    folders: Sequence[PurePosixPath]
    versions: Mapping[str, Sequence[str]]


def list_files(layers: Sequence[Path]) -> dict[PurePosixPath, Path]:
    """The files of ``/opt``: those of built layers by their place in Lambda, of which later ones win."""
    return {
        PurePosixPath("/opt", file.relative_to(layer)): file
        for layer in layers
        for file in sorted(layer.rglob("*"))
        if file.is_file()
    }


def read_binaries(files: Mapping[PurePosixPath, Path]) -> list[Binary]:
    """The ELF files among ``files``."""
    return [_read(path, file) for path, file in files.items() if _is_elf(file)]


def _is_elf(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(4) == b"\x7fELF"


@functools.cache
def _read(path: PurePosixPath, file: Path) -> Binary:
    with file.open("rb") as opened:
        elf = ELFFile(opened)
        needed, folders, versions = [], [], {}
        for segment in elf.iter_segments("PT_DYNAMIC"):
            for tag in segment.iter_tags():
                if tag.entry.d_tag == "DT_NEEDED":
                    needed.append(tag.needed)
                elif tag.entry.d_tag in ("DT_RPATH", "DT_RUNPATH"):
                    paths = getattr(tag, tag.entry.d_tag.removeprefix("DT_").lower()).split(":")
                    folders += [PurePosixPath(normpath(one.replace("$ORIGIN", str(path.parent)))) for one in paths]
            versions |= _read_versions(elf, segment)
        return Binary(path, elf.header.e_machine, needed, folders, versions)


def _read_versions(elf: ELFFile, segment: DynamicSegment) -> dict[str, list[str]]:
    """The versions of symbols that are needed, by library: of the table in the segment, which has no section header."""
    found = {tag.entry.d_tag: tag.entry.d_val for tag in segment.iter_tags()}
    if "DT_VERNEED" not in found:
        return {}
    [place] = elf.address_offsets(found["DT_VERNEED"])
    header = Container(sh_offset=place, sh_info=found["DT_VERNEEDNUM"], sh_flags=0, sh_size=0, sh_addralign=0)
    table = GNUVerNeedSection(header, ".gnu.version_r", elf, segment._get_stringtable())
    return {library.name: [version.name for version in versions] for library, versions in table.iter_versions()}


def find_faults(layers: Sequence[Path], arch: str) -> list[str]:
    """What keeps the loader of ``arch`` from loading an ELF file of a function with these ``layers``."""
    files = list_files(layers)
    binaries = read_binaries(files)
    return [
        fault for one in binaries for fault in (*_find_missing(one, binaries, files, arch), *_find_newer(one, arch))
    ]


def _find_missing(
    binary: Binary, binaries: Sequence[Binary], files: Mapping[PurePosixPath, Path], arch: str
) -> Iterator[str]:
    if binary.machine != MACHINES[arch]:
        yield f"{binary.path} is for {binary.machine}"
    users = [one for one in binaries if binary.path.name in one.needed]
    folders = [*binary.folders, *(folder for user in users for folder in user.folders), SEARCHED]
    for name in binary.needed:
        if name not in _list_given(arch) and not any(folder / name in files for folder in folders):
            yield f"{binary.path} needs {name}, which neither the layers nor AWS's base image have"


def _find_newer(binary: Binary, arch: str) -> Iterator[str]:
    for library, versions in binary.versions.items():
        if library in _list_given(arch):
            yield from (f"{binary.path} needs {one} of {library}" for one in versions if not is_given(one))


def _list_given(arch: str) -> Sequence[str]:
    return (*LIBRARIES, LOADERS[arch])


def is_given(version: str) -> bool:
    """Whether the base image has symbols of ``version``."""
    matched = _VERSION.fullmatch(version)
    if matched is None or matched[1] not in NEWEST:
        return False
    return tuple(map(int, matched[2].split("."))) <= NEWEST[matched[1]]

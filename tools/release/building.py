"""Build all files of a release from a checkout."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.releases.files import BUCKET
from cli.releases.release import CHECKSUMS, MANIFEST
from cli.releases.upgrading import CHANGELOG
from cli.template_values import read_template
from darkroom import VERSION
from extensions import list_extensions

from .application import describe_application
from .archives import hash_file, list_tracked, list_tree, name_by_content, write_archive
from .layers import BuildError, build_layer
from .materials import write_bill
from .modules import write_modules
from .notes import extract_notes
from .packaging import LAYER, NESTED, Source, package_template

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURES = ("arm64", "x86_64")
FIRST = "darkroom"
"""Name of the template of the first stack."""

COMMAND, URL_BUILDER = ROOT / "packages" / "darkroom", ROOT / "packages" / "darkroom-url"


class WrongVersion(ValueError):
    """The checkout has another version than the release."""


def build_release(
    version: str, to: Path, scratch: Path, architectures: Sequence[str], report: Callable[[str], object]
) -> None:
    """Build the release ``version`` into the new folder ``to``.

    Raises WrongVersion, NoNotes, BuildError, and CalledProcessError if git or a build of a wheel fails.
    """
    if version != VERSION:
        raise WrongVersion(
            f"this checkout is version {VERSION}, not {version}: change VERSION and pyproject.toml first"
        )
    changelog = (ROOT / CHANGELOG).read_text(encoding="utf-8")
    notes = extract_notes(changelog, version)
    (to / "archives").mkdir(parents=True)
    (to / "templates").mkdir()
    builder = Builder(to, scratch, report)
    templates = {
        arch: {name: builder.package(path, arch, name or FIRST) for name, path in list_stacks().items()}
        for arch in architectures
    }
    for project in (COMMAND, URL_BUILDER):
        report(f"wheel of {project.name}")
        build_wheel(project, to)
    write_modules(to, read_template(ROOT / "template.yaml"), {arch: paths[""] for arch, paths in templates.items()})
    _write_json(to / "bom.cdx.json", write_bill(version))
    (to / "NOTES.md").write_text(notes, encoding="utf-8")
    (to / CHANGELOG).write_text(changelog, encoding="utf-8")
    seal_release(to, version, templates)
    files = [path for path in to.rglob("*") if path.is_file()]
    report(f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB, in {to}")


def list_stacks() -> dict[str, Path]:
    """Return the templates of a release by the names of their stacks: "" is the first one, others are extensions."""
    return {"": ROOT / "template.yaml", **{one.flag: one.template for one in list_extensions()}}


def seal_release(folder: Path, version: str, templates: Mapping[str, Mapping[str, str]]) -> None:
    """Write the manifest of a release, and the checksums of all of its files."""
    _write_json(folder / MANIFEST, {"version": version, "templates": templates})
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = [f"{hash_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / CHECKSUMS).write_text("".join(sums), encoding="ascii")


@dataclass
class Builder:
    """Writes archives and templates below ``to``; each folder of the checkout is built once for a processor."""

    to: Path
    scratch: Path
    report: Callable[[str], object]
    _stored: dict[tuple[Path, str], str] = field(default_factory=dict)

    def package(self, path: Path, arch: str, name: str) -> str:
        """Write the packaged template of ``path``; return its path in the release."""
        written = self.to / "templates" / f"{name}-{arch}.json"
        packaged = self._package(path, arch)
        _write_json(written, describe_application(packaged, VERSION) if name == FIRST else packaged)
        return self._relative(written)

    def _package(self, path: Path, arch: str) -> dict[str, Any]:
        return package_template(
            read_template(path), lambda source: self._store(source, path.parent / source.path, arch), arch
        )

    def _store(self, source: Source, path: Path, arch: str) -> str:
        known = (path.resolve(), arch if source.kind in (LAYER, NESTED) else "")
        if known not in self._stored:
            write = self._choose_writer(source, path)
            self._stored[known] = self._relative(write(source, path.resolve(), arch))
        return self._stored[known]

    def _choose_writer(self, source: Source, path: Path) -> Callable[[Source, Path, str], Path]:
        if source.kind == LAYER:
            return self._write_layer
        if source.kind == NESTED:
            return self._write_nested
        return self._write_folder if path.is_dir() else self._copy

    def _write_layer(self, source: Source, path: Path, arch: str) -> Path:
        self.report(f"layer {source.logical_id} for {arch}")
        built = self.scratch / arch / source.logical_id / str(len(self._stored))
        build_layer(source.logical_id, arch, path, built)
        archive = self.to / "archives" / f"{source.logical_id}-{arch}.zip"
        write_archive(list_tree(built), archive)
        shutil.rmtree(built)
        return name_by_content(archive, archive.stem)

    def _write_folder(self, source: Source, path: Path, _arch: str) -> Path:
        archive = self.to / "archives" / f"{source.logical_id}.zip"
        write_archive(list_tracked(path), archive)
        return name_by_content(archive, source.logical_id)

    def _write_nested(self, _source: Source, path: Path, arch: str) -> Path:
        packaged = self._package(path, arch)
        if BUCKET in packaged.get("Parameters", {}):
            raise BuildError(f"{path} has code, which the first stack cannot name the bucket of: keep it there")
        nested = self.to / "templates" / f"{path.stem}.json"
        _write_json(nested, packaged)
        return name_by_content(nested, path.stem)

    def _copy(self, _source: Source, path: Path, _arch: str) -> Path:
        copied = self.to / "templates" / path.name
        shutil.copyfile(path, copied)
        return name_by_content(copied, path.stem)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.to).as_posix()


def build_wheel(project: Path, to: Path) -> None:
    """Build the wheel of ``project`` into ``to``; hatchling writes equal bytes for equal files."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(to.resolve())]
    subprocess.run(command, cwd=project, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

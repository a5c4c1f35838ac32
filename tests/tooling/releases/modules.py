"""A release without contents: its packaged templates, and an empty file for each archive."""

from __future__ import annotations

import json
from pathlib import Path

from cli.template_values import read_template
from local.paths import ROOT
from tools.release.application import describe_application
from tools.release.building import ARCHITECTURES, seal_release
from tools.release.modules import write_modules
from tools.release.packaging import LAYER, NESTED, Source, package_template

VERSION = "9.9.9"
TEMPLATE = read_template(ROOT / "template.yaml")


def write_release(folder: Path) -> Path:
    """Write a release of the template of the checkout with modules into a new folder."""
    paths = {}
    for arch in ARCHITECTURES:

        def store(source: Source, arch: str = arch) -> str:
            kind = f"-{arch}" if source.kind == LAYER else ""
            path = (
                f"templates/{source.logical_id}.json"
                if source.kind == NESTED
                else f"archives/{source.logical_id}{kind}.zip"
            )
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(path, encoding="ascii")
            return path

        packaged = package_template(TEMPLATE, store, arch)
        paths[arch] = f"templates/darkroom-{arch}.json"
        (folder / paths[arch]).write_text(json.dumps(describe_application(packaged, VERSION)), encoding="utf-8")
    write_modules(folder, TEMPLATE, paths)
    seal_release(folder, VERSION, {arch: {"": path} for arch, path in paths.items()})
    return folder

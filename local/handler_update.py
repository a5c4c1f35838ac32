"""Put changed handlers into the running functions at once, without a build and a deployment of the template."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from .aws import Cloud
from .invoke import find_source
from .paths import ROOT, StackPaths
from .sam_invoke_template import BUILT
from .source_digest import is_source

FUNCTIONS = ROOT / "functions"
EDGE = FUNCTIONS / "edge"
"""Its code is in the template."""


def list_handlers(changed: Iterable[Path]) -> list[str]:
    """Return the names of the folders in ``functions/`` whose Python files changed; none if other files did, too."""
    folders = set[Path]()
    for path in changed:
        if path.suffix != ".py" or path.parent.parent != FUNCTIONS or path.parent == EDGE:
            return []
        folders.add(path.parent)
    return sorted(folder.name for folder in folders)


def update(paths: StackPaths, cloud: Cloud, functions: Mapping[str, str], handlers: Iterable[str]) -> None:
    """Update the deployed ones of ``handlers``, folders in ``functions/``. ``functions`` are names by logical id.

    They are noted: a deployment of the template does not know of the update, and leaves what it has not changed itself.
    """
    noted = {*_read_noted(paths), *handlers}
    paths.updated.write_text(json.dumps(sorted(noted)), encoding="utf-8")
    for handler in handlers:
        source = find_source(handler)
        if name := functions.get(source.logical_id):
            update_function(cloud, name, source.folder)
            if (built := BUILT / source.logical_id).exists():
                shutil.copytree(source.folder, built, dirs_exist_ok=True)


def repeat(paths: StackPaths, cloud: Cloud, functions: Mapping[str, str]) -> None:
    """Update all that were updated before by the present files, after a start or a deployment."""
    handlers = [name for name in _read_noted(paths) if (FUNCTIONS / name).is_dir()]
    if handlers:
        update(paths, cloud, functions, handlers)


def update_function(cloud: Cloud, name: str, folder: Path) -> None:
    """Replace the code of the function ``name`` by ``folder``, and point its aliases to it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and is_source(path.relative_to(folder)):
                file.write(path, path.relative_to(folder))
    cloud.functions.update_function_code(FunctionName=name, ZipFile=archive.getvalue())
    aliases = cloud.functions.list_aliases(FunctionName=name)["Aliases"]
    if aliases:
        version = cloud.functions.publish_version(FunctionName=name)["Version"]
        for alias in aliases:
            cloud.functions.update_alias(FunctionName=name, Name=alias["Name"], FunctionVersion=version)


def _read_noted(paths: StackPaths) -> list[str]:
    return list(json.loads(paths.updated.read_text(encoding="utf-8"))) if paths.updated.exists() else []

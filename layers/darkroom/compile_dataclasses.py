"""Compile the methods of the transform function's dataclasses: ``python compile_dataclasses.py FOLDER``.

FOLDER is the built package, in which :mod:`darkroom.compiled_dataclasses` reads the file.

The modules are imported for it. Packages of other layers, whose native code may be for another processor, are replaced
by placeholders: no method depends on them.
"""

from __future__ import annotations

import dataclasses
import importlib
import marshal
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

MODULES = (
    "darkroom.aws.credentials",
    "darkroom.aws.s3_fast",
    "darkroom.aws.secrets",
    "darkroom.aws.switches",
    "darkroom.aws.telemetry",
    "darkroom.environment",
    "darkroom.findings",
    "darkroom.http.response",
    "darkroom.imaging.formats.jpeg.probe",
    "darkroom.imaging.render.pipeline",
    "darkroom.services.live_settings",
    "darkroom.services.master_reader",
    "darkroom.services.serve.transform",
)
"""What the function's cold start imports, with what these import."""


class Placeholders(MetaPathFinder, Loader):
    """Finds a placeholder for each package that is neither Python's nor this one."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Return a placeholder's specification."""
        top = name.partition(".")[0]
        return None if top == "darkroom" or top in sys.stdlib_module_names else ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a module that has any attribute."""
        placeholder: ModuleType = MagicMock(__spec__=spec, __path__=[])
        return placeholder

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing."""


def main() -> None:
    """Import the modules and write the code of their dataclasses."""
    compiled: dict[str, bytes] = {}

    def execute(text: str, *scopes: object) -> None:
        code = compile(text, "<string>", "exec")
        compiled[text] = marshal.dumps(code)
        exec(code, *scopes)  # type: ignore[arg-type]  # noqa: S102 - as the caller would

    vars(dataclasses)["exec"] = execute
    sys.meta_path.insert(0, Placeholders())
    for name in MODULES:
        importlib.import_module(name)
    name = Path(importlib.import_module("darkroom.compiled_dataclasses").FILE).name
    Path(sys.argv[1], name).write_bytes(marshal.dumps(dict(sorted(compiled.items()))))


if __name__ == "__main__":
    main()

"""Copy the models of the layer ``inference`` from endpoint/models.toml: those whose wheels and engine it has.

``python -m tools.small_models`` writes layers/analysis/darkroom_analysis/models/small.toml, and the files that the
makefile of the layer takes out of the wheels.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from cli.models.fetch_models import PLACES, REWRITTEN

MAKEFILE = PLACES["lambda"].requirements.with_name("Makefile")
HEAD = """\
# The models of the layer `inference`: one image at a time, on a CPU.
# Written by `make docs` from endpoint/models.toml: do not edit.
"""
ENGINE = "onnxruntime"
_MODEL = "[[model]]\n"
_BATCH = re.compile(r"^batch_size = \d+$", re.MULTILINE)
_FILES = re.compile(r"^FILES := .*$", re.MULTILINE)


def list_wheels(requirements: str) -> set[str]:
    """Return the names of the wheels in the text of a requirements file, as in file names."""
    return {name.replace("-", "_") for name in re.findall(r"^([\w-]+)==", requirements, re.MULTILINE)}


def small_table(table: str, wheels: set[str]) -> str:
    """Return the models of ``table`` for onnxruntime with all files in ``wheels``, each with batches of one image."""
    models = [text for text in table.split(_MODEL)[1:] if _is_small(_parse(text), wheels)]
    return HEAD + "".join(f"\n{_MODEL}{_BATCH.sub('batch_size = 1', text).rstrip()}\n" for text in models)


def insert_files(makefile: str, table: str) -> str:
    """Return the makefile with the files of the models in ``table``. ValueError if it has no list of files."""
    models = tomllib.loads(table).get("model", [])
    copied = [member for model in models for name, member in model["wheel"].items() if name not in REWRITTEN]
    found, number = _FILES.subn(f"FILES := {' '.join(copied)}", makefile)
    if number != 1:
        raise ValueError("layers/inference/Makefile has no list FILES")
    return found


def _parse(model: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(_MODEL + model)["model"][0]
    return found


def _is_small(model: dict[str, Any], wheels: set[str]) -> bool:
    """Return whether the layer can run the model: it has no engine besides onnxruntime."""
    own = {member.partition("/")[0] for member in model["wheel"].values()}
    return own <= wheels and model.get("engine", ENGINE) == ENGINE


def main() -> None:
    """Write both files."""
    place = PLACES["lambda"]
    wheels = list_wheels(place.requirements.read_text(encoding="utf-8"))
    table = small_table(PLACES["endpoint"].table.read_text(encoding="utf-8"), wheels)
    place.table.write_text(table, encoding="utf-8")
    MAKEFILE.write_text(insert_files(MAKEFILE.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()

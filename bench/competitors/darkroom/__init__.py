"""The function of this repository with its layers, built by the Makefiles that ``sam build`` runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from ...build_cache import build_once
from ...emulator import install_interpreter
from ...machine import architecture
from ...paths import ROOT, WORK
from ..model import Competitor, build_aws_environment

HERE = Path(__file__).parent
NAME = "Darkroom"
LAYERS = {"darkroom": "DarkroomLayer", "imaging": "ImagingLayer"}
INGEST_LAYERS = {**LAYERS, "pipeline": "PipelineLayer"}
FUNCTION = ROOT / "functions" / "transform"
TRACED = HERE / "traced.py"

ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "4194304",
}
"""glibc settings of the transform function."""

INGEST_ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "67108864",
}
"""glibc settings of the ingest function."""

OPEN = {"access_mode": "open"}
"""Settings that allow measured widths off the ladder without signatures."""

UNSTORED = {**OPEN, "store_derivatives": False}
FROM_MASTERS = {**OPEN, "mezzanines": False}

VARIABLES = {
    "POWERTOOLS_SERVICE_NAME": "transform",
    "POWERTOOLS_METRICS_NAMESPACE": "Darkroom/bench",
    **ALLOCATOR,
    "VIPS_WARNING": "0",
    "STORE_AFTER_RESPONSE": "on",
    "SIGNING_KEYS_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:unused",
    "BENCH_SETTINGS": json.dumps({"settings": OPEN}),
}
"""The function's variables: literal values of the template, and substitutes for references."""


def darkroom(endpoint_url: str) -> Competitor:
    """Return Darkroom with the S3 at ``endpoint_url``."""
    return Competitor(
        name=NAME,
        what="`functions/transform` as deployed: decodes a mezzanine of the 12 MP while it arrives, stores after the "
        "response",
        command=[install_interpreter(), "-m", "awslambdaric", "traced.handler"],
        folder=build_once(WORK / "function", [FUNCTION, TRACED], _copy_function),
        environment=build_aws_environment(endpoint_url)
        | VARIABLES
        | {
            "PYTHONPATH": python_path(),
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's file system is read-only
        },
    )


def darkroom_unstored(endpoint_url: str) -> Competitor:
    """Return Darkroom deployed without storing derivatives."""
    what = "the same with `store_derivatives = false`: responds without storing, as AWS's does"
    return _with_settings(endpoint_url, "storing nothing", what, UNSTORED)


def darkroom_from_masters(endpoint_url: str) -> Competitor:
    """Return Darkroom deployed without mezzanines."""
    what = "the same with `mezzanines = false`: reads the master"
    return _with_settings(endpoint_url, "from masters", what, FROM_MASTERS)


def _with_settings(endpoint_url: str, variant: str, what: str, settings: Mapping[str, object]) -> Competitor:
    stored = darkroom(endpoint_url)
    environment = {**stored.environment, "BENCH_SETTINGS": json.dumps({"settings": settings})}
    return replace(stored, name=f"{NAME}, {variant}", what=what, environment=environment)


def darkroom_at_ingest(name: str, what: str, job: str, source: Path, presets: Mapping[str, object]) -> Competitor:
    """Return a job of ``ingest.py`` on the image ``source``. ``presets`` are presets' fields by name."""
    return Competitor(
        name=name,
        what=what,
        command=[install_interpreter(), HERE / "ingest.py", job, source, json.dumps(presets)],
        folder=HERE,
        environment=INGEST_ALLOCATOR
        | {"PYTHONPATH": python_path(INGEST_LAYERS), "PYTHONDONTWRITEBYTECODE": "1", "VIPS_CONCURRENCY": "1"},
    )


def darkroom_alone(source: Path, width: int, form: str, quality: int) -> Competitor:
    """Return decode and encode of ``source`` alone, by ``floor.py``: the lower bound of a render."""
    return Competitor(
        name="Decode and encode",
        what="decoding, resizing and encoding alone, with the same libvips and the same options, the bytes in memory",
        command=[install_interpreter(), HERE / "floor.py", source, str(width), form, str(quality)],
        folder=HERE,
        environment={"PYTHONPATH": python_path(), "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "1"},
    )


def python_path(names: Iterable[str] = LAYERS) -> str:
    """Return the Python path of layers, built once."""
    layers = [build_once(WORK / "layers" / name, [ROOT / "layers" / name], _build, architecture()) for name in names]
    return ":".join(str(layer / "python") for layer in layers)


def _build(folder: Path) -> None:
    name = folder.name
    copy = folder / "source"
    shutil.copytree(ROOT / "layers" / name, copy)
    target = f"build-{INGEST_LAYERS[name]}"
    subprocess.run(
        ["make", "--silent", "-C", copy, target, f"ARTIFACTS_DIR={folder}", f"ARCH={architecture()}", *_python()],
        check=True,
    )
    shutil.rmtree(copy)


def _python() -> list[str]:
    """Return the variable that names a Python with pip to the Makefiles, if this one has it."""
    return [f"PYTHON={sys.executable}"] if find_spec("pip") else []


def _copy_function(folder: Path) -> None:
    for file in (*FUNCTION.glob("*.py"), TRACED):
        shutil.copy(file, folder)

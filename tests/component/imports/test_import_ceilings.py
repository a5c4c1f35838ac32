"""The number of modules that ``import app`` loads for each function, in a fresh interpreter with its layers alone.

A count rather than a time: it is the same on every machine, and says which module came.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.component.template.building import LAYERS
from tests.component.template.functions import FUNCTIONS, full_stack, id_of, layers_of
from tests.component.template.stack import ROOT

from .test_architecture import AWS_LAYER

NATIVE = {"pyvips", "PIL", "pi_heif", "numpy", "onnxruntime"}

CEILINGS = {
    "expedite": 585,
    "forget": 640,
    "infer": 785,
    "ingest": 730,
    "library": 800,
    "monitor": 645,
    "popular": 620,
    "publish": 615,
    "purge": 615,
    "refine": 745,
    "scene": 750,
    "similar": 590,
    "sweep": 585,
    "transform": 100,
    "upload": 590,
}
"""Modules beyond those of the bare interpreter, some 15 % above the measured number. boto3, the X-Ray SDK and
Powertools bring 480 of them."""

OWN_CEILINGS = {"ingest": 91}
"""Modules of Darkroom's own packages among these. Load what few uploads need on need, and merge what is always loaded
together."""

IMAGES = NATIVE | {"darkroom.imaging"}
MODELS = {"numpy", "onnxruntime", "PIL", "pi_heif"}
SLOW = {
    *("asyncio", "concurrent.futures", "email", "hashlib", "hmac", "http.client", "logging", "multiprocessing"),
    *("pathlib", "random", "selectors", "socket", "ssl", "subprocess", "tempfile", "tomllib", "urllib.request", "xml"),
}
"""Standard library modules that take a millisecond or more each, and are needed for few requests or none."""

NEVER = MODELS | {"anycrc", "c2pa"}
"""Modules that every function loads when needed or never, with all their submodules."""

NEVER_IN = {
    "expedite": {"obstore"},
    "monitor": {"obstore"},
    "publish": {"obstore"},
    "similar": {"obstore"},
    "sweep": {"obstore"},
    "transform": NATIVE | AWS_LAYER | SLOW,
    "upload": {"obstore"},
}
"""Further modules that one function loads when needed or never. Without the imaging layer: also IMAGES."""

NEEDED_IN = {"forget": {"anycrc"}}
"""Modules of NEVER that a function needs to start."""

REPORT = "import sys, json; before = set(sys.modules); import app; print(json.dumps(sorted(set(sys.modules) - before)))"


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A folder for each layer with links to the packages installed here."""
    folders = {logical_id: tmp_path_factory.mktemp(name) for logical_id, name in LAYERS.items()}
    for logical_id, folder in folders.items():
        source = ROOT / "layers" / LAYERS[logical_id]
        parts = [source, *(source / name for name in ("analysis", "pipeline"))]  # links to other layers
        for own in (package for part in parts for package in part.glob("darkroom*/__init__.py")):
            (folder / own.parent.name).symlink_to(own.parent.resolve())
        locks = [part / "requirements.txt" for part in parts if (part / "requirements.txt").exists()]
        for name in re.findall(
            r"^([\w-]+)==", "".join(lock.read_text(encoding="utf-8") for lock in locks), re.MULTILINE
        ):
            installed = distribution(name)
            for top in {path.parts[0] for path in installed.files or ()} - {"..", "__pycache__"}:
                (folder / top).symlink_to(str(installed.locate_file(top)))
    return folders


def forbidden(function: str) -> set[str]:
    """The modules that ``import app`` must not load."""
    without_images = set[str]() if "ImagingLayer" in layers_of(function) else IMAGES
    return (NEVER | NEVER_IN.get(function, set()) | without_images) - NEEDED_IN.get(function, set())


def loaded(function: str, layers: Mapping[str, Path]) -> list[str]:
    """The modules that ``function`` loads when Lambda imports it."""
    folders = [ROOT / "functions" / function, *(layers[one] for one in layers_of(function))]
    credentials = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    result = subprocess.run(
        [sys.executable, "-S", "-c", REPORT],
        env=full_stack().variables(id_of(function)) | credentials | {"PYTHONPATH": ":".join(map(str, folders))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found: list[str] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_no_table_has_a_function_that_is_gone() -> None:
    assert set(FUNCTIONS) >= {*CEILINGS, *OWN_CEILINGS, *NEVER_IN, *NEEDED_IN}


@pytest.mark.sample(5)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_no_more_than_it_needs_to_start(function: str, layers: Mapping[str, Path]) -> None:
    modules = loaded(function, layers)
    assert "darkroom.errors" in modules
    row = f'"{function}": {math.ceil(len(modules) * 1.15 / 5) * 5},'
    assert function in CEILINGS, f"add to CEILINGS in {Path(__file__).relative_to(ROOT)}: {row}"
    assert len(modules) <= CEILINGS[function], modules
    own = [name for name in modules if name.partition(".")[0].startswith("darkroom")]
    assert len(own) <= OWN_CEILINGS.get(function, len(own)), own
    never = forbidden(function)
    assert [name for name in modules for no in never if name == no or name.startswith(f"{no}.")] == []

"""The packages of the GPU's image, without a GPU: onnxruntime's wheel for CUDA loads all models on the CPU too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import uv

from local import tool_venvs
from tests.images.detectors import ROOT, models_folder
from tests.images.photographs import jpeg_photo
from tests.waiting import HANG_S

from .test_image import pinned

NAME = "nvidia-"
"""The beginning of the names of CUDA's packages: some gigabytes, which the CPU does not need."""


def without_cuda(requirements: str) -> str:
    """Return locked requirements without those of CUDA, and their hashes."""
    kept, is_kept = [], True
    for line in requirements.splitlines():
        is_kept = not line.startswith(NAME) if not line.startswith(" ") else is_kept
        kept += [line] * is_kept
    return "\n".join(kept)


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an environment with the packages of the image, installed by their hashes."""
    folder = tmp_path_factory.mktemp("gpu")
    locked = folder / "requirements.txt"
    locked.write_text(without_cuda((ROOT / "endpoint" / "requirements-gpu.txt").read_text(encoding="utf-8")))
    python, program = folder / "venv" / "bin" / "python", uv.find_uv_bin()
    subprocess.run([program, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    install = [program, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", python, "-r", locked]
    subprocess.run(install, check=True, timeout=2 * HANG_S)
    return python


def load(python: Path, image: Path) -> dict[str, Any]:
    command = [python, "-m", "tests.component.endpoint.loading", models_folder(), image]
    variables = {"PYTHONPATH": f"{ROOT / 'layers' / 'darkroom'}:{ROOT / 'layers' / 'analysis'}:{ROOT}"}
    done = subprocess.run(command, check=False, capture_output=True, cwd=ROOT, env=variables, timeout=HANG_S)
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.slow
def test_every_model_loads_in_the_wheel_for_cuda_and_finds_the_same(
    environment: None, interpreter: Path, tmp_path: Path
) -> None:
    image = tmp_path / "image.jpg"
    image.write_bytes(jpeg_photo())
    cpu, gpu = load(tool_venvs.python_path(tool_venvs.ENDPOINT), image), load(interpreter, image)
    assert "CUDAExecutionProvider" in gpu["providers"]
    assert "CUDAExecutionProvider" not in cpu["providers"]
    assert gpu["version"] == cpu["version"] == pinned("requirements.txt")["onnxruntime"]
    assert gpu["found"].keys() == {"faces", "text", "moderation", "similarity", "tags", "likeness"}
    assert not [task for task, one in gpu["found"].items() if "error" in one]
    assert gpu["found"] == cpu["found"]

"""The server starts and responds without a network, as under EnableNetworkIsolation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.findings import SIMILARITY
from darkroom_analysis.models import catalogue
from tests.images.detectors import ROOT, models_folder
from tests.images.photographs import jpeg_photo
from tests.waiting import HANG_S

from .serving import select_models

IN_A_NAMESPACE = ("unshare", "--map-root-user", "--net")


@pytest.mark.slow
def test_it_needs_no_network(environment: None, tmp_path: Path) -> None:
    if subprocess.run([*IN_A_NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system has no user namespaces")
    models, image = tmp_path / "models", tmp_path / "image.jpg"
    models.mkdir()
    (models / "models.toml").write_text(select_models(catalogue.SMALL_MODELS, {SIMILARITY}), encoding="utf-8")
    (models / "sscd.onnx").symlink_to(models_folder() / "sscd.onnx")
    image.write_bytes(jpeg_photo())
    done = subprocess.run(
        [*IN_A_NAMESPACE, sys.executable, "-m", "tests.component.endpoint.isolated", models, tmp_path, image],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'darkroom'}:{ROOT / 'layers' / 'analysis'}",
        },
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["status"], found["tasks"]) == (200, ["similarity"])
    assert "unreachable" in found["unreachable"], "there is a network"

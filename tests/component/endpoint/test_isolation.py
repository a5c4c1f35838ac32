"""The server starts and responds without a network, and with the devices, files and user of a serverless endpoint."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.images.detectors import ROOT
from tests.images.photographs import jpeg_photo
from tests.waiting import HANG_S

from .serving import serving

IN_A_NAMESPACE = ("unshare", "--map-root-user", "--net")


DEVICES = ("null", "zero", "random", "urandom")
SERVERLESS = (
    *("bwrap", "--ro-bind", "/", "/", "--tmpfs", "/tmp", "--proc", "/proc", "--tmpfs", "/dev"),
    *(word for name in DEVICES for word in ("--dev-bind", f"/dev/{name}", f"/dev/{name}")),
    *("--remount-ro", "/dev", "--unshare-user", "--uid", "993", "--gid", "990", "--unshare-pid", "--die-with-parent"),
)
"""Serverless inference runs on Lambda (SageMaker developer guide): only ``/tmp`` is writable, the user has no name, and
there is no ``/dev/shm``, without which semaphores of ``multiprocessing`` cannot be created."""


def test_it_answers_with_the_files_and_devices_of_a_serverless_endpoint(
    environment: None, small: Path, tmp_path: Path
) -> None:
    if subprocess.run([*SERVERLESS, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system has no user namespaces")
    with serving(small, tmp_path, prefix=[*SERVERLESS, "--ro-bind", str(small), str(small)]) as server:
        assert server.invoke(jpeg_photo(), "similarity").document["tasks"].keys() == {"similarity"}


@pytest.mark.slow
def test_it_needs_no_network(environment: None, small: Path, tmp_path: Path) -> None:
    if subprocess.run([*IN_A_NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system has no user namespaces")
    image = tmp_path / "image.jpg"
    image.write_bytes(jpeg_photo())
    done = subprocess.run(
        [*IN_A_NAMESPACE, sys.executable, "-m", "tests.component.endpoint.isolated", small, tmp_path, image],
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

"""Check the container's Dockerfile without Docker, and its target machine."""

from __future__ import annotations

import re
from pathlib import Path

from tests.component.template.stack import template
from tests.images.detectors import ROOT

DOCKERFILE = (ROOT / "endpoint" / "Dockerfile").read_text(encoding="utf-8")


def pinned(name: str) -> dict[str, str]:
    """Version by package."""
    text = (ROOT / "endpoint" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", text, re.MULTILINE))


def test_what_is_copied_is_there_and_not_ignored() -> None:
    let_in = re.findall(r"^!(.+)$", (ROOT / "endpoint" / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    assert len(copied) >= 5
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(Path(source).is_relative_to(path) for path in let_in), source


def test_the_server_reads_models_where_the_image_has_them() -> None:
    built_in = re.search(r'^BUILT_IN = Path\("(.+)"\)', (ROOT / "endpoint" / "serve.py").read_text(), re.MULTILINE)
    assert built_in
    assert f"--to {built_in[1]} --for endpoint" in DOCKERFILE
    assert f"COPY --from=models {built_in[1]} {built_in[1]}" in DOCKERFILE


def test_the_two_devices_differ_in_onnxruntime_alone() -> None:
    cpu, gpu = pinned("requirements.txt"), pinned("requirements-gpu.txt")
    own = {name for name in cpu.keys() ^ gpu.keys() if not name.startswith("nvidia-")}
    assert own <= {"onnxruntime", "onnxruntime-gpu", "sympy", "mpmath", "coloredlogs", "humanfriendly", "pyreadline3"}
    assert {name for name in cpu.keys() & gpu.keys() if cpu[name] != gpu[name]} == set()


def test_cuda_is_supported_by_the_machines_driver() -> None:
    """Driver 580, of the AMI that the template names, runs CUDA 13 and, as every newer driver does, CUDA 12."""
    majors = {name.rpartition("-cu")[2] for name in pinned("requirements-gpu.txt") if name.startswith("nvidia-")}
    assert majors == {"12"}
    machines = template(ROOT / "stacks" / "inference.yaml")["Mappings"]["Machines"]
    amis = {kind: machine["Ami"] for kind, machine in machines.items() if kind.startswith("ml.g")}
    assert len(amis) >= 6
    assert set(amis.values()) == {"al2023-ami-sagemaker-inference-gpu-4-1"}

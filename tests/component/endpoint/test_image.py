"""Check the container's Dockerfile without Docker, and its target machine."""

from __future__ import annotations

import re
from pathlib import Path

import botocore.session

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


def test_both_devices_have_one_version_of_onnxruntime() -> None:
    """Else the GPU runs models with other kernels and operators than those that tests and the golden set have seen."""
    assert pinned("requirements-gpu.txt")["onnxruntime-gpu"] == pinned("requirements.txt")["onnxruntime"]


def test_cuda_is_supported_by_the_machines_driver() -> None:
    """SageMaker's API reference, of which botocore has the text, has the CUDA version of each AMI's driver.

    A driver runs every minor version of its major version, and all before.
    """
    runtime = pinned("requirements-gpu.txt")["nvidia-cuda-runtime"]
    cudnn = [name for name in pinned("requirements-gpu.txt") if name.startswith("nvidia-cudnn-cu")]
    assert cudnn == [f"nvidia-cudnn-cu{runtime.partition('.')[0]}"]
    variant = botocore.session.get_session().get_service_model("sagemaker").shape_for("ProductionVariant")
    text = re.sub(r"<[^>]+>|\s+", " ", variant.members["InferenceAmiVersion"].documentation)
    supported = dict(re.findall(r"(al2[0-9a-z-]*-inference-gpu-[0-9-]+) .*?CUDA version: (\d+)", text))
    machines = template(ROOT / "stacks" / "inference.yaml")["Mappings"]["Machines"]
    amis = {machine["Ami"] for kind, machine in machines.items() if kind.startswith("ml.g")}
    assert len([kind for kind in machines if kind.startswith("ml.g")]) >= 6
    assert {int(supported[ami]) >= int(runtime.partition(".")[0]) for ami in amis} == {True}

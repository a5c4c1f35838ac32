"""The examples of packages/cdk, from a release: both languages make the same stack, which refers to its files."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.competitors import npm
from bench.competitors.model import MissingCompetitor
from local.progress import Progress
from local.tool_venvs import CDK, ensure_one, python_path
from tests.tooling.releases.modules import TEMPLATE, VERSION, write_release

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("cdk") / "release")


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder with the packages of npm."""
    try:
        return npm.install("cdk-peers", "AWS CDK", [HERE / name for name in npm.LOCKED])[1]
    except MissingCompetitor as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def from_python(release: Path, packages: Path) -> Path:
    """The output of the example in Python, which needs Node."""
    asyncio.run(ensure_one(CDK, Progress()))
    python = release / "cdk" / "python"
    return synthesise(
        release, "out-python", str(python_path(CDK)), str(python / "example.py"), PYTHONPATH=str(python / "src")
    )


@pytest.fixture(scope="module")
def from_typescript(release: Path, packages: Path) -> Path:
    """The output of the example in TypeScript, after its types are checked."""
    folder = release / "cdk" / "typescript"
    (folder / "node_modules").symlink_to(packages / "node_modules")
    compiler = ["node_modules/.bin/tsc", "--strict", "--module", "commonjs", "--target", "es2022", "--types", "node"]
    done = subprocess.run([*compiler, "example.ts"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return synthesise(release, "out-typescript", str(shutil.which("node")), str(folder / "example.js"))


def synthesise(release: Path, name: str, *command: str, **environment: str) -> Path:
    output = release.parent / name
    set_here = {"RELEASE": str(release), "CDK_OUTDIR": str(output), **environment}
    done = subprocess.run(command, env=os.environ | set_here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return output


def read(output: Path, name: str) -> Any:
    return json.loads((output / f"Images.{name}.json").read_text(encoding="utf-8"))


def test_both_languages_make_the_same_stack(from_python: Path, from_typescript: Path) -> None:
    for name in ("template", "assets"):
        assert read(from_python, name) == read(from_typescript, name)


def test_the_stack_reads_the_files_of_the_release(release: Path, from_python: Path) -> None:
    resources = read(from_python, "template")["Resources"]
    [stack] = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudFormation::Stack"]
    parameters = stack["Parameters"]
    assert set(parameters) - {"ReleaseBucket", "ReleasePrefix"} <= set(TEMPLATE["Parameters"])
    assert parameters["ReleasePrefix"] == f"darkroom/{VERSION}/"
    assert json.dumps(stack["TemplateURL"]).endswith(f'/darkroom/{VERSION}/templates/darkroom-arm64.json"}}')
    assert parameters["CorsOrigins"] == "https://www.example.com"

    stored = {}
    for asset in read(from_python, "assets")["files"].values():
        [target] = asset["destinations"].values()
        stored[target["objectKey"]] = (from_python / asset["source"]["path"], target["bucketName"])
    assert stored.keys() >= {f"darkroom/{VERSION}/{path}" for path in ALWAYS}
    assert not any("InferenceLayer" in key or "x86_64" in key for key in stored)
    for key, (file, bucket) in stored.items():
        assert parameters["ReleaseBucket"] == {"Fn::Sub": bucket}
        if path := key.partition(f"darkroom/{VERSION}/")[2]:
            assert file.read_bytes() == (release / path).read_bytes()


ALWAYS = (
    "archives/DarkroomLayer-arm64.zip",
    "archives/TransformFunction.zip",
    "templates/AlarmsStack.json",
    "templates/darkroom-arm64.json",
)


def test_an_unknown_parameter_is_refused_by_the_types(release: Path, from_typescript: Path) -> None:
    folder = release / "cdk" / "typescript"
    text = (folder / "example.ts").read_text(encoding="utf-8")
    (folder / "wrong.ts").write_text(text.replace('sourcePrefix: ""', 'alarms: "some"'), encoding="utf-8")
    done = subprocess.run(
        ["node_modules/.bin/tsc", "--strict", "--noEmit", "--types", "node", "--module", "commonjs", "wrong.ts"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "alarms" in done.stdout or '"some"' in done.stdout, done.stdout

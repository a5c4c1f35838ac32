"""Versions of models by the command, against the local SageMaker, and the audit log that is kept of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from darkroom_analysis.mlops.model_registry import APPROVED, PENDING, REJECTED, ModelRegistry
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.s3 import S3Bucket
from tests import commands
from tests.commands import Commands
from tests.component.aws.endpoints import GROUP, Models, running

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Desk:
    """A registry, and the command at it."""

    models: Models
    command: Commands
    audit: AuditLog

    @property
    def registry(self) -> ModelRegistry:
        return ModelRegistry(self.models.client("sagemaker"), GROUP)

    def run(self, *words: str) -> tuple[int, str]:
        done = self.command.run("registry", *words)
        return done.code, done.out + done.err


@pytest.fixture
def desk(
    tmp_path: Path,
    aws: Callable[[str], Any],
    aws_environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Desk]:
    audit = f"registry-audit-{next(_numbers)}"
    aws("s3").create_bucket(Bucket=audit)
    outputs = {"ModelGroupName": GROUP, "AuditBucketName": audit}
    with running(tmp_path / "sagemaker") as models:
        command = commands.local(aws_environment, tmp_path, capsys, outputs, sagemaker_url=models.runtime.url)
        yield Desk(models, command, AuditLog(S3Bucket(aws("s3"), audit)))


@pytest.mark.slow
def test_a_version_has_its_figures_and_where_it_comes_from(desk: Desk, tmp_path: Path) -> None:
    assert desk.run("list") == (0, f"{GROUP} has no versions\n")
    (tmp_path / "figures.json").write_text(json.dumps({"agreement-faces": 0.98, "n": 100}))
    status, arn = desk.run(
        "register", "--image", "registry/darkroom:2", "--metrics", str(tmp_path / "figures.json"),
        "--dataset", "s3://media/train.manifest", "--parent", "1", "--revision", "abc",
    )  # fmt: skip
    assert status == 0
    [version] = desk.registry.list_versions()
    assert (version.arn, version.image, version.approval) == (arn.strip(), "registry/darkroom:2", PENDING)
    assert version.metrics == {"agreement-faces": 0.98, "n": 100.0}
    assert version.lineage == {"dataset": "s3://media/train.manifest", "parent": "1", "revision": "abc"}
    status, listed = desk.run("list")
    assert listed.splitlines() == [
        "1  PendingManualApproval  registry/darkroom:2",
        "    agreement-faces 0.98, n 100",
        "    dataset s3://media/train.manifest, parent 1, revision abc",
    ]


def test_a_folder_is_registered_as_the_endpoint_here_tells_of_it(desk: Desk, tmp_path: Path) -> None:
    desk.run("register", "--image", str(tmp_path))
    [version] = desk.registry.list_versions()
    assert version.image == tmp_path.as_uri()
    assert set(version.lineage) <= {"revision"}


@pytest.mark.slow
def test_versions_are_judged_by_number_and_by_arn_and_it_is_written_down(desk: Desk) -> None:
    arns = [desk.run("register", "--image", f"image:{number}")[1].strip() for number in (1, 2)]
    assert desk.run("approve", "1", "--why", "as good", "--by", "ada") == (0, f"{arns[0]} approved\n")
    assert desk.run("reject", arns[1], "--why", "worse", "--by", "ada")[0] == 0
    assert [(one.approval, one.reason) for one in desk.registry.list_versions()] == [
        (REJECTED, "worse"),
        (APPROVED, "as good"),
    ]
    rejected, approved = desk.audit.list_newest(10)
    assert rejected["subject"] == arns[1]
    assert (approved["kind"], approved["subject"], approved["by"]) == ("release", arns[0], "ada")
    assert approved["facts"] == {"decision": "approve", "why": "as good"}


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["approve", "9", "--why", "x", "--by", "ada"], "has no version 9"),
        (
            ["reject", "arn:aws:sagemaker:us-east-1:000000000000:model-package/darkroom/9", "--why", "x", "--by", "a"],
            "",
        ),
        (["register", "--image", "image:1", "--metrics", "/nowhere.json"], "nowhere"),
        (["register", "--image", "image:1", "--dataset", "x" * 300], "at most 50"),
    ],
)
def test_what_cannot_be_done_is_reported(desk: Desk, words: list[str], why: str) -> None:
    status, output = desk.run(*words)
    assert status in (1, 2, 3)
    assert len(output.splitlines()) == 1
    assert why in output
    assert desk.registry.list_versions() == []


@pytest.mark.parametrize("content", ["[]", '{"a": "b"}', '{"a": true}', "no json"])
def test_figures_are_numbers(desk: Desk, tmp_path: Path, content: str) -> None:
    (tmp_path / "figures.json").write_text(content)
    assert desk.run("register", "--image", "image:1", "--metrics", str(tmp_path / "figures.json"))[0] in (1, 2)
    assert desk.registry.list_versions() == []


def test_a_stack_without_an_endpoint_has_no_registry(
    tmp_path: Path, aws_environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    done = commands.local(aws_environment, tmp_path, capsys, {}).run("registry", "list")
    assert (done.code, done.out) == (3, "")
    assert "has no output ModelGroupName" in done.err

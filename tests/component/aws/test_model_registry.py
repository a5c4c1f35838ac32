"""The model registry against the local SageMaker: registration, reading, and one approval for each version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from darkroom.errors import NoSuchVersion, Unavailable
from darkroom_analysis.mlops.model_registry import APPROVED, PENDING, REJECTED, ModelRegistry, ModelVersion
from darkroom_pipeline.aws.clients import create_client

from . import faulty
from .endpoints import GROUP, Models, running

MODEL = ModelVersion(
    image="111122223333.dkr.ecr.eu-central-1.amazonaws.com/darkroom:2",
    metrics={"faces-recall": 0.93, "n": 120.0},
    lineage={"dataset": "s3://media/watch/manifests/2026-11-25/train.manifest", "parent": "1", "revision": "9d0e1fe"},
    description="Trained on November's images",
)


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Models]:
    with running(tmp_path) as models:
        yield models


@pytest.fixture
def registry(models: Models) -> ModelRegistry:
    return ModelRegistry(models.client("sagemaker"), GROUP)


def test_a_version_is_read_as_it_was_registered(registry: ModelRegistry) -> None:
    arn = registry.register(MODEL)
    assert registry.get_version(arn) == replace(MODEL, arn=arn, version=1)
    assert registry.get_version(arn).approval == PENDING


def test_the_first_version_creates_its_group(models: Models) -> None:
    new = ModelRegistry(models.client("sagemaker"), "darkroom-3f2504e0")
    assert new.list_versions() == []
    arns = [new.register(MODEL), new.register(replace(MODEL, image="another:1"))]
    assert [one.arn for one in new.list_versions()] == arns[::-1]
    group = models.client("sagemaker").describe_model_package_group(ModelPackageGroupName=new.group)
    assert group["ModelPackageGroupDescription"] == "Darkroom: versions of models"


@pytest.mark.slow
def test_the_newest_version_comes_first_over_pages(registry: ModelRegistry) -> None:
    for number in range(101):
        registry.register(replace(MODEL, image=f"image:{number}"))
    assert [one.version for one in registry.list_versions()] == list(range(101, 0, -1))


def test_a_version_is_found_by_its_image_the_newest_of_them(registry: ModelRegistry) -> None:
    registry.register(MODEL)
    newest = registry.register(replace(MODEL, description="again"))
    registry.register(replace(MODEL, image="another:1"))
    found = registry.find_by_image(MODEL.image)
    assert found is not None
    assert found.arn == newest
    assert registry.find_by_image("absent:1") is None


def test_a_version_is_approved_and_rejected_with_a_reason(registry: ModelRegistry) -> None:
    arn = registry.register(MODEL)
    registry.approve(arn, "every figure is within its limit")
    assert (registry.get_version(arn).approval, registry.get_version(arn).reason) == (
        APPROVED,
        "every figure is within its limit",
    )
    registry.reject(arn, "x" * 5000)
    assert (registry.get_version(arn).approval, len(registry.get_version(arn).reason)) == (REJECTED, 1024)


@pytest.mark.slow
def test_missing_keys_are_reported(registry: ModelRegistry, models: Models) -> None:
    arn = registry.register(MODEL)
    for action in (registry.get_version, lambda arn: registry.approve(arn, "x"), lambda arn: registry.reject(arn, "x")):
        with pytest.raises(NoSuchVersion):
            action(arn.removesuffix("1") + "9")
    assert ModelRegistry(models.client("sagemaker"), "no-such-group").list_versions() == []


@pytest.mark.parametrize(
    "model",
    [
        replace(MODEL, lineage={"dataset": ""}),
        replace(MODEL, lineage={"dataset": "x" * 257}),
        replace(MODEL, metrics={f"m{number}": 1.0 for number in range(48)}),
    ],
)
def test_images_that_would_be_truncated_are_refused(registry: ModelRegistry, model: ModelVersion) -> None:
    with pytest.raises(ValueError, match="at most 50"):
        registry.register(model)
    assert registry.list_versions() == []


def test_a_sagemaker_that_does_not_answer_is_a_fault() -> None:
    with faulty.answering(faulty.HANG_UP) as server:
        registry = ModelRegistry(create_client("sagemaker", server.environment, attempts=1), GROUP)
        for action in (registry.list_versions, lambda: registry.register(MODEL), lambda: registry.reject("arn", "x")):
            with pytest.raises(Unavailable):
                action()

"""Production variants against the local SageMaker: desired weights, one update at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.errors import Unavailable
from darkroom_analysis.mlops.endpoint_variants import EndpointVariants, Variant
from darkroom_pipeline.aws.clients import create_client
from tests.sagemaker_apis import HeldUpdates

from . import faulty
from .endpoints import NAME, Models, running
from .sagemaker import found


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Models]:
    with running(tmp_path, main=lambda task, _: found(task), canary=lambda task, _: found(task)) as models:
        models.variants(main=1.0, canary=0.11)
        yield models


@pytest.fixture
def variants(models: Models) -> EndpointVariants:
    return EndpointVariants(models.client("sagemaker"), NAME)


def test_each_variant_has_its_weight_its_machines_and_its_image(variants: EndpointVariants) -> None:
    assert variants.read_all() == {"main": Variant(1.0, 1, "main:1"), "canary": Variant(0.11, 1, "canary:1")}
    assert variants.is_updatable()


def test_new_weights_show_at_once_and_hold_a_little_later(variants: EndpointVariants, models: Models) -> None:
    held = HeldUpdates(models.runtime)
    variants.set_weights({"canary": 1.0, "main": 0.0}, {"canary": 3})
    assert not variants.is_updatable()
    assert {name: one.weight for name, one in variants.read_all().items()} == {"main": 0.0, "canary": 1.0}
    held.finish()
    assert variants.is_updatable()
    assert models.weights() == {"main": 0.0, "canary": 1.0}
    assert variants.read_all() == {"main": Variant(0.0, 1, "main:1"), "canary": Variant(1.0, 3, "canary:1")}


def test_an_update_upon_an_update_is_a_matter_of_waiting(variants: EndpointVariants, models: Models) -> None:
    held = HeldUpdates(models.runtime)
    variants.set_weights({"canary": 0.5})
    with pytest.raises(Unavailable) as caught:
        variants.set_weights({"canary": 0.6})
    assert "accepts no update" in caught.value.detail
    held.finish()
    assert variants.is_updatable()
    variants.set_weights({"canary": 0.6})


def test_no_endpoint_and_no_answer_are_faults(models: Models) -> None:
    with pytest.raises(Unavailable):
        EndpointVariants(models.client("sagemaker"), "absent").read_all()
    with faulty.answering(faulty.HANG_UP) as server:
        unreachable = EndpointVariants(create_client("sagemaker", server.environment, attempts=1), NAME)
        for action in (unreachable.read_all, unreachable.is_updatable, lambda: unreachable.set_weights({"main": 1})):
            with pytest.raises(Unavailable):
                action()

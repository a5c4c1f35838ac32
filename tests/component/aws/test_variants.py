"""Production variants, against the local SageMaker: as they will be, and one update at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.aws.clients import client
from darkroom.aws.variants import Variant, Variants
from darkroom.errors import Unavailable
from tests.sagemaking import HeldUpdates

from . import faulty
from .endpoints import NAME, Models, running
from .sagemaker import found


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Models]:
    with running(tmp_path, main=lambda task, _: found(task), canary=lambda task, _: found(task)) as models:
        models.variants(main=1.0, canary=0.11)
        yield models


@pytest.fixture
def variants(models: Models) -> Variants:
    return Variants(models.client("sagemaker"), NAME)


def test_each_variant_has_its_weight_its_machines_and_its_image(variants: Variants) -> None:
    assert variants.now() == {"main": Variant(1.0, 1, "main:1"), "canary": Variant(0.11, 1, "canary:1")}
    assert variants.settled()


def test_new_weights_show_at_once_and_hold_a_little_later(variants: Variants, models: Models) -> None:
    held = HeldUpdates(models.runtime)
    variants.weigh({"canary": 1.0, "main": 0.0}, {"canary": 3})
    assert not variants.settled()
    assert {name: one.weight for name, one in variants.now().items()} == {"main": 0.0, "canary": 1.0}
    held.finish()
    assert variants.settled()
    assert models.weights() == {"main": 0.0, "canary": 1.0}
    assert variants.now() == {"main": Variant(0.0, 1, "main:1"), "canary": Variant(1.0, 3, "canary:1")}


def test_an_update_upon_an_update_is_a_matter_of_waiting(variants: Variants, models: Models) -> None:
    held = HeldUpdates(models.runtime)
    variants.weigh({"canary": 0.5})
    with pytest.raises(Unavailable) as caught:
        variants.weigh({"canary": 0.6})
    assert "takes no update" in caught.value.detail
    held.finish()
    assert variants.settled()
    variants.weigh({"canary": 0.6})


def test_no_endpoint_and_no_answer_are_faults(models: Models) -> None:
    with pytest.raises(Unavailable):
        Variants(models.client("sagemaker"), "nobody").now()
    with faulty.answering(faulty.HANG_UP) as server:
        unreachable = Variants(client("sagemaker", server.environment, attempts=1), NAME)
        for action in (unreachable.now, unreachable.settled, lambda: unreachable.weigh({"main": 1})):
            with pytest.raises(Unavailable):
                action()

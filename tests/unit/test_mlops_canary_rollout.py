"""A stored decision about a canary is carried out on that canary, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from darkroom.errors import Unavailable
from darkroom_analysis.mlops.canary_rollout import PROMOTE, ROLLBACK, CanaryRollout
from darkroom_analysis.mlops.canary_state import DECIDED, ENDED, TRYING, CanaryState, CanaryStateStore
from darkroom_analysis.mlops.endpoint_variants import Variant
from darkroom_analysis.mlops.rollout_policy import Policy
from darkroom_pipeline.aws.documents import Document, Value

NOW_S = 1_795_600_000.0
MAIN, CANARY = Variant(0.9, 2, "main:1"), Variant(0.1, 1, "canary:1")


@dataclass
class Entries:
    """The documents of the index."""

    stored: dict[str, Document] = field(default_factory=dict)

    def get(self, name: str) -> Document:
        return self.stored.get(name, Document())

    def put(self, name: str, fields: Mapping[str, Value], *, replaces: int) -> bool:
        assert self.get(name).version == replaces
        self.stored[name] = Document(fields, replaces + 1)
        return True


@dataclass
class Endpoint:
    """Variants of an endpoint, which are weighed without delay."""

    variants: dict[str, Variant]
    endpoint: str = "endpoint"

    def read_all(self) -> dict[str, Variant]:
        return dict(self.variants)

    def set_weights(self, weights: Mapping[str, float], instances: Mapping[str, int] | None = None) -> None:
        if not weights.keys() <= self.variants.keys():
            raise Unavailable(detail="no such variant")
        for name, weight in weights.items():
            count = (instances or {}).get(name, self.variants[name].instances)
            self.variants[name] = replace(self.variants[name], weight=weight, instances=count)


class World:
    """A rollout with a stored decision about ``canary:1``; ``calls`` lists what it does besides setting weights."""

    def __init__(self, action: str, variants: Mapping[str, Variant], done: int = 0) -> None:
        self.calls: list[str] = []
        self.endpoint = Endpoint(dict(variants))
        entries: Any = Entries()
        self.states = CanaryStateStore(entries, "endpoint")
        state = CanaryState("canary", "canary:1", "main", NOW_S - 7200)
        self.states.write(replace(state, stage=DECIDED, action=action, done=done))
        registry: Any = SimpleNamespace(
            find_by_image=lambda image: SimpleNamespace(arn=image),
            approve=lambda arn, why: self.calls.append(f"approve {arn}"),
            reject=lambda arn, why: self.calls.append(f"reject {arn}"),
        )
        parts: Any = {
            "variants": self.endpoint,
            "samples": SimpleNamespace(recent=lambda since_s: []),
            "metrics": SimpleNamespace(get_totals=lambda *_, **__: (0.0, 0.0)),
            "audit": SimpleNamespace(write=lambda kind, *_, **__: self.calls.append(f"audit {kind}")),
            "bus": SimpleNamespace(publish=lambda kind, _: self.calls.append(kind)),
            "observer": SimpleNamespace(
                count=lambda name: None, log=lambda _, message, **__: self.calls.append(f"log {message}")
            ),
        }
        self.rollout = CanaryRollout(
            **parts, states=self.states, registry=registry, policy=Policy(), quality=lambda: {}
        )

    def run(self) -> Mapping[str, object]:
        return self.rollout.run(NOW_S)

    @property
    def weights(self) -> dict[str, float]:
        return {name: variant.weight for name, variant in self.endpoint.variants.items()}

    @property
    def state(self) -> CanaryState:
        found = self.states.read()
        assert found is not None
        return found


@pytest.mark.parametrize(("main", "canary", "expected"), [(5, 1, 5), (1, 3, 3), (2, 2, 2)])
def test_a_promoted_canary_has_the_instances_that_the_load_takes_now(main: int, canary: int, expected: int) -> None:
    """The incumbent was scaled while the canary was tried: its number then is not what takes all calls."""
    world = World(PROMOTE, {"main": replace(MAIN, instances=main), "canary": replace(CANARY, instances=canary)})
    world.run()
    assert world.endpoint.variants["canary"] == Variant(1.0, expected, "canary:1")
    assert world.endpoint.variants["main"] == Variant(0.0, main, "main:1")


DROPPED = ["log canary decision dropped"]


@pytest.mark.parametrize("action", [PROMOTE, ROLLBACK])
def test_a_decision_about_another_image_is_dropped_and_the_new_canary_is_tried(action: str) -> None:
    world = World(action, {"main": MAIN, "canary": replace(CANARY, image="canary:2")})
    assert world.run()["action"] == "hold"
    assert (world.weights, world.calls) == ({"main": 0.9, "canary": 0.1}, DROPPED)
    assert (world.state.stage, world.state.image, world.state.since_s) == (TRYING, "canary:2", NOW_S)


@pytest.mark.parametrize("left", ["main", "canary"])
@pytest.mark.parametrize("action", [PROMOTE, ROLLBACK])
def test_a_decision_about_a_removed_variant_is_dropped(action: str, left: str) -> None:
    world = World(action, {left: {"main": MAIN, "canary": CANARY}[left]})
    assert world.run() == {"variants": [left]}
    assert (world.state.stage, world.calls) == (ENDED, DROPPED)


def test_a_withdrawn_canary_is_not_promoted() -> None:
    world = World(PROMOTE, {"main": replace(MAIN, weight=1.0), "canary": replace(CANARY, weight=0.0)})
    assert world.run() == {"variants": ["main"]}
    assert (world.weights, world.state.stage, world.calls) == ({"main": 1.0, "canary": 0.0}, ENDED, DROPPED)


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        (PROMOTE, (0.9, 0.1), (0.0, 1.0)),
        (PROMOTE, (0.0, 1.0), (0.0, 1.0)),
        (ROLLBACK, (0.9, 0.1), (1.0, 0.0)),
        (ROLLBACK, (1.0, 0.0), (1.0, 0.0)),
    ],
)
def test_a_decision_about_the_same_canary_is_completed(
    action: str, before: tuple[float, float], after: tuple[float, float]
) -> None:
    """Also if the weights were set by a run that died before it stored that."""
    main, canary = (replace(one, weight=weight) for one, weight in zip((MAIN, CANARY), before, strict=True))
    world = World(action, {"main": main, "canary": canary})
    assert world.run() == {"done": action, "canary": "canary"}
    assert (tuple(world.weights.values()), world.state.stage) == (after, ENDED)


@pytest.mark.parametrize("done", [1, 2, 3])
def test_a_decision_that_is_half_done_is_completed_without_its_canary(done: int) -> None:
    world = World(PROMOTE, {"main": MAIN}, done=done)
    assert world.run()["done"] == PROMOTE
    steps = ["approve canary:1", "audit decision", "ModelPromoted"]
    assert world.calls == [*steps[done - 1 :], "log ModelPromoted"]
    assert (world.weights, world.state.stage) == ({"main": 0.9}, ENDED)

"""Canaries on the local SageMaker: rollback, promotion, and completion after a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import DarkroomError, Unavailable
from darkroom.findings import MODERATION, TAGS
from darkroom_analysis.mlops.canary_rollout import CanaryRollout
from darkroom_analysis.mlops.canary_state import ENDED, CanaryStateStore
from darkroom_analysis.mlops.endpoint_variants import EndpointVariants
from darkroom_analysis.mlops.golden_set import Confusion, QualityRecord, format_history
from darkroom_analysis.mlops.model_registry import APPROVED, PENDING, REJECTED, ModelRegistry, ModelVersion
from darkroom_analysis.mlops.quality_check import HISTORY, read_quality_history
from darkroom_analysis.mlops.rollout_policy import Policy
from darkroom_analysis.mlops.sample import Sample, ShadowComparison, TaskComparison
from tests.announcements import complaints
from tests.component.aws.endpoints import GROUP, Models, running
from tests.component.aws.sagemaker import found
from tests.component.aws.stored import put
from tests.component.services.emf_metrics import counted, of
from tests.sagemaker_apis import HeldUpdates
from tests.unit.synthetic_samples import samples
from tests.waiting import wait_until

from .environment import MonitorEnvironment

POLICY = Policy(min_samples=30, promote_after_samples=100, promote_after_hours=1)
HOUR_S = 3600


def trial(sample: Sample, *, disagreement: float, canary: str = "canary") -> Sample:
    compared = TaskComparison(disagreement, (False, False), (0.9, 0.9))
    return replace(sample, trial=ShadowComparison(canary, "main", {MODERATION: compared}, (50.0, 50.0)))


def tried(count: int, disagreement: float, canary: str = "canary") -> list[Sample]:
    return [trial(one, disagreement=disagreement, canary=canary) for one in samples(5, count)]


@pytest.fixture
def models(tmp_path: Path, stack: MonitorEnvironment) -> Iterator[Models]:
    """An endpoint with a unique name: CloudWatch keeps the metrics of every test."""
    name = f"endpoint-{stack.number}"
    with running(tmp_path, name, main=lambda task, _: found(task), canary=lambda task, _: found(task)) as models:
        models.variants(main=1.0, canary=0.11)
        yield models


@pytest.fixture
def registry(models: Models) -> ModelRegistry:
    return ModelRegistry(models.client("sagemaker"), GROUP)


@pytest.fixture
def watch(stack: MonitorEnvironment, models: Models, registry: ModelRegistry) -> CanaryRollout:
    registry.register(ModelVersion("main:1", approval=APPROVED))
    registry.register(ModelVersion("canary:1"))
    return CanaryRollout(
        variants=EndpointVariants(models.client("sagemaker"), models.endpoint),
        states=CanaryStateStore(stack.entries, models.endpoint),
        samples=stack.samples,
        metrics=stack.metrics,
        registry=registry,
        audit=stack.audit,
        bus=stack.bus,
        observer=stack.observer,
        policy=POLICY,
        quality=partial(read_quality_history, stack.env.vault("media"), stack.observer),
    )


def begin(stack: MonitorEnvironment, watch: CanaryRollout) -> None:
    """Set the canary's start to two hours ago."""
    watch.run(stack.now_s - 2 * HOUR_S)


def approvals(registry: ModelRegistry) -> dict[str, str]:
    return {one.image: one.approval for one in registry.list_versions()}


@pytest.mark.slow
def test_one_variant_is_nothing_to_decide_about(
    stack: MonitorEnvironment, watch: CanaryRollout, models: Models
) -> None:
    models.variants(main=1.0, canary=0.0)
    stack.sampled(tried(100, 0.9))
    assert watch.run(stack.now_s) == {"variants": ["main"]}
    assert watch.states.read() is None


@pytest.mark.slow
def test_a_worse_canary_is_rolled_back_and_published(
    stack: MonitorEnvironment,
    watch: CanaryRollout,
    models: Models,
    registry: ModelRegistry,
    capsys: pytest.CaptureFixture[str],
) -> None:
    begin(stack, watch)
    stack.sampled(tried(60, 0.9))
    assert watch.run(stack.now_s)["done"] == "rollback"
    watch.observer.flush()
    assert of(counted(capsys.readouterr().out), "ModelRolledBack") == {"": 1}
    wait_until(watch.variants.is_updatable, "the endpoint takes updates again")
    assert models.weights() == {"main": 1.0, "canary": 0.0}
    assert approvals(registry) == {"main:1": APPROVED, "canary:1": REJECTED}
    [entry] = stack.written
    assert (entry["kind"], entry["subject"], entry["by"]) == ("decision", models.endpoint, "monitor")
    assert (entry["facts"]["action"], entry["facts"]["canary"]) == ("rollback", "canary")
    assert "disagreement about moderation is 0.9" in entry["facts"]["reasons"][0]
    [(detail_type, detail)] = stack.env.published()
    assert (detail_type, complaints(detail_type, detail)) == ("ModelRolledBack", [])
    assert (detail["image"], detail["incumbent"]) == ("canary:1", "main")
    assert watch.run(stack.now_s + 60) == {"variants": ["main"]}
    assert len(stack.written) == 1


@pytest.mark.slow
def test_a_failing_canary_is_rolled_back_without_comparisons(
    stack: MonitorEnvironment, watch: CanaryRollout, models: Models
) -> None:
    begin(stack, watch)
    dimensions = {"EndpointName": models.endpoint, "VariantName": "canary"}
    stack.put_metric("AWS/SageMaker", "Invocations", dimensions, {1: 20, 30: 20})
    stack.put_metric("AWS/SageMaker", "Invocation5XXErrors", dimensions, {1: 10, 30: 10})
    stack.put_metric("AWS/SageMaker", "Invocation5XXErrors", dimensions | {"VariantName": "main"}, 1000)
    assert watch.run(stack.now_s)["done"] == "rollback"
    wait_until(watch.variants.is_updatable, "the endpoint takes updates again")
    assert models.weights()["canary"] == 0


def evaluated(stack: MonitorEnvironment, *, wrong: int, hours_ago: float) -> None:
    """Both variants were evaluated on a hundred tags, the canary with ``wrong`` ones."""
    at_s = stack.now_s - hours_ago * HOUR_S
    history = {
        "main": QualityRecord(0.0, at_s, {TAGS: Confusion(true_positives=100, false_negatives=20)}),
        "canary": QualityRecord(at_s, at_s, {TAGS: Confusion(100 - wrong, wrong, 20)}),
    }
    put(stack.env.vault("media"), HISTORY, format_history(history).encode())


@pytest.mark.parametrize(
    ("wrong", "hours_ago", "action"),
    [
        pytest.param(0, 1, "promote", marks=pytest.mark.slow),
        (30, 1, "rollback"),
        pytest.param(8, 1, "hold", marks=pytest.mark.slow),
        (30, 3, "promote"),
    ],
)
def test_a_canary_is_judged_by_the_golden_set(
    stack: MonitorEnvironment, watch: CanaryRollout, wrong: int, hours_ago: float, action: str
) -> None:
    """Not by the evaluation of an earlier canary of its name."""
    begin(stack, watch)
    evaluated(stack, wrong=wrong, hours_ago=hours_ago)
    stack.sampled(tried(100, 0.01))
    found = watch.run(stack.now_s)
    assert found["action"] == action
    named = "fall of precision of tags on the golden set" in str(found["reasons"])
    assert named is (action != "promote")


@pytest.mark.slow
def test_a_good_canary_takes_over_with_the_machines_of_the_one_before(
    stack: MonitorEnvironment, watch: CanaryRollout, models: Models, registry: ModelRegistry
) -> None:
    begin(stack, watch)
    watch.variants.set_weights({"main": 1.0}, {"main": 4})  # autoscaling, while the canary is tried
    wait_until(watch.variants.is_updatable, "the endpoint takes updates again")
    stack.sampled(tried(99, 0.01))
    assert watch.run(stack.now_s)["action"] == "hold"
    stack.sampled(tried(100, 0.01))
    assert watch.run(stack.now_s)["done"] == "promote"
    wait_until(watch.variants.is_updatable, "the endpoint takes updates again")
    now = watch.variants.read_all()
    assert {name: (one.weight, one.instances) for name, one in now.items()} == {"main": (0.0, 4), "canary": (1.0, 4)}
    assert approvals(registry) == {"main:1": APPROVED, "canary:1": APPROVED}
    [(detail_type, detail)] = stack.env.published()
    assert (detail_type, complaints(detail_type, detail)) == ("ModelPromoted", [])


@pytest.mark.slow
def test_a_canary_is_held_until_its_time_has_come(
    stack: MonitorEnvironment, watch: CanaryRollout, models: Models
) -> None:
    watch.run(stack.now_s - HOUR_S + 120)
    stack.sampled(tried(200, 0.01))
    held = watch.run(stack.now_s)
    assert (held["action"], held["pictures"]) == ("hold", 200)
    assert (models.weights(), stack.written, stack.env.published()) == ({"main": 1.0, "canary": 0.11}, [], [])


@pytest.mark.slow
def test_trials_of_an_earlier_canary_of_that_name_do_not_count(stack: MonitorEnvironment, watch: CanaryRollout) -> None:
    stack.sampled(tried(200, 0.9), at_s=stack.now_s - 3 * HOUR_S)
    begin(stack, watch)
    assert (watch.run(stack.now_s)["action"], watch.run(stack.now_s)["pictures"]) == ("hold", 0)


@pytest.mark.slow
def test_a_readmitted_canary_starts_a_new_trial(
    stack: MonitorEnvironment, watch: CanaryRollout, models: Models
) -> None:
    begin(stack, watch)
    stack.sampled(tried(60, 0.9))
    watch.run(stack.now_s)
    wait_until(watch.variants.is_updatable, "the endpoint takes updates again")
    watch.variants.set_weights({"canary": 0.2})
    wait_until(watch.variants.is_updatable, "the endpoint takes updates again")
    stack.now_s += 60
    assert (watch.run(stack.now_s)["action"], watch.run(stack.now_s)["pictures"]) == ("hold", 0)
    case = watch.states.read()
    assert case is not None
    assert case.since_s == stack.now_s


@pytest.mark.slow
def test_an_unregistered_image_is_rolled_back_too(
    stack: MonitorEnvironment, watch: CanaryRollout, models: Models
) -> None:
    nothing = replace(watch, registry=ModelRegistry(models.client("sagemaker"), "no-such-group"))
    begin(stack, nothing)
    stack.sampled(tried(60, 0.9))
    assert nothing.run(stack.now_s)["done"] == "rollback"


class Crash(Exception):
    """The function is killed."""


def dying(*_: Any, **__: Any) -> Any:
    raise Crash


STEPS: dict[str, Callable[[CanaryRollout], object]] = {
    "weights": lambda watch: watch.variants,
    "registry": lambda watch: watch.registry,
    "audit": lambda watch: watch.audit,
    "event": lambda watch: watch.bus,
}
METHODS = {"weights": "set_weights", "registry": "reject", "audit": "write", "event": "publish"}


@pytest.mark.slow
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_dies_at_any_step_is_completed_by_the_next(
    stack: MonitorEnvironment,
    watch: CanaryRollout,
    models: Models,
    registry: ModelRegistry,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    before: bool,
) -> None:
    begin(stack, watch)
    stack.sampled(tried(60, 0.9))
    part, name = STEPS[step](watch), METHODS[step]
    kind, whole = type(part), getattr(type(part), name)

    def done_and_dead(*given: Any, **named: Any) -> None:
        whole(*given, **named)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(kind, name, dying if before else done_and_dead)
        with pytest.raises(Crash):
            watch.run(stack.now_s)
    wait_until(watch.variants.is_updatable, "the endpoint takes updates again")
    watch.run(stack.now_s + 60)
    wait_until(watch.variants.is_updatable, "the endpoint takes updates again")
    case = watch.states.read()
    assert case is not None
    assert (case.stage, models.weights()) == (ENDED, {"main": 1.0, "canary": 0.0})
    assert approvals(registry)["canary:1"] == REJECTED
    events = stack.env.published()
    assert {(kind, detail["id"]) for kind, detail in events} == {("ModelRolledBack", events[0][1]["id"])}
    assert len(events) == 1 + (step == "event" and not before)
    assert len(stack.written) == 1 + (step == "audit" and not before)


@pytest.mark.slow
def test_an_endpoint_that_takes_no_update_now_is_weighed_by_a_later_run(
    stack: MonitorEnvironment, watch: CanaryRollout, models: Models, registry: ModelRegistry
) -> None:
    begin(stack, watch)
    held = HeldUpdates(models.runtime)
    stack.sampled(tried(60, 0.9))
    watch.variants.set_weights({"canary": 0.12})
    with pytest.raises(Unavailable):
        watch.run(stack.now_s)
    assert (approvals(registry)["canary:1"], stack.written) == (PENDING, [])
    held.finish()
    assert watch.run(stack.now_s + 60)["done"] == "rollback"


def test_two_runs_at_once_decide_once(stack: MonitorEnvironment, watch: CanaryRollout) -> None:
    begin(stack, watch)
    case = watch.states.read()
    assert case is not None
    watch.states.write(case.with_decision("rollback", ["a"], []))
    with pytest.raises(DarkroomError, match="The object has changed"):
        watch.states.write(case.with_decision("promote", ["b"], []))

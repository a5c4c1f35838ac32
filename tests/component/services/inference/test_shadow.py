"""Canary and baseline: only the baseline's results are stored, and both are recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.environment import InferEnvironment as Variables
from darkroom.errors import Unavailable
from darkroom.findings import FACES, LIKENESS, MODERATION, SIMILARITY, TAGS, TEXT, Finding, Label, finding_to_document
from darkroom_analysis.inference.analysis import AnalysisOutcome
from darkroom_analysis.mlops.endpoint_variants import (
    MAIN,
    ROLES_TTL_S,
    EndpointVariants,
    Variant,
    VariantRoles,
    VariantRolesCache,
    assign_roles,
)
from darkroom_analysis.mlops.rollout_policy import shadow_stats
from darkroom_analysis.mlops.sample import TaskComparison
from darkroom_analysis.mlops.shadow import compare_results, open_shadow_client
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.sagemaker import InferenceResult
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind
from tests.component.aws import sagemaker
from tests.component.aws.sagemaker import Call, Reply
from tests.images.photographs import jpeg_photo

from .harness import ALL, InferEnvironment

KEY = "a.jpg"


def worse(call: Call) -> Reply:
    """A canary that flags everything and finds no face; the baseline, called by its name, is unchanged."""
    if call.target:
        return sagemaker.answer(call)
    tasks = {task: finding_to_document(sagemaker.found(task), vectors=True) for task in call.tasks}
    tasks[MODERATION] |= {"flagged": True, "labels": [{"name": "unsafe", "score": 0.8}]}
    tasks[FACES]["faces"] = []
    return 200, json.dumps({"tasks": tasks}).encode()


@pytest.fixture
def canary(env: InferEnvironment) -> InferEnvironment:
    env.runtime.weights = {"main": 1.0, "canary": 0.1}
    env.runtime.drawn = "canary"
    env.runtime.behave = worse
    return env


def test_an_answer_of_the_baseline_calls_no_other_variant(canary: InferEnvironment) -> None:
    canary.runtime.drawn = "main"
    canary.ready(KEY, jpeg_photo())
    [sample] = canary.samples.recent()
    assert (sample.variant, sample.trial) == ("main", None)
    assert [call.target for call in canary.runtime.calls if not call.explains] == [""]


def test_a_canarys_answer_leaves_the_findings_of_the_baseline(canary: InferEnvironment) -> None:
    assert canary.ready(KEY, jpeg_photo()) is AnalysisOutcome.ANALYSED
    assert [call.target for call in canary.runtime.calls] == ["", "main"]
    assert {call.body for call in canary.runtime.calls} == {canary.runtime.calls[0].body}
    findings = canary.findings(KEY)
    assert (findings.found[FACES], findings.found[MODERATION].flagged) == (sagemaker.found(FACES), False)
    [event] = canary.published()
    assert not event["flagged"]


def test_both_are_compared_in_the_sample(canary: InferEnvironment) -> None:
    canary.ready(KEY, jpeg_photo())
    [sample] = canary.samples.recent()
    assert (sample.variant, sample.by) == ("main", "endpoint")
    trial = sample.trial
    assert trial is not None
    assert (trial.canary, trial.incumbent) == ("canary", "main")
    assert trial.tasks == {
        FACES: TaskComparison(1.0, (True, False), (None, 0.99)),
        TEXT: TaskComparison(0.0, (False, False), (0.9, 0.9)),
        MODERATION: TaskComparison(1.0, (False, False), (0.8, 0.9)),
        SIMILARITY: TaskComparison(0.0, (False, False), (None, None)),
        TAGS: TaskComparison(0.0, (False, False), (0.9, 0.9)),
        LIKENESS: TaskComparison(0.0, (False, False), (None, None)),
    }
    assert min(trial.latency_ms) > 0
    incumbents, canarys = shadow_stats(canary.samples.recent(), "canary")
    assert (canarys.disagreement[MODERATION].value, canarys.empty[FACES].value) == (1.0, 1.0)
    assert incumbents.empty[FACES].value == 0.0


def test_without_the_baselines_findings_an_image_waits(canary: InferEnvironment) -> None:
    canary.runtime.behave = lambda call: None if call.target else worse(call)
    assert canary.ready(KEY, jpeg_photo()) is AnalysisOutcome.FALLBACK
    assert not canary.findings(KEY).found[MODERATION].flagged
    assert [sample.variant for sample in canary.samples.recent()] == ["in-process"]
    assert len(canary.sent) == 1


@pytest.mark.parametrize(("instance_type", "first_ms"), [("serverless", 60_000), ("ml.g4dn.xlarge", 20_000)])
def test_the_first_call_waits_for_a_serverless_endpoint_to_start(
    env: InferEnvironment, instance_type: str, first_ms: int
) -> None:
    env.runtime.behave = sagemaker.explaining
    variables = {name: "-" if kind == "str" else "1" for name, kind in Variables.fields().items()}
    names = {"ENDPOINT_NAME": sagemaker.NAME, "INFERENCE_MODE": "endpoint", "ENDPOINT_INSTANCE_TYPE": instance_type}
    variables = {name.upper(): value for name, value in variables.items()} | env.runtime.environment | names
    models = open_shadow_client(Variables(variables), env.breaker, env.observer)
    request = AnalysisRequest(RequestKind.READY, KEY, env.master(KEY, jpeg_photo()))
    assert replace(env.infer, models=models).handle(request) is AnalysisOutcome.ANALYSED
    assert [call.timeout_ms for call in env.runtime.calls] == [first_ms, 20_000]


def refusing_unless(refuses: Callable[[Call], bool]) -> Callable[[Call], Reply]:
    refusal = sagemaker.refusing(422, "unreadable")
    return lambda call: refusal(call) if refuses(call) else sagemaker.answer(call)


def test_a_canary_that_refuses_images_is_rolled_back(canary: InferEnvironment) -> None:
    """SageMaker does not report which variant refuses."""
    canary.runtime.behave = refusing_unless(lambda call: not call.target)
    canary.ready(KEY, jpeg_photo())
    assert canary.findings(KEY).found[FACES] == sagemaker.found(FACES)
    [sample] = canary.samples.recent()
    assert sample.trial is not None
    assert sample.trial.canary == "canary"
    assert sample.trial.tasks[FACES] == TaskComparison(None, (True, False), (None, 0.99))


def test_a_refusal_by_both_variants_counts_for_neither(canary: InferEnvironment) -> None:
    canary.runtime.behave = refusing_unless(lambda _: True)
    canary.ready(KEY, jpeg_photo())
    assert {finding.error for finding in canary.findings(KEY).found.values()} == {"unreadable"}
    [sample] = canary.samples.recent()
    assert sample.trial is None
    assert set(sample.tasks) == set(ALL)


def test_one_variant_alone_is_no_trial_whatever_it_is_called(env: InferEnvironment) -> None:
    env.runtime.weights, env.runtime.drawn = {"blue": 1.0, "green": 0.0}, "blue"
    env.ready(KEY, jpeg_photo())
    [sample] = env.samples.recent()
    assert (sample.variant, sample.trial, len(env.runtime.calls)) == ("blue", None, 1)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({}, VariantRoles(MAIN)),
        ({"main": 1.0}, VariantRoles("main")),
        ({"main": 1.0, "canary": 0.1}, VariantRoles("main", "canary")),
        ({"main": 0.1, "canary": 1.0}, VariantRoles("canary", "main")),
        ({"main": 0.0, "canary": 1.0}, VariantRoles("canary")),
        ({"canary": 1.0, "main": 1.0}, VariantRoles("main", "canary")),
        ({"b": 1.0, "a": 1.0}, VariantRoles("a", "b")),
        ({"main": 0.0, "canary": 0.0}, VariantRoles("main")),
        ({"c": 0.2, "main": 1.0, "b": 0.5}, VariantRoles("main", "b")),
    ],
)
def test_roles_of_variants(weights: dict[str, float], expected: VariantRoles) -> None:
    assert assign_roles(weights) == expected


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0, 2), min_size=1))
def test_the_baseline_is_the_heaviest_and_a_canary_takes_calls(weights: dict[str, float]) -> None:
    found = assign_roles(weights)
    assert weights[found.incumbent] == max(weights.values())
    assert found.canary != found.incumbent
    assert not found.canary or weights[found.canary] > 0
    assert bool(found.canary) == (sum(weight > 0 for weight in weights.values()) > 1)


@dataclass
class Scripted(EndpointVariants):
    """Variants as a test wants them; ``down`` they cannot be reached."""

    weights: dict[str, float]
    down: bool = False
    looks: list[float] = field(default_factory=list)

    def read_all(self) -> dict[str, Variant]:
        self.looks.append(0)
        if self.down:
            raise Unavailable(detail="no answer")
        return {name: Variant(weight, 1, "") for name, weight in self.weights.items()}


def test_weights_are_remembered_for_a_minute_and_while_they_cannot_be_read() -> None:
    variants, now_s = Scripted({"main": 1.0, "new": 0.1}), [100.0]
    standings = VariantRolesCache(lambda: variants, PowertoolsObserver("infer"), lambda: now_s[0])
    assert standings.current() == VariantRoles("main", "new")
    variants.weights = {"new": 1.0}
    now_s[0] += ROLES_TTL_S - 1
    assert (standings.current(), len(variants.looks)) == (VariantRoles("main", "new"), 1)
    now_s[0] += 1
    assert standings.current() == VariantRoles("new")
    variants.down = True
    now_s[0] += ROLES_TTL_S
    assert standings.current() == VariantRoles("new")
    assert (standings.current(), len(variants.looks)) == (VariantRoles("new"), 3)


def test_a_variant_that_was_not_known_to_take_calls_has_weights_read_again_once() -> None:
    variants, now_s = Scripted({"main": 1.0}), [100.0]
    standings = VariantRolesCache(lambda: variants, PowertoolsObserver("infer"), lambda: now_s[0])
    assert standings.current("main") == VariantRoles("main")
    variants.weights = {"main": 0.9, "new": 0.1}
    assert (standings.current("main"), len(variants.looks)) == (VariantRoles("main"), 1)
    assert (standings.current("new"), len(variants.looks)) == (VariantRoles("main", "new"), 2)
    assert (standings.current("new"), len(variants.looks)) == (VariantRoles("main", "new"), 2)
    assert standings.current("third") == standings.current("third") == VariantRoles("main", "new")
    assert len(variants.looks) == 3
    now_s[0] += ROLES_TTL_S
    assert (standings.current("third"), len(variants.looks)) == (VariantRoles("main", "new"), 4)


def test_before_they_were_ever_read_there_is_one_variant(env: InferEnvironment) -> None:
    env.runtime.weights = {}
    standings = VariantRolesCache(env.variants, env.observer)
    assert standings.current() == VariantRoles(MAIN)


def test_only_common_findings_are_compared() -> None:
    safe = Finding(MODERATION, "m", "1", labels=(Label("safe", 0.9),))
    trial = compare_results(
        "new",
        InferenceResult({MODERATION: safe, FACES: Finding(FACES, "m", "1")}, "new", {}, 5.0),
        "main",
        InferenceResult({MODERATION: safe}, "main", {}, 7.0),
    )
    assert trial.tasks == {MODERATION: TaskComparison(0.0, (False, False), (0.9, 0.9))}
    assert trial.latency_ms == (5.0, 7.0)

"""Promote or roll back a canary variant automatically.

The decision is stored before its first step, and each step after it is done. The next run completes an interrupted one
and repeats at most one step. If no step is done and the endpoint has another canary, the decision is dropped: canaries
have the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from darkroom.aws.telemetry import Observer
from darkroom_pipeline.aws.audit import DECISION, AuditLog
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics, MetricStat
from darkroom_pipeline.operations.switch_controller import ACTOR

from .canary_state import DECIDED, ENDED, TRYING, CanaryState, CanaryStateStore
from .endpoint_variants import EndpointVariants, Variant, assign_roles
from .golden_set import QualityRecord
from .model_registry import ModelRegistry
from .rollout_policy import Policy, VariantStats, decide, shadow_stats
from .sample_store import SampleStore

PROMOTE, ROLLBACK = "promote", "rollback"
EVENTS = {PROMOTE: "ModelPromoted", ROLLBACK: "ModelRolledBack"}
"""Detail types of events, and metrics."""

HOUR_S, MINUTE_S = 3600.0, 60


@dataclass(frozen=True)
class CanaryRollout:
    """Decides on the canary of an endpoint by ``policy``, and carries out the decision.

    ``quality`` reads the evaluations of the golden set by variant.
    """

    variants: EndpointVariants
    states: CanaryStateStore
    samples: SampleStore
    metrics: CloudWatchMetrics
    registry: ModelRegistry
    audit: AuditLog
    bus: EventBus
    observer: Observer
    policy: Policy
    quality: Callable[[], Mapping[str, QualityRecord]]

    def run(self, now_s: float) -> Mapping[str, object]:
        """Complete a decision, or decide. Raises Unavailable, Changed; the next run continues."""
        case = self.states.read()
        if case is not None and case.stage == DECIDED and case.done > 0:
            return self._execute(case)
        variants = self.variants.read_all()
        if case is not None and case.stage == DECIDED:
            if _is_executable(case, variants):
                return self._execute(case)
            case = self._drop(case)
        weighted = {name: variant for name, variant in variants.items() if variant.weight > 0}
        if len(weighted) < 2:
            return {"variants": sorted(weighted)}
        return self._decide(self._current_state(case, weighted, now_s), now_s)

    def _drop(self, case: CanaryState) -> CanaryState:
        """End ``case`` without carrying out its decision."""
        dropped = self.states.write(replace(case, stage=ENDED))
        self.observer.log(
            "WARNING", "canary decision dropped", canary=case.canary, image=case.image, action=case.action
        )
        return dropped

    def _current_state(self, known: CanaryState | None, weighted: Mapping[str, Variant], now_s: float) -> CanaryState:
        """Return the state of the canary; a new canary gets a new state."""
        incumbent, canary = assign_roles({name: variant.weight for name, variant in weighted.items()})
        if known is not None and known.stage == TRYING and known.is_about(canary, weighted[canary]):
            return known
        opened = CanaryState(canary, weighted[canary].image, incumbent, now_s)
        return self.states.write(replace(opened, version=known.version if known is not None else 0))

    def _decide(self, case: CanaryState, now_s: float) -> Mapping[str, object]:
        baseline, tried = shadow_stats(self.samples.recent(since_s=case.since_s), case.canary)
        baseline, tried = self._with_golden_scores(case, baseline, self._with_call_counts(tried, case, now_s))
        decision = decide(baseline, tried, self.policy)
        found: dict[str, object] = {"canary": case.canary, "pictures": tried.n, "action": decision.action}
        found["reasons"] = list(decision.reasons)
        if decision.action not in EVENTS:
            return found
        figures = [asdict(figure) for figure in decision.figures]
        return found | self._execute(self.states.write(case.with_decision(decision.action, decision.reasons, figures)))

    def _with_call_counts(self, stats: VariantStats, case: CanaryState, now_s: float) -> VariantStats:
        """Return ``stats`` with SageMaker's counts, which include calls without a response."""
        named = {"EndpointName": self.variants.endpoint, "VariantName": case.canary}
        calls, errors = self.metrics.get_totals(
            [MetricStat("AWS/SageMaker", metric, named) for metric in ("Invocations", "Invocation5XXErrors")],
            begin_s=case.since_s // MINUTE_S * MINUTE_S,
            end_s=now_s + MINUTE_S,
            period_s=_period_s(now_s - case.since_s),
        )
        hours = (now_s - case.since_s) / HOUR_S
        return replace(stats, errors=round(errors), invocations=round(calls), hours=hours)

    def _with_golden_scores(
        self, case: CanaryState, baseline: VariantStats, tried: VariantStats
    ) -> tuple[VariantStats, VariantStats]:
        """Return both with counts of the golden set, if this canary was evaluated, not an earlier one of its name."""
        history = self.quality()
        incumbent, canary = history.get(case.incumbent), history.get(case.canary)
        if incumbent is None or canary is None or canary.judged_s < case.since_s:
            return baseline, tried
        return (
            replace(baseline, golden=incumbent.scores, classes=incumbent.classes),
            replace(tried, golden=canary.scores, classes=canary.classes),
        )

    def _execute(self, case: CanaryState) -> dict[str, object]:
        steps = self._steps()
        while case.done < len(steps):
            steps[case.done](case)
            case = self.states.write(replace(case, done=case.done + 1))
        self.states.write(replace(case, stage=ENDED))
        self.observer.count(EVENTS[case.action])
        self.observer.log("WARNING", EVENTS[case.action], canary=case.canary, reasons=list(case.reasons))
        return {"done": case.action, "canary": case.canary}

    def _steps(self) -> Sequence[Callable[[CanaryState], None]]:
        """Return the steps of a decision; the weights change first."""
        return (self._set_weights, self._update_registry, self._write_audit, self._announce)

    def _set_weights(self, case: CanaryState) -> None:
        """Give all calls to one variant; a promoted canary gets as many instances as the incumbent has now.

        The incumbent was scaled since the canary began, and the canary may have been.
        """
        if case.action == PROMOTE:
            now = self.variants.read_all()
            instances = max(now[name].instances for name in (case.canary, case.incumbent))
            self.variants.set_weights({case.canary: 1.0, case.incumbent: 0.0}, {case.canary: instances})
        else:
            self.variants.set_weights({case.canary: 0.0, case.incumbent: 1.0})

    def _update_registry(self, case: CanaryState) -> None:
        """Approve or reject the canary's version, if its image is registered."""
        version = self.registry.find_by_image(case.image) if case.image else None
        if version is None:
            self.observer.log("WARNING", "canary image not registered", image=case.image)
            return
        judge = self.registry.approve if case.action == PROMOTE else self.registry.reject
        judge(version.arn, "; ".join(case.reasons))

    def _write_audit(self, case: CanaryState) -> None:
        self.audit.write(DECISION, self.variants.endpoint, ACTOR, **_decision_fields(case), figures=list(case.figures))

    def _announce(self, case: CanaryState) -> None:
        detail = {
            "id": decision_id(self.variants.endpoint, case),
            "endpoint": self.variants.endpoint,
        } | _decision_fields(case)
        self.bus.publish(EVENTS[case.action], detail | {"figures": list(case.figures)})


def _is_executable(case: CanaryState, variants: Mapping[str, Variant]) -> bool:
    """Whether the decision is about these ``variants``; a canary without calls was withdrawn, and is not promoted."""
    canary = variants.get(case.canary)
    if canary is None or case.incumbent not in variants or not case.is_about(case.canary, canary):
        return False
    return case.action != PROMOTE or canary.weight > 0


def decision_id(endpoint: str, case: CanaryState) -> str:
    """Return the id of the event, the same at each attempt: 32 hexadecimal digits."""
    parts = (endpoint, case.canary, case.image, repr(case.since_s), case.action)
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def _decision_fields(case: CanaryState) -> dict[str, Any]:
    return {
        "action": case.action,
        "canary": case.canary,
        "image": case.image,
        "incumbent": case.incumbent,
        "reasons": list(case.reasons),
    }


def _period_s(took_s: float) -> int:
    """Return a period with some hundred datapoints: CloudWatch keeps minutes for 15 days, 5 minutes for 63."""
    return MINUTE_S if took_s < HOUR_S else 5 * MINUTE_S

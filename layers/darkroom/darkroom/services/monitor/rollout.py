"""A new variant of the models is tried beside the one in use, and takes over or goes: nobody has to be there.

The decision is written down before anything is done about it, and each step after it was done. A run that dies in
between is completed by the next one: it repeats at most the one step that it did not see done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from ...aws.audit import DECISION, AuditLog
from ...aws.cloudwatch import CloudWatchMetrics, MetricStat
from ...aws.eventbridge import EventBus
from ...aws.registry import Registry
from ...aws.samples import Samples
from ...aws.telemetry.protocol import Observer
from ...aws.variants import Variant, Variants
from ...watch.rollout import Policy, VariantStats, decide, trial_stats
from ..infer.trial import standing
from .canary import DECIDED, ENDED, TRYING, Case, Cases
from .switching import US

PROMOTE, ROLLBACK = "promote", "rollback"
EVENTS = {PROMOTE: "ModelPromoted", ROLLBACK: "ModelRolledBack"}
"""Detail types, which are metrics too."""

HOUR_S, MINUTE_S = 3600.0, 60


@dataclass(frozen=True)
class RolloutWatch:
    """Judges the canary of an endpoint by ``policy``, and does what follows."""

    variants: Variants
    cases: Cases
    samples: Samples
    metrics: CloudWatchMetrics
    registry: Registry
    audit: AuditLog
    bus: EventBus
    observer: Observer
    policy: Policy

    def look(self, now_s: float) -> Mapping[str, object]:
        """Complete what was decided, or decide. Raises Unavailable, Changed: the next run goes on."""
        case = self.cases.now()
        if case is not None and case.stage == DECIDED:
            return self._carry_out(case)
        variants = self.variants.now()
        weighted = {name: variant for name, variant in variants.items() if variant.weight > 0}
        if len(weighted) < 2:
            return {"variants": sorted(weighted)}
        return self._judge(self._case(case, weighted, now_s), now_s)

    def _case(self, known: Case | None, weighted: Mapping[str, Variant], now_s: float) -> Case:
        """The case of the canary, which is opened if it is a new one."""
        incumbent, canary = standing({name: variant.weight for name, variant in weighted.items()})
        if known is not None and known.stage == TRYING and known.is_of(canary, weighted[canary]):
            return known
        opened = Case(canary, weighted[canary].image, incumbent, weighted[incumbent].instances, now_s)
        return self.cases.keep(replace(opened, version=known.version if known is not None else 0))

    def _judge(self, case: Case, now_s: float) -> Mapping[str, object]:
        baseline, tried = trial_stats(self.samples.recent(since_s=case.since_s), case.canary)
        decision = decide(baseline, self._with_calls(tried, case, now_s), self.policy)
        found: dict[str, object] = {"canary": case.canary, "pictures": tried.n, "action": decision.action}
        found["reasons"] = list(decision.reasons)
        if decision.action not in EVENTS:
            return found
        figures = [asdict(figure) for figure in decision.figures]
        return found | self._carry_out(self.cases.keep(case.decided(decision.action, decision.reasons, figures)))

    def _with_calls(self, stats: VariantStats, case: Case, now_s: float) -> VariantStats:
        """``stats`` with SageMaker's own counts, which know of calls that were never answered."""
        named = {"EndpointName": self.variants.endpoint, "VariantName": case.canary}
        calls, errors = self.metrics.get_totals(
            [MetricStat("AWS/SageMaker", metric, named) for metric in ("Invocations", "Invocation5XXErrors")],
            begin_s=case.since_s // MINUTE_S * MINUTE_S,
            end_s=now_s + MINUTE_S,
            period_s=_period_s(now_s - case.since_s),
        )
        hours = (now_s - case.since_s) / HOUR_S
        return replace(stats, errors=round(errors), invocations=round(calls), hours=hours)

    def _carry_out(self, case: Case) -> dict[str, object]:
        steps = self._steps()
        while case.done < len(steps):
            steps[case.done](case)
            case = self.cases.keep(replace(case, done=case.done + 1))
        self.cases.keep(replace(case, stage=ENDED))
        self.observer.count(EVENTS[case.action])
        self.observer.log("WARNING", EVENTS[case.action], canary=case.canary, reasons=list(case.reasons))
        return {"done": case.action, "canary": case.canary}

    def _steps(self) -> Sequence[Callable[[Case], None]]:
        """What a decision takes, in order: first of all, what pictures are looked at with."""
        return (self._weigh, self._register, self._write_down, self._announce)

    def _weigh(self, case: Case) -> None:
        """The one that takes all calls needs the machines of the one that took them before."""
        if case.action == PROMOTE:
            self.variants.weigh({case.canary: 1.0, case.incumbent: 0.0}, {case.canary: case.instances})
        else:
            self.variants.weigh({case.canary: 0.0, case.incumbent: 1.0})

    def _register(self, case: Case) -> None:
        """Approve or reject the canary's version, if its image has been registered."""
        version = self.registry.of_image(case.image) if case.image else None
        if version is None:
            self.observer.log("WARNING", "the canary's image is not in the registry", image=case.image)
            return
        judge = self.registry.approve if case.action == PROMOTE else self.registry.reject
        judge(version.arn, "; ".join(case.reasons))

    def _write_down(self, case: Case) -> None:
        self.audit.write(DECISION, self.variants.endpoint, US, **_told(case), figures=list(case.figures))

    def _announce(self, case: Case) -> None:
        detail = {"id": case_id(self.variants.endpoint, case), "endpoint": self.variants.endpoint} | _told(case)
        self.bus.publish(EVENTS[case.action], detail | {"figures": list(case.figures)})


def case_id(endpoint: str, case: Case) -> str:
    """The id of the event about ``case``, the same however often it is told. 32 hexadecimal digits."""
    parts = (endpoint, case.canary, case.image, repr(case.since_s), case.action)
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def _told(case: Case) -> dict[str, Any]:
    return {
        "action": case.action,
        "canary": case.canary,
        "image": case.image,
        "incumbent": case.incumbent,
        "reasons": list(case.reasons),
    }


def _period_s(took_s: float) -> int:
    """A period of which a trial has at most some hundred: CloudWatch keeps minutes for 15 days, 5 minutes for 63."""
    return MINUTE_S if took_s < HOUR_S else 5 * MINUTE_S

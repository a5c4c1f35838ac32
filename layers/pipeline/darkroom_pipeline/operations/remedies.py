"""Remedies that need no operator: redrive dead letters, fall back to small models, shed load."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from darkroom.aws.switches import FALLBACK, LOAD_SHEDDING
from darkroom.aws.telemetry import Observer
from darkroom.errors import Unavailable

from ..aws.audit import DECISION, AuditLog
from ..aws.sqs import REDRIVEN
from . import remedy_rules
from .cloudwatch import CloudWatchMetrics, MetricStat
from .dead_letter_queue import UNREADABLE, DeadLetterQueue
from .functions import Function, QueueUrls
from .switch_controller import ACTOR, SwitchController

MINUTE_S = 60

MAX_REDRIVEN = 500
"""Messages redriven in one run; the next run continues."""

type Remedy = Callable[[float], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class RedriveTarget:
    """A function with its queue and its dead letters; ``urgent_url`` is its priority queue, "" without one."""

    function: Function
    dead_letters: DeadLetterQueue
    queue_url: str
    urgent_url: str = ""

    @property
    def name(self) -> str:
        """The name of the function in metrics."""
        return self.function.name


def redrive_targets(
    functions: Mapping[str, Function],
    addresses: Mapping[str, QueueUrls],
    open_dead_letters: Callable[[str], DeadLetterQueue],
) -> list[RedriveTarget]:
    """Return a target for each function with ``addresses``."""
    known = {name: urls for name, urls in addresses.items() if name in functions}
    return [
        RedriveTarget(functions[name], open_dead_letters(urls.dead_letters), urls.queue, urls.urgent)
        for name, urls in known.items()
    ]


@dataclass(frozen=True)
class RedriveRemedy:
    """Redrives dead letters of functions that meet their objective again."""

    targets: Sequence[RedriveTarget]
    metrics: CloudWatchMetrics
    namespace: str
    audit: AuditLog
    observer: Observer

    def run(self, now_s: float) -> Mapping[str, object]:
        """Redrive; return the number of messages of each function with dead letters."""
        waiting = [station for station in self.targets if station.dead_letters.count()]
        return {
            station.name: self._redrive(station) if self._has_recovered(station, now_s) else 0 for station in waiting
        }

    def _has_recovered(self, station: RedriveTarget, now_s: float) -> bool:
        end_s = now_s // MINUTE_S * MINUTE_S + MINUTE_S  # includes failures of the current minute
        own = {"service": station.name, "function": station.name}
        requests, faults, errors = self.metrics.get_totals(
            [
                MetricStat(self.namespace, "Requests", own),
                MetricStat(self.namespace, "Faults", own),
                MetricStat("AWS/Lambda", "Errors", {"FunctionName": station.function.lambda_name}),
            ],
            begin_s=end_s - (remedy_rules.RECOVERED_MINUTES + 1) * MINUTE_S,
            end_s=end_s,
            period_s=MINUTE_S,
        )
        return remedy_rules.has_recovered(requests + errors, faults + errors, station.function.objective)

    def _redrive(self, station: RedriveTarget) -> int:
        left: list[str] = []
        codes: dict[str, int] = {}
        for letter in station.dead_letters.read_all():
            sent = sum(codes.values())
            again = REDRIVEN in letter.attributes
            if sent >= MAX_REDRIVEN or not remedy_rules.is_redrivable(
                code=letter.code, redriven=again, unreadable=UNREADABLE
            ):
                left.append(letter.receipt_handle)
                continue
            station.dead_letters.redrive(letter, (letter.has_priority and station.urgent_url) or station.queue_url)
            codes[letter.code or "none"] = codes.get(letter.code or "none", 0) + 1
        station.dead_letters.make_visible(left)
        if codes:
            self._record(station, codes, len(left))
        return sum(codes.values())

    def _record(self, station: RedriveTarget, codes: Mapping[str, int], left: int) -> None:
        sent = sum(codes.values())
        self.observer.count("Redriven", sent)
        self.audit.write(DECISION, f"{station.name} dead letters", ACTOR, redriven=sent, left=left, codes=dict(codes))


@dataclass(frozen=True)
class FallbackRemedy:
    """Turns the small models on while the endpoint fails. ``responds`` probes the endpoint."""

    metrics: CloudWatchMetrics
    endpoint: str
    variants: Callable[[], Sequence[str]]
    responds: Callable[[], bool]
    switches: SwitchController

    def run(self, now_s: float) -> Mapping[str, object]:
        """Update the switch ``fallback``; return its action and the counts."""
        calls, errors = self._counts(now_s)
        standing = self.switches.read_state(FALLBACK, now_s)
        answers = self.responds() if remedy_rules.needs_probe(standing, calls, errors) else None
        turn = remedy_rules.decide_fallback(standing, calls, errors, answers)
        return {"calls": calls, "errors": errors, "move": self.switches.apply(FALLBACK, turn, now_s)}

    def _counts(self, now_s: float) -> tuple[float, float]:
        """Return the endpoint's calls and its server errors."""
        end_s = now_s // MINUTE_S * MINUTE_S + MINUTE_S
        named = [{"EndpointName": self.endpoint, "VariantName": name} for name in self.variants()]
        totals = self.metrics.get_totals(
            [
                MetricStat("AWS/SageMaker", metric, one)
                for metric in ("Invocations", "Invocation5XXErrors")
                for one in named
            ],
            begin_s=end_s - (remedy_rules.ERROR_MINUTES + 1) * MINUTE_S,
            end_s=end_s,
            period_s=MINUTE_S,
        )
        return sum(totals[: len(named)]), sum(totals[len(named) :])


@dataclass(frozen=True)
class LoadShedding:
    """Renders presets only while there are more than ``limit`` renders a minute (0: never)."""

    metrics: CloudWatchMetrics
    namespace: str
    limit: float
    switches: SwitchController

    def run(self, now_s: float) -> Mapping[str, object]:
        """Update the switch ``presets-only``; return its action and the peak, 0 where no limit needs it."""
        state = self.switches.read_state(LOAD_SHEDDING, now_s)
        asked = self._renders_per_minute(now_s) if self.limit or state.on else []
        turn = remedy_rules.decide_presets_only(state, asked, self.limit)
        return {"peak": max(asked, default=0.0), "move": self.switches.apply(LOAD_SHEDDING, turn, now_s)}

    def _renders_per_minute(self, now_s: float) -> list[float]:
        """Return renders by minute, with those that this switch refused; the last minute is complete."""
        end_s = now_s // MINUTE_S * MINUTE_S
        begin_s = end_s - remedy_rules.QUIET_MINUTES * MINUTE_S
        own = {"service": "transform", "function": "transform"}
        found = self.metrics.get_points(
            [
                MetricStat(self.namespace, "Rendered", own),
                MetricStat(self.namespace, "Errors", own | {"code": LOAD_SHEDDING}),
            ],
            begin_s=begin_s,
            end_s=end_s,
            period_s=MINUTE_S,
        )
        minutes = [0.0] * remedy_rules.QUIET_MINUTES
        for at_s, count in (point for points in found for point in points):
            minutes[int((at_s - begin_s) // MINUTE_S)] += count
        return minutes


@dataclass(frozen=True)
class RemedyCheck:
    """All remedies of the deployment by name. A failed remedy does not stop the others."""

    remedies: Mapping[str, Remedy]
    observer: Observer

    def run(self, now_s: float) -> Mapping[str, object]:
        """Run all remedies; return their results. Raises the last failure after that."""
        found: dict[str, object] = {}
        fault: Unavailable | None = None
        for name, look in self.remedies.items():
            try:
                found[name] = look(now_s)
            except Unavailable as error:
                self.observer.log("ERROR", "remedy failed", remedy=name, detail=error.detail)
                fault = error
        if fault is not None:
            raise fault
        return found

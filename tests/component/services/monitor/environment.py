"""A stack's resources in MiniStack, as the monitor sees them, with metrics in its CloudWatch."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from darkroom_analysis.mlops.sample import Sample
from darkroom_analysis.mlops.sample_store import SampleStore
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.sample_slots import SLOTS
from darkroom_pipeline.aws.switch_store import SwitchStore
from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics
from darkroom_pipeline.operations.functions import Function
from darkroom_pipeline.operations.metrics_reader import MetricsReader
from darkroom_pipeline.operations.switch_controller import SwitchController
from tests.component.services.ingest_environment import IngestEnvironment

MINUTE_S = 60
_numbers = itertools.count(1)


@dataclass
class MonitorEnvironment:
    """``now_s`` is some seconds into a minute: checks read whole minutes."""

    env: IngestEnvironment
    cloudwatch: Any
    number: int = field(default_factory=lambda: next(_numbers))
    now_s: float = field(default_factory=lambda: time.time() // MINUTE_S * MINUTE_S + 5)

    @classmethod
    def build(cls, aws: Callable[[str], Any]) -> MonitorEnvironment:
        return cls(IngestEnvironment.build(aws), aws("cloudwatch"))

    @property
    def namespace(self) -> str:
        return f"Darkroom/stage-{self.number}"

    @property
    def functions(self) -> dict[str, Function]:
        memory = {"transform": 1769, "ingest": 3008, "infer": 3008, "purge": 512, "monitor": 512}
        return {name: Function(name, f"stage-{self.number}-{name}", mb) for name, mb in memory.items()}

    @property
    def metrics(self) -> CloudWatchMetrics:
        return CloudWatchMetrics(self.cloudwatch)

    @property
    def reader(self) -> MetricsReader:
        return MetricsReader(self.metrics, self.metrics, self.namespace, f"E{self.number}", self.functions)

    @property
    def observer(self) -> PowertoolsObserver:
        return PowertoolsObserver("monitor")

    @property
    def audit(self) -> AuditLog:
        return AuditLog(self.env.vault("audit"), clock=lambda: self.now_s)

    @property
    def entries(self) -> DocumentStore:
        return DocumentStore(self.env.clients["dynamodb"], self.env.names["index"])

    @property
    def bus(self) -> EventBus:
        return EventBus(self.env.clients["events"], self.env.names["bus"], "darkroom")

    @property
    def samples(self) -> SampleStore:
        return SampleStore(self.env.clients["dynamodb"], self.env.names["index"])

    @property
    def switches(self) -> SwitchController:
        return SwitchController(SwitchStore(self.env.vault("media")), self.audit, self.observer)

    @property
    def written(self) -> list[dict[str, Any]]:
        """The audit log, the newest first."""
        return self.audit.list_newest(50)

    def put_metric(
        self, namespace: str, metric: str, dimensions: Mapping[str, str], minutes: Mapping[int, float] | float
    ) -> None:
        """Give a metric a value in minutes of the past: 1 is the last whole one."""
        values = minutes if isinstance(minutes, Mapping) else {1: minutes}
        named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        begin_s = self.now_s // MINUTE_S * MINUTE_S
        data = [
            {
                "MetricName": metric,
                "Dimensions": named,
                "Timestamp": datetime.fromtimestamp(begin_s - past * MINUTE_S + 1, UTC),
                "Value": value,
            }
            for past, value in values.items()
        ]
        self.cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    def own(self, function: str, metric: str, minutes: Mapping[int, float] | float, **further: str) -> None:
        """Put a metric of one of our functions."""
        dimensions = {"service": function, "function": function, **further}
        self.put_metric(self.namespace, metric, dimensions, minutes)

    def of_lambda(self, function: str, metric: str, minutes: Mapping[int, float] | float) -> None:
        name = self.functions[function].lambda_name
        self.put_metric("AWS/Lambda", metric, {"FunctionName": name}, minutes)

    def of_cdn(self, metric: str, minutes: Mapping[int, float] | float) -> None:
        dimensions = {"DistributionId": f"E{self.number}", "Region": "Global"}
        self.put_metric("AWS/CloudFront", metric, dimensions, minutes)

    def sampled(self, samples: list[Sample], at_s: float | None = None) -> None:
        """Fill the reservoir with ``samples``, each in a slot of its own."""
        assert len(samples) <= SLOTS
        slots = iter(range(SLOTS))
        reservoir = SampleStore(self.env.clients["dynamodb"], self.env.names["index"], choose=lambda _: next(slots))
        for sample in samples:
            reservoir.put(replace(sample, at_s=self.now_s - 60 if at_s is None else at_s))

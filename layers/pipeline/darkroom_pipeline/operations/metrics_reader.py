"""Read metrics of one stack: its own, those of its functions, and those of its CDN in us-east-1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .cloudwatch import CloudWatchMetrics, MetricStat, Points
from .functions import Function

MINUTE_S = 60


@dataclass(frozen=True)
class MetricsReader:
    """``global_metrics`` are those of us-east-1, with CloudFront's; ``metrics`` those of the stack's region.

    The stack's own metrics are in ``namespace``.
    """

    global_metrics: CloudWatchMetrics
    metrics: CloudWatchMetrics
    namespace: str
    distribution_id: str
    functions: Mapping[str, Function]

    def cdn_points(self, wanted: Mapping[str, str], *, begin_s: float, end_s: float) -> list[Points]:
        """Return CloudFront's metrics by minute; ``wanted`` has the statistic of each."""
        dimensions = {"DistributionId": self.distribution_id, "Region": "Global"}
        figures = [MetricStat("AWS/CloudFront", name, dimensions, stat) for name, stat in wanted.items()]
        return self.global_metrics.get_points(figures, begin_s=begin_s, end_s=end_s, period_s=MINUTE_S)

    def lambda_totals(self, wanted: Sequence[tuple[str, str]], *, begin_s: float, end_s: float) -> list[float]:
        """Return the sum of each of ``wanted``: a function of ours, and a metric of Lambda."""
        figures = [
            MetricStat("AWS/Lambda", metric, {"FunctionName": self.functions[name].lambda_name})
            for name, metric in wanted
        ]
        return self.metrics.get_totals(figures, begin_s=begin_s, end_s=end_s, period_s=MINUTE_S)

    def own_totals(self, wanted: Sequence[tuple[str, str]], *, begin_s: float, end_s: float) -> list[float]:
        """Return the sum of each of ``wanted``: a function of ours, and a metric that it publishes."""
        figures = [MetricStat(self.namespace, metric, {"service": name, "function": name}) for name, metric in wanted]
        return self.metrics.get_totals(figures, begin_s=begin_s, end_s=end_s, period_s=MINUTE_S)

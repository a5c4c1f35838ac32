"""How much of what viewers ask for is answered without a render: by the CDN, and by the store of derivatives.

CloudFront's figures are kept in us-east-1, and an alarm reads no other region than its own: so they are brought here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...aws.cloudwatch import Points
from ...aws.telemetry import Observer
from .metrics_reader import MINUTE_S, MetricsReader

WINDOW_S = 15 * MINUTE_S
"""What is looked at: CloudFront's figures come some minutes late, and one minute of few requests says little."""


@dataclass(frozen=True)
class CdnCheck:
    """Brings CloudFront's figures, and what follows for the store, into the stack's own metrics."""

    metrics: MetricsReader
    observer: Observer

    def run(self, now_s: float) -> Mapping[str, object]:
        """Tell both ratios in percent, each only where something was asked."""
        end_s = now_s // MINUTE_S * MINUTE_S
        begin_s = end_s - WINDOW_S
        requests, rates = self.metrics.cdn_points(
            {"Requests": "Sum", "CacheHitRate": "Average"}, begin_s=begin_s, end_s=end_s
        )
        [renders] = self.metrics.lambda_totals([("transform", "Invocations")], begin_s=begin_s, end_s=end_s)
        return self._publish(count_hits_and_misses(requests, rates), renders)

    def _publish(self, counted: tuple[float, float], renders: float) -> Mapping[str, object]:
        hits, misses = counted
        found: dict[str, object] = {"hits": round(hits), "misses": round(misses), "renders": round(renders)}
        ratios = {"CacheHitRatio": percent(hits, hits + misses), "StoreHitRatio": percent(misses - renders, misses)}
        for name, ratio in ratios.items():
            if ratio is not None:
                self.observer.count(name, ratio, "Percent")
                found[name] = round(ratio, 2)
        return found


def count_hits_and_misses(requests: Points, rates: Points) -> tuple[float, float]:
    """Requests that the CDN had and had not; minutes whose rate (percent) is not known are left out."""
    known = dict(rates)
    pairs = [(count, known[at_s] / 100) for at_s, count in requests if at_s in known]
    hits = sum(count * rate for count, rate in pairs)
    return hits, sum(count for count, _ in pairs) - hits


def percent(part: float, whole: float) -> float | None:
    """``part`` of ``whole`` from 0 to 100, None of nothing. Counts of different sources may not quite fit together."""
    return min(100.0, max(0.0, 100 * part / whole)) if whole >= 1 else None

"""Publish the hit ratios of the CDN and of the derivative store.

CloudFront's metrics are in us-east-1, and alarms read their own region only; the check copies the ratios.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from darkroom.aws.telemetry import Observer

from .cloudwatch import Points
from .metrics_reader import MINUTE_S, MetricsReader

WINDOW_S = 60 * MINUTE_S
"""Window of the ratios: the check runs once an hour."""


@dataclass(frozen=True)
class CdnCheck:
    """Publishes both ratios as metrics of the stack."""

    metrics: MetricsReader
    observer: Observer

    def run(self, now_s: float) -> Mapping[str, object]:
        """Publish both ratios in percent, each only if there were requests."""
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
    """Return the CDN's hits and misses; minutes without a hit rate (percent) are left out."""
    known = dict(rates)
    pairs = [(count, known[at_s] / 100) for at_s, count in requests if at_s in known]
    hits = sum(count * rate for count, rate in pairs)
    return hits, sum(count for count, _ in pairs) - hits


def percent(part: float, whole: float) -> float | None:
    """Return ``part`` of ``whole`` from 0 to 100 (counts of different sources may differ slightly); None of nothing."""
    return min(100.0, max(0.0, 100 * part / whole)) if whole >= 1 else None

"""Panels and dashboards as data, for CloudWatch and the local console."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from .measures import Formula, Measure, Metric, fill_measure, fill_tokens, tokens_of

type Kind = Literal["line", "number", "bars", "table", "traces", "failed", "logs", "samples"]

USER_FACING = ("transform", "ingest", "infer", "upload", "similar")
"""Functions whose latency users notice."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart, number or list.

    ``section`` is its heading. ``target`` is a line across a chart, in its unit. ``window_s`` is the span of a number,
    of bars or of a trend (0: that of the dashboard), ``period_s`` the time between two points of a trend (0: chosen by
    the span). ``query`` is a CloudWatch Logs Insights query for lists.
    """

    id: str
    section: str
    title: str
    kind: Kind
    unit: str
    about: str
    series: tuple[Measure, ...] = ()
    target: float | None = None
    window_s: int = 0
    period_s: int = 0
    query: str = ""

    def for_deployment(self, values: Mapping[str, str]) -> Panel:
        """Return the panel of a deployment: tokens replaced, and series removed that it lacks.

        An input of a formula stays, as a metric without data.
        """
        known = defaultdict(lambda: "none", values)
        kept = [
            fill_measure(measure, known)
            for measure in self.series
            if isinstance(measure, Formula)
            or (isinstance(measure, Metric) and not measure.shown)
            or tokens_of(measure) <= values.keys()
        ]
        return replace(self, series=tuple(kept), query=fill_tokens(self.query, known))


@dataclass(frozen=True, slots=True)
class Dashboard:
    """``name`` is part of URLs and resource names."""

    name: str
    title: str
    panels: tuple[Panel, ...]

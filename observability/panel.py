"""Panels and dashboards: what is shown, whoever draws it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from .measures import Formula, Measure, Metric, fill_measure, fill_tokens, tokens_of

type Kind = Literal["line", "number", "bars", "table", "traces", "failed", "logs"]

USER_FACING = ("transform", "ingest", "infer", "upload", "similar")
"""Functions that somebody waits for."""

LABELLED_TASKS = ("faces", "text", "moderation")
"""Tasks that a golden set has labels for."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart, number or list.

    ``section`` is its place among those that the handbook names. ``target`` is a line across a chart, in its unit.
    ``window_s`` is the span that a number or bars are about, whatever the dashboard shows (0: what it shows). ``query``
    is for lists: CloudWatch Logs Insights over the functions' logs.
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
    query: str = ""

    def for_deployment(self, values: Mapping[str, str]) -> Panel:
        """The panel of a deployment: tokens replaced, and without what the deployment lacks.

        A metric for a formula stays, as one that has no data.
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
    """``name`` is a word for URLs and names of resources. An ``essential`` one exists with ``Alarms=essential`` too."""

    name: str
    title: str
    panels: tuple[Panel, ...]
    essential: bool = False

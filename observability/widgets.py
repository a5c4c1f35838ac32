"""Convert panels to widgets of a CloudWatch dashboard, for Fn::Sub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .measures import Formula, Measure, Metric, Split, fill_measure
from .panel import Dashboard, Panel

COLUMNS, WIDTH, HEIGHT = 24, 12, 6

LOGGING = ("transform", "ingest", "upload", "similar", "purge", "sweep", "library", "scene", "forget", "monitor")
"""Functions with a log group in every deployment."""

BODY_VARIABLES = {
    "InferLogGroup": '!If [HasAnalysis, !Sub "SOURCE \'/aws/lambda/${StackName}-infer\' | ", ""]',
    "RefineLogGroup": '!If [HasRefine, !Sub "SOURCE \'/aws/lambda/${StackName}-refine\' | ", ""]',
    "VariantShown": "!If [HasEndpoint, main, in-process]",
}
"""Variables of a body for resources that not every deployment has."""

_NAMES = {f"{function.capitalize()}Function": f"${{{function.capitalize()}Function}}" for function in LOGGING} | {
    "namespace": "Darkroom/${StackName}",
    "stack": "${StackName}",
    "endpoint": "${EndpointName}",
    "variant": "${VariantShown}",
    "InferFunction": "${InferFunction}",
}
"""Values of the tokens in a body."""

_VIEWS = {"line": "timeSeries", "number": "singleValue", "bars": "bar"}
_LIST_VIEWS = {"table", "traces", "failed", "logs", "samples"}


def body(dashboard: Dashboard) -> list[dict[str, Any]]:
    """Return the widgets, two in a row."""
    return [
        {
            "type": "log" if panel.kind in _LIST_VIEWS else "metric",
            "x": number * WIDTH % COLUMNS,
            "y": number // (COLUMNS // WIDTH) * HEIGHT,
            "width": WIDTH,
            "height": HEIGHT,
            "properties": _logs(panel) if panel.kind in _LIST_VIEWS else _graph(panel),
        }
        for number, panel in enumerate(dashboard.panels)
    ]


def _title(panel: Panel) -> str:
    return panel.title if panel.title == panel.section else f"{panel.section}: {panel.title}"


def _graph(panel: Panel) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "title": _title(panel),
        "region": "${AWS::Region}",
        "view": _VIEWS[panel.kind],
        "period": panel.period_s or panel.window_s or 60,
        "metrics": [_drawn(measure, panel.period_s or panel.window_s or 300) for measure in panel.series],
    }
    if panel.kind == "line":
        properties["yAxis"] = {"left": {"min": 0, "label": panel.unit, "showUnits": False}}
    if panel.window_s:
        properties |= {"start": f"-PT{panel.window_s // 3600}H", "end": "P0D"}
    if panel.target is not None:
        properties["annotations"] = {"horizontal": [{"label": "target", "value": panel.target}]}
    return properties


def _drawn(measure: Measure, period_s: int) -> list[Any]:
    match fill_measure(measure, _NAMES):
        case Formula() as measure:
            options = {"id": measure.id, "label": measure.label, "expression": measure.expression}
            return [options | _visible(measure.shown)]
        case Metric() as measure:
            named = [text for pair in measure.dimensions.items() for text in pair]
            options = {"id": measure.id, "label": measure.label, "stat": measure.stat}
            return [measure.namespace, measure.metric, *named, options | _visible(measure.shown)]
        case Split() as measure:
            label = "${!PROP('Dim." + measure.by + "')}"  # !: not for Fn::Sub
            return [{"id": measure.id, "label": label, "expression": _search(measure, period_s)}]


def _visible(shown: bool) -> dict[str, bool]:
    return {} if shown else {"visible": False}


def _search(measure: Split, period_s: int) -> str:
    schema = ",".join([f'"{measure.namespace}"', *measure.keys])
    terms = [f'MetricName="{measure.metric}"', *(f'{name}="{value}"' for name, value in measure.fixed.items())]
    return f"SEARCH('{{{schema}}} {' '.join(terms)}', '{measure.stat}', {period_s})"


def _logs(panel: Panel) -> dict[str, Any]:
    return {
        "title": _title(panel),
        "region": "${AWS::Region}",
        "view": "table",
        "query": "".join(_sources()) + panel.query,
    }


def _sources() -> Iterator[str]:
    for function in LOGGING:
        yield f"SOURCE '/aws/lambda/${{StackName}}-{function}' | "
    yield "${InferLogGroup}"
    yield "${RefineLogGroup}"

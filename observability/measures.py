"""Series of panels and alarms: metrics, formulas on them, and metrics split by a dimension.

Names contain tokens in braces, such as ``{namespace}`` or ``{TransformFunction}``, which are replaced by CloudFormation
functions in the template and by real names in the local console.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

NAMESPACE = "{namespace}"
"""Our own metrics: ``Darkroom/<stack name>``."""

_TOKEN = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``region`` is "" for that of the stack; one that is not ``shown`` is an input of formulas."""

    id: str
    label: str
    metric: str
    dimensions: Mapping[str, str]
    stat: str = "Sum"
    namespace: str = NAMESPACE
    region: str = ""
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Formula:
    """Metric math on the ids of a panel's metrics; see :mod:`observability.metric_math`."""

    id: str
    label: str
    expression: str
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Split:
    """All metrics of a name with exactly the dimensions ``keys``; ``fixed`` has values of them, ``by`` is the label."""

    id: str
    metric: str
    keys: tuple[str, ...]
    by: str
    fixed: Mapping[str, str] = field(default_factory=dict)
    stat: str = "Sum"
    namespace: str = NAMESPACE


type Measure = Metric | Formula | Split


def own_dimensions(function: str, **dimensions: str) -> dict[str, str]:
    """Return the dimensions of the metrics that ``function`` publishes."""
    return {"service": function, "function": function, **dimensions}


def own_metric(
    name: str, function: str, metric: str, *, label: str = "", stat: str = "Sum", shown: bool = False, **more: str
) -> Metric:
    """Return a metric that ``function`` publishes itself, with the id ``name`` and ``more`` dimensions."""
    return Metric(name, label, metric, own_dimensions(function, **more), stat, shown=shown)


def lambda_metric(
    name: str, logical_id: str, metric: str, *, label: str = "", stat: str = "Sum", shown: bool = False
) -> Metric:
    """Return a metric that Lambda publishes of the function ``logical_id``, with the id ``name``."""
    return Metric(name, label, metric, {"FunctionName": f"{{{logical_id}}}"}, stat, "AWS/Lambda", shown=shown)


def queue_metric(
    name: str, queue: str, metric: str, *, label: str = "", stat: str = "Maximum", shown: bool = False
) -> Metric:
    """Return a metric that SQS publishes of a queue of the stack, with the id ``name``."""
    return Metric(name, label, metric, {"QueueName": f"{{stack}}-{queue}"}, stat, "AWS/SQS", shown=shown)


def monitor_metric(metric: str, stat: str) -> tuple[Metric, ...]:
    """Return a metric that the monitor publishes without further dimensions, as the metrics of an alarm."""
    return (own_metric("value", "monitor", metric, stat=stat),)


def add_up(metrics: Iterable[Metric]) -> str:
    """Return the formula of the sum of metrics, in which one without data is 0."""
    return " + ".join(f"FILL({one.id}, 0)" for one in metrics)


def tokens_of(measure: Measure) -> set[str]:
    """Return the tokens of a measure, without their braces."""
    if isinstance(measure, Formula):
        return set()
    named = measure.dimensions if isinstance(measure, Metric) else measure.fixed
    return set(_TOKEN.findall(" ".join([measure.namespace, *named.values()])))


def fill_tokens(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with its tokens replaced. KeyError for one without a value."""
    return _TOKEN.sub(lambda match: values[match[1]], text)


def fill_measure(measure: Measure, values: Mapping[str, str]) -> Measure:
    """Return ``measure`` with its tokens replaced. KeyError for one without a value."""
    match measure:
        case Formula():
            return measure
        case Metric(dimensions=named):
            namespace = fill_tokens(measure.namespace, values)
            dimensions = {name: fill_tokens(text, values) for name, text in named.items()}
            return replace(measure, namespace=namespace, dimensions=dimensions)
        case Split(fixed=named):
            namespace = fill_tokens(measure.namespace, values)
            return replace(
                measure, namespace=namespace, fixed={n: fill_tokens(text, values) for n, text in named.items()}
            )

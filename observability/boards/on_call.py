"""The on-call dashboard."""

from __future__ import annotations

from darkroom.slo import SLOS, Slo

from ..burn_rate import list_events
from ..measures import Formula, Measure, Metric, Split, lambda_metric, own_dimensions, queue_metric
from ..panel import USER_FACING, Dashboard, Panel

QUEUES = ("ingest-priority", "ingest", "infer-priority", "infer", "purge", "refine")
DEAD_LETTERS = ("ingest-dead-letters", "infer-dead-letters", "purge-dead-letters", "refine-dead-letters")


def _by_start(slo: Slo, label: str) -> tuple[Measure, ...]:
    """Return the share of good events of an objective in percent, for cold starts and for the others apart."""
    events = list_events(slo)
    own = {f"{metric}_{function}" for metric in ("slow", "timed", "faults", "requests") for function in slo.functions}
    cold, warm = f"cold_{slo.name.replace('-', '_')}", f"warm_{slo.name.replace('-', '_')}"
    return (
        *(one for one in events.metrics if one.id in own),
        *events.cold_metrics,
        Formula(cold, f"{label}, cold", f"100 * (1 - ({events.cold_bad}) / ({events.cold_total}))"),
        Formula(
            warm,
            f"{label}, warm",
            f"100 * (1 - ({events.own_bad} - ({events.cold_bad})) / ({events.own_total} - ({events.cold_total})))",
        ),
    )


def _objectives(kind: str) -> tuple[Slo, ...]:
    return tuple(slo for slo in SLOS if slo.kind == kind)


ON_CALL = Dashboard(
    "on-call",
    "On call",
    (
        Panel(
            id="latency",
            section="Latency and rate",
            title="Render latency",
            kind="line",
            unit="ms",
            about="Duration of the transform function for cache misses",
            series=(
                Metric("p95", "p95", "AnswerTime", own_dimensions("transform"), stat="p95"),
                Metric("p99", "p99", "AnswerTime", own_dimensions("transform"), stat="p99"),
            ),
            target=500,
        ),
        Panel(
            id="waiting",
            section="Latency and rate",
            title="Upload latency",
            kind="line",
            unit="s",
            about="95th percentile of the time until uploads are ready, and until they are analysed",
            series=(
                Metric("ready", "ready (p95)", "UploadToReady", own_dimensions("ingest"), stat="p95", shown=False),
                Formula("ready_s", "ready (p95)", "ready / 1000"),
                Metric(
                    "analysed", "analysed (p95)", "UploadToAnalysed", own_dimensions("infer"), stat="p95", shown=False
                ),
                Formula("analysed_s", "analysed (p95)", "analysed / 1000"),
            ),
            target=30,
        ),
        Panel(
            id="client_latency",
            section="Latency and rate",
            title="Upload latency of clients",
            kind="line",
            unit="s",
            about="Time from the start of the preparation until S3 had the file, as web pages report it",
            series=(
                Metric("client", "p50", "ClientUploadLatency", own_dimensions("upload"), stat="p50", shown=False),
                Formula("client_s", "p50", "client / 1000"),
                Metric("slow", "p95", "ClientUploadLatency", own_dimensions("upload"), stat="p95", shown=False),
                Formula("slow_s", "p95", "slow / 1000"),
            ),
        ),
        Panel(
            id="client_rejected",
            section="Latency and rate",
            title="Rejected uploads of clients",
            kind="line",
            unit="%",
            about="Share of the uploads that web pages reported as rejected; the upload function logs the codes",
            series=(
                Metric(
                    "rejected",
                    "rejected",
                    "ClientUploadRejected",
                    own_dimensions("upload"),
                    stat="Average",
                    shown=False,
                ),
                Formula("rejected_percent", "rejected", "rejected * 100"),
            ),
        ),
        Panel(
            id="in-time",
            section="Latency and rate",
            title="In time, cold and warm",
            kind="line",
            unit="%",
            about="Events within the time of their objective, those of a process's first invocation apart. The start "
            "itself is not part of the time",
            series=tuple(measure for slo in _objectives("latency") for measure in _by_start(slo, slo.group)),
            target=95,
        ),
        Panel(
            id="succeeded",
            section="Latency and rate",
            title="Success, cold and warm",
            kind="line",
            unit="%",
            about="Requests and messages without a fault, those of a process's first invocation apart",
            series=tuple(
                measure
                for slo in _objectives("success")
                for measure in _by_start(slo, slo.name.removesuffix("-success"))
            ),
            target=99.9,
        ),
        Panel(
            id="cold-starts",
            section="Latency and rate",
            title="Cold starts",
            kind="line",
            unit="starts",
            about="Requests and messages that waited for the start of a process, by function",
            series=tuple(
                Metric(function, function, "ColdRequests", own_dimensions(function)) for function in USER_FACING
            ),
        ),
        Panel(
            id="cold-time",
            section="Latency and rate",
            title="Time of cold starts",
            kind="line",
            unit="ms",
            about="95th percentile of the time from the start of a process to its first invocation",
            series=tuple(
                Metric(function, function, "ColdStartTime", own_dimensions(function), stat="p95")
                for function in USER_FACING
            ),
        ),
        Panel(
            id="rate",
            section="Latency and rate",
            title="Requests and messages per second",
            kind="line",
            unit="1/s",
            about="Invocations of each function, failures included",
            series=tuple(
                measure
                for function in USER_FACING
                for measure in (
                    Metric(function, function, "Requests", own_dimensions(function), shown=False),
                    Formula(f"{function}_rate", function, f"{function} / PERIOD({function})"),
                )
            ),
        ),
        Panel(
            id="queues",
            section="Queue and workers",
            title="Queue depth",
            kind="line",
            unit="messages",
            about="Visible messages; a queue has a backlog if there are more than its workers process at once",
            series=tuple(
                queue_metric(
                    queue.replace("-", "_"), queue, "ApproximateNumberOfMessagesVisible", label=queue, shown=True
                )
                for queue in (*QUEUES, *DEAD_LETTERS)
            ),
        ),
        Panel(
            id="ages",
            section="Queue and workers",
            title="Age of the oldest message",
            kind="line",
            unit="s",
            about="Age of the oldest message of each queue",
            series=tuple(
                queue_metric(queue.replace("-", "_"), queue, "ApproximateAgeOfOldestMessage", label=queue, shown=True)
                for queue in QUEUES
            ),
            target=300,
        ),
        Panel(
            id="workers",
            section="Queue and workers",
            title="Concurrent invocations",
            kind="line",
            unit="invocations",
            about="Maximum number of concurrent invocations",
            series=tuple(
                lambda_metric(
                    function,
                    f"{function.capitalize()}Function",
                    "ConcurrentExecutions",
                    label=function,
                    stat="Maximum",
                    shown=True,
                )
                for function in ("transform", "ingest", "infer", "purge")
            ),
        ),
        Panel(
            id="gpu",
            section="Queue and workers",
            title="GPU utilisation",
            kind="line",
            unit="%",
            about="60 to 90 % is efficient; above it images wait",
            series=(
                Split(
                    "gpu",
                    "GPUUtilization",
                    ("EndpointName", "VariantName"),
                    by="VariantName",
                    fixed={"EndpointName": "{endpoint}"},
                    stat="Average",
                    namespace="/aws/sagemaker/Endpoints",
                ),
            ),
            target=90,
        ),
        Panel(
            id="errors",
            section="Errors by type",
            title="Errors by code",
            kind="bars",
            unit="errors",
            about="Responses and attempts that ended in a server or client error, by its code",
            series=(Split("errors", "Errors", ("service", "function", "code"), by="code"),),
        ),
        Panel(
            id="failed",
            section="Recent failed samples",
            title="Recent failed samples",
            kind="failed",
            unit="",
            about="Refused uploads, dead letters and failed renders, newest first",
            query="fields @timestamp, function_name, code, message, correlation_id, xray_trace_id "
            '| filter level = "ERROR" or level = "WARNING" | filter ispresent(code) | sort @timestamp desc | limit 50',
        ),
    ),
)

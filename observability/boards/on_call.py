"""The on-call dashboard."""

from __future__ import annotations

from darkroom.slo import SLOS, Slo

from ..burn_rate import list_events
from ..measures import Formula, Measure, Split, lambda_metric, own_metric, queue_metric
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
                own_metric("p95", "transform", "AnswerTime", label="p95", stat="p95", shown=True),
                own_metric("p99", "transform", "AnswerTime", label="p99", stat="p99", shown=True),
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
                own_metric("ready", "ingest", "UploadToReady", label="ready (p95)", stat="p95"),
                Formula("ready_s", "ready (p95)", "ready / 1000"),
                own_metric("analysed", "infer", "UploadToAnalysed", label="analysed (p95)", stat="p95"),
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
                own_metric("client", "upload", "ClientUploadLatency", label="p50", stat="p50"),
                Formula("client_s", "p50", "client / 1000"),
                own_metric("slow", "upload", "ClientUploadLatency", label="p95", stat="p95"),
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
                own_metric("rejected", "upload", "ClientUploadRejected", label="rejected", stat="Average"),
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
                own_metric(function, function, "ColdRequests", label=function, shown=True) for function in USER_FACING
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
                own_metric(function, function, "ColdStartTime", label=function, stat="p95", shown=True)
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
                    own_metric(function, function, "Requests", label=function),
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

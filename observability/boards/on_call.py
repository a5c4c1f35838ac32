"""The on-call dashboard."""

from __future__ import annotations

from ..measures import Formula, Metric, Split, own_dimensions
from ..panel import USER_FACING, Dashboard, Panel

QUEUES = ("ingest", "infer-priority", "infer", "purge", "refine")
DEAD_LETTERS = ("ingest-dead-letters", "infer-dead-letters", "purge-dead-letters", "refine-dead-letters")

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
                Metric(
                    queue.replace("-", "_"),
                    queue,
                    "ApproximateNumberOfMessagesVisible",
                    {"QueueName": f"{{stack}}-{queue}"},
                    stat="Maximum",
                    namespace="AWS/SQS",
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
                Metric(
                    queue.replace("-", "_"),
                    queue,
                    "ApproximateAgeOfOldestMessage",
                    {"QueueName": f"{{stack}}-{queue}"},
                    stat="Maximum",
                    namespace="AWS/SQS",
                )
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
                Metric(
                    function,
                    function,
                    "ConcurrentExecutions",
                    {"FunctionName": f"{{{function.capitalize()}Function}}"},
                    stat="Maximum",
                    namespace="AWS/Lambda",
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
                Metric(
                    "gpu",
                    "GPU",
                    "GPUUtilization",
                    {"EndpointName": "{endpoint}", "VariantName": "main"},
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
    essential=True,
)

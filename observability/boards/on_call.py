"""For who is called: what is wrong, since when, and with what."""

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
            title="Latency of rendering",
            kind="line",
            unit="ms",
            about="The function's own time for what the CDN did not have",
            series=(
                Metric("p95", "p95", "AnswerTime", own_dimensions("transform"), stat="p95"),
                Metric("p99", "p99", "AnswerTime", own_dimensions("transform"), stat="p99"),
            ),
            target=500,
        ),
        Panel(
            id="waiting",
            section="Latency and rate",
            title="How long uploads wait",
            kind="line",
            unit="s",
            about="95 of 100 uploads are ready, and looked at by models, within this time",
            series=(
                Metric("ready", "ready (p95)", "UploadToReady", own_dimensions("ingest"), stat="p95", shown=False),
                Formula("ready_s", "ready (p95)", "ready / 1000"),
                Metric(
                    "analysed", "looked at (p95)", "UploadToAnalysed", own_dimensions("infer"), stat="p95", shown=False
                ),
                Formula("analysed_s", "looked at (p95)", "analysed / 1000"),
            ),
            target=30,
        ),
        Panel(
            id="rate",
            section="Latency and rate",
            title="Requests and messages a second",
            kind="line",
            unit="1/s",
            about="What each function was asked, failures included",
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
            title="Messages that wait",
            kind="line",
            unit="messages",
            about="A queue is behind when more wait than its workers take at once",
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
            about="How long the message that has waited longest has waited",
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
            title="Functions at work",
            kind="line",
            unit="functions",
            about="Invocations that ran at the same time",
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
            title="Utilisation of the GPU",
            kind="line",
            unit="%",
            about="60 to 90 % is what a GPU is paid for; more makes pictures wait",
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
            about="Answers and attempts that ended in an error, ours and those of who asked, by its code",
            series=(Split("errors", "Errors", ("service", "function", "code"), by="code"),),
        ),
        Panel(
            id="failed",
            section="Recent failed samples",
            title="Recent failed samples",
            kind="failed",
            unit="",
            about="Refused uploads, messages that were given up, and renders that failed, the newest first",
            query="fields @timestamp, function_name, code, message, correlation_id, xray_trace_id "
            '| filter level = "ERROR" or level = "WARNING" | filter ispresent(code) | sort @timestamp desc | limit 50',
        ),
    ),
    essential=True,
)

"""The debug dashboard."""

from __future__ import annotations

from darkroom_analysis.mlops.golden_set import EVALUATED_TASKS
from darkroom_analysis.mlops.sample import SAMPLED

from ..measures import Metric, Split, lambda_metric, own_dimensions, own_metric
from ..panel import USER_FACING, Dashboard, Panel

FUNCTIONS = (*USER_FACING, "purge", "sweep", "forget", "monitor")
DRIFTING_INPUTS = ("brightness", "pixels", "format", "embedding")

_CONFIDENCES = ", ".join(f"tasks.{task}.confidence as {task}" for task in EVALUATED_TASKS)


def _drift(name: str, label: str, feature: str) -> Metric:
    return own_metric(name, "monitor", "DriftPsi", label=label, stat="Maximum", shown=True, feature=feature)


DEBUG = Dashboard(
    "debug",
    "Debug",
    (
        Panel(
            id="traces",
            section="Slow traces",
            title="Slowest requests",
            kind="traces",
            unit="ms",
            about="The slowest requests, with their traces",
            query="fields @timestamp, record.metrics.durationMs as ms, record.tracing.value as trace, @log "
            '| filter type = "platform.report" | sort ms desc | limit 25',
        ),
        Panel(
            id="duration",
            section="Resources",
            title="Duration of functions",
            kind="line",
            unit="ms",
            about="95th percentile of the duration of invocations",
            series=tuple(
                lambda_metric(
                    function, f"{function.capitalize()}Function", "Duration", label=function, stat="p95", shown=True
                )
                for function in FUNCTIONS
            ),
        ),
        Panel(
            id="memory",
            section="Resources",
            title="Memory of functions",
            kind="table",
            unit="MB",
            about="Maximum used by an invocation, and the size of the function",
            query='filter type = "platform.report" '
            "| stats max(record.metrics.maxMemoryUsedMB) as used, max(record.metrics.memorySizeMB) as has by @log "
            "| sort used desc",
        ),
        Panel(
            id="concurrency",
            section="Resources",
            title="Concurrency and throttles",
            kind="line",
            unit="invocations",
            about="Concurrent and throttled invocations",
            series=tuple(
                lambda_metric(
                    f"{function}_{word}",
                    f"{function.capitalize()}Function",
                    metric,
                    label=f"{function}{label}",
                    stat=stat,
                    shown=True,
                )
                for function in USER_FACING
                for word, label, metric, stat in (
                    ("running", "", "ConcurrentExecutions", "Maximum"),
                    ("throttled", " throttled", "Throttles", "Sum"),
                )
            ),
        ),
        Panel(
            id="saved",
            section="Resources",
            title="Bytes saved by re-encoding",
            kind="line",
            unit="bytes",
            about="Reduction of derivatives by background re-encoding; each delivery of one saves as much",
            series=(own_metric("saved", "refine", "BytesSaved", label="saved", shown=True),),
        ),
        Panel(
            id="inputs",
            section="Model inputs and outputs",
            title="Input drift",
            kind="line",
            unit="PSI",
            about="Distance of images from the stored baseline; from 0.2 on their distribution differs",
            series=tuple(_drift(feature, feature, feature) for feature in DRIFTING_INPUTS),
            target=0.2,
        ),
        Panel(
            id="outputs",
            section="Model inputs and outputs",
            title="Output drift",
            kind="line",
            unit="PSI",
            about="Distance of the models' confidence in each task from the stored baseline",
            series=tuple(_drift(f"confidence_{task}", task, f"confidence-{task}") for task in EVALUATED_TASKS),
            target=0.2,
        ),
        Panel(
            id="variants",
            section="Model inputs and outputs",
            title="Analysed images by model",
            kind="line",
            unit="images",
            about="Images analysed by each production variant of the endpoint, or within the function",
            series=(
                Split(
                    "variants",
                    "ImagesAnalysed",
                    ("service", "function", "variant"),
                    "variant",
                    own_dimensions("infer"),
                ),
            ),
        ),
        Panel(
            id="samples",
            section="Model inputs and outputs",
            title="Sampled inputs and outputs",
            kind="samples",
            unit="",
            about="Properties of analysed images, and the confidence of each task. The key refers to the image; "
            "neither pixels nor recognised text are logged",
            query=f"fields @timestamp, key, format, pixels, brightness, variant, {_CONFIDENCES} "
            f'| filter message = "{SAMPLED}" | sort @timestamp desc | limit 25',
        ),
        Panel(
            id="logs",
            section="Logs by code",
            title="Log lines by code",
            kind="logs",
            unit="",
            about="Log lines of functions by error code",
            query="filter ispresent(code) | stats count(*) as lines, latest(message) as newest by code, function_name "
            "| sort lines desc",
        ),
    ),
)

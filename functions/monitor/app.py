"""The monitor function: runs scheduled checks and remedies."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from darkroom.environment import MonitorEnvironment
from darkroom.image_keys import master_names
from darkroom.services.live_settings import LiveSettings, SettingsBound
from darkroom.settings import Settings
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.edge_store import connect_edge_store
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.switch_store import SwitchStore
from darkroom_pipeline.experiments.check import ExperimentCheck
from darkroom_pipeline.experiments.rules import Policy
from darkroom_pipeline.experiments.runs import RunStore
from darkroom_pipeline.operations.cdn_check import CdnCheck
from darkroom_pipeline.operations.checks import Monitor, MonitorCheck
from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics
from darkroom_pipeline.operations.cost_check import MONITOR, CostCheck, RunCounter, parse_amounts
from darkroom_pipeline.operations.cost_model import Architecture, load_prices
from darkroom_pipeline.operations.dead_letter_queue import DeadLetterQueue
from darkroom_pipeline.operations.functions import Function, parse_functions, queue_urls
from darkroom_pipeline.operations.messages import parse_request
from darkroom_pipeline.operations.metrics_reader import MetricsReader
from darkroom_pipeline.operations.remedies import LoadShedding, RedriveRemedy, Remedy, RemedyCheck, redrive_targets
from darkroom_pipeline.operations.switch_controller import SwitchController

if TYPE_CHECKING:
    from darkroom_analysis.mlops.endpoint_models import EndpointModels

_env = MonitorEnvironment()
_s3, _sqs, _dynamodb = create_client("s3"), create_client("sqs"), create_client("dynamodb")
_media, _entries = S3Bucket(_s3, _env.media_bucket), DocumentStore(_dynamodb, _env.index_table)
_audit = AuditLog(S3Bucket(_s3, _env.audit_bucket))
_observer, _namespace = PowertoolsObserver("monitor", publishes_times=False), _env.powertools_metrics_namespace
_bus = EventBus(create_client("events"), _env.event_bus, _env.stack_name, _observer.trace_header)
_metrics = CloudWatchMetrics(create_client("cloudwatch"))
_global = CloudWatchMetrics(create_client("cloudwatch", {**_env.variables, "AWS_REGION": "us-east-1"}))
_functions = parse_functions(_env.functions)
_switches = SwitchController(SwitchStore(_media), _audit, _observer)
_redrive_targets = redrive_targets(_functions, queue_urls(_env), lambda url: DeadLetterQueue(_sqs, url))
_distribution, _buckets = _env.distribution_id, (_env.media_bucket, _env.uploads_bucket)
_self = Function(  # by variables that Lambda sets
    MONITOR,
    os.environ.get("AWS_LAMBDA_FUNCTION_NAME", MONITOR),
    int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")),
)
_metrics_reader = MetricsReader(_global, _metrics, _namespace, _distribution, {**_functions, MONITOR: _self})
_polled = [url.rpartition("/")[2] for one in queue_urls(_env).values() for url in (one.queue, one.urgent) if url]
_monthly, _counter = parse_amounts(_env.monthly_amounts), RunCounter(0)


def _open_monitor(settings: Settings) -> Monitor:
    remedies: dict[str, Remedy] = {
        "redrive": RedriveRemedy(_redrive_targets, _metrics, _namespace, _audit, _observer).run,
        "load-shedding": LoadShedding(_metrics, _namespace, float(settings.max_renders_per_minute), _switches).run,
    }
    architecture: Architecture = "arm64" if _env.arch == "arm64" else "x86_64"
    cost = CostCheck(
        _metrics_reader,
        load_prices(),
        architecture,
        _buckets,
        _observer,
        queues=_polled,
        monthly=_monthly,
        presets=len(settings.presets.at_ingest),
        counter=_counter,
    )
    checks: dict[str, MonitorCheck] = {"cdn": CdnCheck(_metrics_reader, _observer)}
    if _env.inference_mode != "off":  # else there is no layer with darkroom_analysis
        checks |= _watch_models(settings)
    if _env.inference_mode == "endpoint":
        models, watched = _watch_endpoint(settings)
        checks |= watched
        cost = replace(
            cost,
            endpoint=_env.endpoint_name,
            instance_type=_env.endpoint_instance_type,
            instance_count=models.instance_count,
        )
        remedies["fallback"] = models.fallback(_metrics, _switches).run
    if settings.experiments:
        checks["experiments"] = ExperimentCheck(
            RunStore(_media),
            connect_edge_store(_env.edge_store_arn),
            _audit,
            _bus,
            _observer,
            settings.experiments,
            Policy(settings.experiment_confidence, settings.experiment_visitors),
            settings.experiment_decisions == "report",
        )
    checks |= {"cost": cost, "remedy": RemedyCheck(remedies, _observer)}
    return Monitor(checks, _audit, _observer)


def _watch_models(settings: Settings) -> dict[str, MonitorCheck]:
    from darkroom_analysis.mlops.drift_check import BaselineReset, DriftCheck
    from darkroom_analysis.mlops.manifests import Manifests
    from darkroom_analysis.mlops.sample_store import SampleStore

    index, names = Index(_dynamodb, _env.index_table), master_names(_env)
    manifests = Manifests(_media, FindingsStore(_media, _entries), index, _env.master_bucket, names)
    baselines = BaselineReset(_media, SampleStore(_dynamodb, _env.index_table), _audit)
    drift = DriftCheck(baselines, manifests, _bus, _observer, settings.baseline_samples)
    return {"drift": drift, "baseline": baselines}


def _watch_endpoint(settings: Settings) -> tuple[EndpointModels, dict[str, MonitorCheck]]:
    from darkroom_analysis.mlops.endpoint_models import open_endpoint_models, rollout_policy
    from darkroom_analysis.mlops.sample_store import SampleStore

    models, samples = open_endpoint_models(_env, settings), SampleStore(_dynamodb, _env.index_table)
    rollout = models.rollout(_entries, _media, samples, _metrics, _audit, _bus, _observer, rollout_policy(settings))
    quality = models.quality(_media, _observer)
    return models, {"rollout": rollout, "quality": quality, "quality-due": replace(quality, only_due=True)}


_monitor = SettingsBound(LiveSettings(_media.read, _observer), _open_monitor)


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Run the scheduled checks, or those that the event names; return their findings."""
    _observer.begin(context)
    _counter.runs += 1
    with _observer.message("monitor", correlation_id=context.aws_request_id):
        return _monitor().handle(parse_request(event))

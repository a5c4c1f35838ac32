"""The monitor function: on a schedule, the stack looks after itself."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import count
from typing import Any

from darkroom.aws.archive import Archive
from darkroom.aws.audit import AuditLog
from darkroom.aws.clients import client
from darkroom.aws.cloudwatch import CloudWatchMetrics
from darkroom.aws.dead_letter_queue import DeadLetterQueue
from darkroom.aws.documents import DocumentStore
from darkroom.aws.eventbridge import EventBus
from darkroom.aws.index import Index
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.samples import Samples
from darkroom.aws.switches import SwitchStore, reader
from darkroom.aws.telemetry.powertools import PowertoolsObserver
from darkroom.services.live_settings import LiveSettings, SettingsBound
from darkroom.services.monitor.cdn import CdnWatch
from darkroom.services.monitor.cost import MONITOR, CostWatch, read_amounts
from darkroom.services.monitor.drift import BaselineWatch, DriftWatch
from darkroom.services.monitor.functions import Function, queues, read_functions
from darkroom.services.monitor.manifests import Manifests
from darkroom.services.monitor.modelling import open_models, policy
from darkroom.services.monitor.remedies import Redrive, Remedy, RemedyWatch, Storm, stations
from darkroom.services.monitor.requests import read_request
from darkroom.services.monitor.service import Monitor, Watch
from darkroom.services.monitor.switching import Hand
from darkroom.services.monitor.told import Told
from darkroom.services.s3_keys import master_names
from darkroom.settings import Settings
from darkroom.watch.cost import Architecture, load

_env = dict(os.environ)
_s3, _sqs, _dynamodb = client("s3"), client("sqs"), client("dynamodb")
_media, _entries = S3Bucket(_s3, _env["MEDIA_BUCKET"]), DocumentStore(_dynamodb, _env["INDEX_TABLE"])
_samples, _audit = Samples(_dynamodb, _env["INDEX_TABLE"]), AuditLog(S3Bucket(_s3, _env["AUDIT_BUCKET"]))
_observer, _namespace = PowertoolsObserver("monitor"), _env["POWERTOOLS_METRICS_NAMESPACE"]
_bus = EventBus(client("events"), _env.get("EVENT_BUS", "default"), _env["STACK_NAME"], _observer.trace_header)
_metrics = CloudWatchMetrics(client("cloudwatch"))
_global = CloudWatchMetrics(client("cloudwatch", {**_env, "AWS_REGION": "us-east-1"}))
_functions = read_functions(_env["FUNCTIONS"])
_hand = Hand(SwitchStore(_media), _audit, _observer)
_baselines = BaselineWatch(_media, _samples, _audit)
_source, _names = _env.get("SOURCE_BUCKET") or _env["MEDIA_BUCKET"], master_names(_env)
_manifests = Manifests(_media, Archive(_media, _entries), Index(_dynamodb, _env["INDEX_TABLE"]), _source, _names)
_stations = stations(_functions, queues(_env), lambda url: DeadLetterQueue(_sqs, url))
_distribution, _buckets = _env["DISTRIBUTION_ID"], (_env["MEDIA_BUCKET"], _env["UPLOADS_BUCKET"])
_self = Function(  # by variables that Lambda sets
    MONITOR,
    os.environ.get("AWS_LAMBDA_FUNCTION_NAME", MONITOR),
    int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")),
)
_told = Told(_global, _metrics, _namespace, _distribution, {**_functions, MONITOR: _self})
_polled = [url.rpartition("/")[2] for one in queues(_env).values() for url in (one.queue, one.urgent) if url]
_monthly, _runs = read_amounts(_env.get("MONTHLY_AMOUNTS", "")), count(1)


def _open_monitor(settings: Settings) -> Monitor:
    remedies: dict[str, Remedy] = {
        "redrive": Redrive(_stations, _metrics, _namespace, _audit, _observer).look,
        "storm": Storm(_metrics, _namespace, float(settings.max_renders_per_minute), _hand).look,
    }
    architecture: Architecture = "arm64" if _env.get("ARCH") == "arm64" else "x86_64"
    cost = CostWatch(
        _told,
        load(),
        architecture,
        _buckets,
        _observer,
        queues=_polled,
        monthly=_monthly,
        presets=len(settings.presets.at_ingest),
        runs=_runs,
    )
    watches: dict[str, Watch] = {"cdn": CdnWatch(_told, _observer)}
    if _env["INFERENCE_MODE"] != "off":
        enough = settings.baseline_samples
        watches |= {"drift": DriftWatch(_baselines, _manifests, _bus, _observer, enough), "baseline": _baselines}
    if _env["INFERENCE_MODE"] == "endpoint":
        models = open_models(_env, settings)
        watches["rollout"] = models.rollout(_entries, _samples, _metrics, _audit, _bus, _observer, policy(settings))
        quality = models.quality(_media, _observer)
        watches |= {"quality": quality, "quality-due": replace(quality, only_due=True)}
        cost = replace(cost, instance_type=_env.get("ENDPOINT_INSTANCE_TYPE", ""), machines=models.machines)
        remedies["fallback"] = models.stand_in(_metrics, _hand).look
    watches |= {"cost": cost, "remedy": RemedyWatch(remedies, _observer)}
    return Monitor(watches, _audit, _observer)


_monitor = SettingsBound(LiveSettings(reader(_media), _observer), _open_monitor)


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Look as scheduled, or at what the event names; what was found by each watch."""
    _observer.begin(context)
    with _observer.message("monitor", correlation_id=context.aws_request_id):
        return _monitor().handle(read_request(event))

"""Checks and remedies of a deployment with an endpoint."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from darkroom.aws.telemetry import Observer
from darkroom.environment import MonitorEnvironment
from darkroom.errors import ModelUnavailable
from darkroom.services.live_settings import build_task_rules
from darkroom.settings import Settings
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sagemaker import Endpoint
from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics
from darkroom_pipeline.operations.remedies import FallbackRemedy
from darkroom_pipeline.operations.switch_controller import SwitchController

from ..inference.endpoint_client import CALL_TIMEOUT_S
from .canary_rollout import CanaryRollout
from .canary_state import CanaryStateStore
from .endpoint_variants import EndpointVariants
from .model_registry import ModelRegistry
from .quality_check import QualityCheck, read_quality_history
from .rollout_policy import Policy
from .sample_store import SampleStore

PROBE_JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBk"
    "eFxlZ2P/wAALCABAAEABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AAAAAAAAAAAAAAAAA"
    "AAAAAP/Z"
)
"""A JPEG of 64 × 64 gray pixels, for probes."""

PROBE_ID = "0" * 32
"""Inference id of probes in SageMaker's log; no image has this id."""


@dataclass(frozen=True)
class EndpointModels:
    """The endpoint of a deployment, with its variants and the model registry."""

    endpoint: Endpoint
    variants: EndpointVariants
    registry: ModelRegistry
    tasks: tuple[str, ...]

    def rollout(
        self,
        entries: DocumentStore,
        media: S3Bucket,
        samples: SampleStore,
        metrics: CloudWatchMetrics,
        audit: AuditLog,
        bus: EventBus,
        observer: Observer,
        policy: Policy,
    ) -> CanaryRollout:
        """Return the check of canaries."""
        cases = CanaryStateStore(entries, self.variants.endpoint)
        quality = partial(read_quality_history, media, observer)
        return CanaryRollout(
            self.variants, cases, samples, metrics, self.registry, audit, bus, observer, policy, quality
        )

    def quality(self, media: S3Bucket, observer: Observer) -> QualityCheck:
        """Return the check on the golden set."""
        return QualityCheck(media, self.endpoint, self.variants, self.tasks, observer)

    def instance_count(self) -> int:
        """Return the number of running instances. Raises Unavailable."""
        return sum(variant.instances for variant in self.variants.read_all().values())

    def fallback(self, metrics: CloudWatchMetrics, hand: SwitchController) -> FallbackRemedy:
        """Return the remedy for a failing endpoint."""
        return FallbackRemedy(
            metrics,
            self.variants.endpoint,
            lambda: sorted(self.variants.read_all()),
            lambda: endpoint_responds(self.endpoint, self.tasks),
            hand,
        )


def open_endpoint_models(environment: MonitorEnvironment, settings: Settings) -> EndpointModels:
    """Return the models of ``environment`` for the tasks of ``settings``, without any request."""
    control, name = create_client("sagemaker", environment.variables), environment.endpoint_name
    runtime = create_client("sagemaker-runtime", environment.variables, read_s=CALL_TIMEOUT_S, attempts=1)
    registry = ModelRegistry(control, environment.model_group)
    return EndpointModels(
        Endpoint(runtime, name), EndpointVariants(control, name), registry, build_task_rules(settings).list_all()
    )


def rollout_policy(settings: Settings) -> Policy:
    """Return the default policy with the minimum images and hours of ``settings``."""
    return replace(
        Policy(),
        promote_after_samples=settings.canary_pictures,
        promote_after_hours=float(settings.canary_hours),
    )


def endpoint_responds(endpoint: Endpoint, tasks: Sequence[str]) -> bool:
    """Whether ``endpoint`` analyses an image in time."""
    try:
        endpoint.invoke(PROBE_JPEG, tasks, PROBE_ID)
    except ModelUnavailable:
        return False
    return True

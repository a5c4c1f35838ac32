"""The watches of a deployment with an endpoint: what is needed of SageMaker, put together once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..aws.audit import AuditLog
from ..aws.clients import create_client
from ..aws.cloudwatch import CloudWatchMetrics
from ..aws.documents import DocumentStore
from ..aws.eventbridge import EventBus
from ..aws.s3 import S3Bucket
from ..aws.sagemaker import Endpoint
from ..aws.telemetry import Observer
from ..environment import MonitorEnvironment
from ..services.inference.endpoint_client import CALL_TIMEOUT_S
from ..services.monitor.remedies import FallbackRemedy
from ..services.monitor.switch_controller import SwitchController
from ..services.service_settings import configured_tasks
from ..settings import Settings
from .canary_rollout import CanaryRollout
from .canary_state import CanaryStateStore
from .endpoint_variants import EndpointVariants
from .model_registry import ModelRegistry
from .probe import endpoint_responds
from .quality_check import QualityCheck
from .rollout_policy import Policy
from .sample_store import SampleStore


@dataclass(frozen=True)
class EndpointModels:
    """The endpoint of a deployment, as ``environment`` names it, with its variants and the registry they come from."""

    endpoint: Endpoint
    variants: EndpointVariants
    registry: ModelRegistry
    tasks: tuple[str, ...]

    def rollout(
        self,
        entries: DocumentStore,
        samples: SampleStore,
        metrics: CloudWatchMetrics,
        audit: AuditLog,
        bus: EventBus,
        observer: Observer,
        policy: Policy,
    ) -> CanaryRollout:
        """The watch over canaries."""
        cases = CanaryStateStore(entries, self.variants.endpoint)
        return CanaryRollout(self.variants, cases, samples, metrics, self.registry, audit, bus, observer, policy)

    def quality(self, media: S3Bucket, observer: Observer) -> QualityCheck:
        """The watch over the golden set."""
        return QualityCheck(media, self.endpoint, self.variants, self.tasks, observer)

    def instance_count(self) -> int:
        """How many run now. Raises Unavailable."""
        return sum(variant.instances for variant in self.variants.read_all().values())

    def fallback(self, metrics: CloudWatchMetrics, hand: SwitchController) -> FallbackRemedy:
        """The remedy for an endpoint that fails."""
        return FallbackRemedy(
            metrics,
            self.variants.endpoint,
            lambda: sorted(self.variants.read_all()),
            lambda: endpoint_responds(self.endpoint, self.tasks),
            hand,
        )


def open_endpoint_models(environment: MonitorEnvironment, settings: Settings) -> EndpointModels:
    """The models that ``environment`` names, asked for the tasks of ``settings``. Sends nothing yet."""
    control, name = create_client("sagemaker", environment.variables), environment.endpoint_name
    runtime = create_client("sagemaker-runtime", environment.variables, read_s=CALL_TIMEOUT_S, attempts=1)
    registry = ModelRegistry(control, environment.model_group)
    return EndpointModels(
        Endpoint(runtime, name), EndpointVariants(control, name), registry, configured_tasks(settings)
    )


def rollout_policy(settings: Settings) -> Policy:
    """What canaries are held to: the defaults, but for how long they are tried."""
    return replace(
        Policy(),
        promote_after_samples=settings.canary_pictures,
        promote_after_hours=float(settings.canary_hours),
    )

"""The watches of a deployment with an endpoint: what is needed of SageMaker, put together once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...aws.audit import AuditLog
from ...aws.clients import client
from ...aws.cloudwatch import CloudWatchMetrics
from ...aws.documents import DocumentStore
from ...aws.eventbridge import EventBus
from ...aws.model import Endpoint
from ...aws.registry import Registry
from ...aws.s3 import S3Bucket
from ...aws.samples import Samples
from ...aws.telemetry.protocol import Observer
from ...aws.variants import Variants
from ...settings import Settings
from ...watch.rollout import Policy
from ..infer.calling import CALL_S
from ..infer.tasks import tasks
from .canary import Cases
from .probe import answers
from .quality import QualityWatch
from .remedies import StandIn
from .rollout import RolloutWatch
from .switching import Hand


@dataclass(frozen=True)
class Models:
    """The endpoint of a deployment, as ``environment`` names it, with its variants and the registry they come from."""

    endpoint: Endpoint
    variants: Variants
    registry: Registry
    tasks: tuple[str, ...]

    def rollout(
        self,
        entries: DocumentStore,
        samples: Samples,
        metrics: CloudWatchMetrics,
        audit: AuditLog,
        bus: EventBus,
        observer: Observer,
        policy: Policy,
    ) -> RolloutWatch:
        """The watch over canaries."""
        cases = Cases(entries, self.variants.endpoint)
        return RolloutWatch(self.variants, cases, samples, metrics, self.registry, audit, bus, observer, policy)

    def quality(self, media: S3Bucket, observer: Observer) -> QualityWatch:
        """The watch over the golden set."""
        return QualityWatch(media, self.endpoint, self.variants, self.tasks, observer)

    def machines(self) -> int:
        """How many run now. Raises Unavailable."""
        return sum(variant.instances for variant in self.variants.now().values())

    def stand_in(self, metrics: CloudWatchMetrics, hand: Hand) -> StandIn:
        """The remedy for an endpoint that fails."""
        return StandIn(
            metrics,
            self.variants.endpoint,
            lambda: sorted(self.variants.now()),
            lambda: answers(self.endpoint, self.tasks),
            hand,
        )


def open_models(environment: Mapping[str, str], settings: Settings) -> Models:
    """The models that ``environment`` names, asked for the tasks of ``settings``. Sends nothing yet."""
    control, name = client("sagemaker", environment), environment["ENDPOINT_NAME"]
    runtime = client("sagemaker-runtime", environment, read_s=CALL_S, attempts=1)
    registry = Registry(control, environment["MODEL_GROUP"])
    return Models(Endpoint(runtime, name), Variants(control, name), registry, tasks(settings))


def policy(settings: Settings) -> Policy:
    """What canaries are held to: the defaults, but for how long they are tried."""
    return replace(
        Policy(),
        promote_after_samples=settings.canary_pictures,
        promote_after_hours=float(settings.canary_hours),
    )

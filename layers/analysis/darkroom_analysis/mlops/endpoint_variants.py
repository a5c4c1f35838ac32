"""Production variants of a SageMaker endpoint: their weights, instances and roles."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from darkroom.aws.telemetry import Observer
from darkroom.errors import Unavailable
from darkroom_pipeline.aws.clients import error_code, translate_errors

IN_SERVICE = "InService"

MAIN, CANARY = "main", "canary"
"""Variants of ``stacks/inference.yaml``. The first is that of an endpoint whose variants cannot be read."""

ROLES_TTL_S = 60.0
"""How long weights are cached: a canary takes minutes to start, and hours to take over."""


@dataclass(frozen=True, slots=True)
class Variant:
    """``weight`` is relative to the others; ``instances`` run now; ``image`` is as specified, with tag or digest."""

    weight: float
    instances: int
    image: str


class EndpointVariants:
    """The variants of ``endpoint``. Raises Unavailable for any failure."""

    def __init__(self, client: Any, endpoint: str) -> None:
        self._client = client
        self.endpoint = endpoint

    def read_all(self) -> dict[str, Variant]:
        """Return the variants by name, including those of an update in progress."""
        with translate_errors(f"endpoint {self.endpoint}"):
            answer = self._client.describe_endpoint(EndpointName=self.endpoint)
            pending = answer.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
            return {one["VariantName"]: _parse_variant(one) for one in [*answer["ProductionVariants"], *pending]}

    def is_updatable(self) -> bool:
        """Whether the endpoint accepts an update: SageMaker refuses one while another is in progress."""
        with translate_errors(f"endpoint {self.endpoint}"):
            answer = self._client.describe_endpoint(EndpointName=self.endpoint)
            return bool(answer["EndpointStatus"] == IN_SERVICE)

    def set_weights(self, weights: Mapping[str, float], instances: Mapping[str, int] | None = None) -> None:
        """Set the weights of variants, and the instances of some; others stay.

        Raises Unavailable also while another update is in progress.
        """
        machines = instances or {}
        wanted = [
            {"VariantName": name, "DesiredWeight": weight}
            | ({"DesiredInstanceCount": machines[name]} if name in machines else {})
            for name, weight in weights.items()
        ]
        with translate_errors(f"weigh the variants of {self.endpoint}"):
            try:
                self._client.update_endpoint_weights_and_capacities(
                    EndpointName=self.endpoint, DesiredWeightsAndCapacities=wanted
                )
            except ClientError as error:
                if error_code(error) == "ValidationException":
                    raise Unavailable(detail=f"{self.endpoint} accepts no update: {error!r}") from error
                raise


def _parse_variant(one: Mapping[str, Any]) -> Variant:
    images = one.get("DeployedImages", [])
    asked = next((str(image.get("SpecifiedImage", "")) for image in images), "")
    weight = one.get("DesiredWeight", one.get("CurrentWeight", 0.0))
    return Variant(float(weight), int(one.get("CurrentInstanceCount", 0)), asked)


class VariantRoles(NamedTuple):
    """The variant with the highest weight, and the next one that takes calls, "" without one."""

    incumbent: str
    canary: str = ""


@dataclass
class VariantRolesCache:
    """Roles of the variants, cached. ``variants`` is called at first use.

    A variant that responds and was not known to take calls is new: the roles are read again, once for each.
    """

    variants: Callable[[], EndpointVariants]
    observer: Observer
    monotonic: Callable[[], float] = time.monotonic
    _known: VariantRoles = VariantRoles(MAIN)
    _read_at_s: float | None = None
    _unknown: set[str] = field(default_factory=set)

    def current(self, responded: str = "") -> VariantRoles:
        """Return the roles, the last known ones if they cannot be read; ``responded`` is the variant of a response."""
        now_s = self.monotonic()
        is_new = bool(responded) and responded not in {*self._known, *self._unknown}
        if is_new or self._read_at_s is None or now_s - self._read_at_s >= ROLES_TTL_S:
            self._unknown = {*self._unknown, responded} if is_new else set()
            self._read_at_s = now_s
            try:
                self._known = assign_roles({name: one.weight for name, one in self.variants().read_all().items()})
            except Unavailable as error:
                self.observer.log("WARNING", "endpoint variants unavailable", detail=error.detail)
        return self._known


def assign_roles(weights: Mapping[str, float]) -> VariantRoles:
    """Return the roles by ``weights``; of equal weights MAIN comes first, then the first by name."""
    names = sorted(weights, key=lambda name: (-weights[name], name != MAIN, name))
    weighted = [name for name in names if weights[name] > 0]
    return VariantRoles(*weighted[:2]) if weighted else VariantRoles(names[0] if names else MAIN)

"""Production variants of a SageMaker endpoint: which share of the calls each takes, and on how many machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ..aws.clients import error_code, translate_errors
from ..errors import Unavailable

IN_SERVICE = "InService"


@dataclass(frozen=True, slots=True)
class Variant:
    """``weight`` is relative to those of the others; ``instances`` are machines that run now. ``image`` is what was
    asked for, with its tag or digest."""

    weight: float
    instances: int
    image: str


class EndpointVariants:
    """The variants of ``endpoint``. Every fault is Unavailable."""

    def __init__(self, client: Any, endpoint: str) -> None:
        self._client = client
        self.endpoint = endpoint

    def read_all(self) -> dict[str, Variant]:
        """Each by its name, as they are, or as an update that is under way will leave them."""
        with translate_errors(f"endpoint {self.endpoint}"):
            answer = self._client.describe_endpoint(EndpointName=self.endpoint)
            pending = answer.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
            return {one["VariantName"]: _parse_variant(one) for one in [*answer["ProductionVariants"], *pending]}

    def is_updatable(self) -> bool:
        """Whether the endpoint takes an update now: SageMaker refuses one while another is under way."""
        with translate_errors(f"endpoint {self.endpoint}"):
            answer = self._client.describe_endpoint(EndpointName=self.endpoint)
            return bool(answer["EndpointStatus"] == IN_SERVICE)

    def set_weights(self, weights: Mapping[str, float], instances: Mapping[str, int] | None = None) -> None:
        """Give variants new weights, and some of them another number of machines. Others keep theirs.

        Raises Unavailable also while another update is under way.
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
                    raise Unavailable(detail=f"{self.endpoint} takes no update: {error!r}") from error
                raise


def _parse_variant(one: Mapping[str, Any]) -> Variant:
    images = one.get("DeployedImages", [])
    asked = next((str(image.get("SpecifiedImage", "")) for image in images), "")
    weight = one.get("DesiredWeight", one.get("CurrentWeight", 0.0))
    return Variant(float(weight), int(one.get("CurrentInstanceCount", 0)), asked)

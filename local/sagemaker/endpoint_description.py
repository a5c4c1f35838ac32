"""What an endpoint consists of: told as SageMaker tells it, its weights and instances changed as there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .document_store import DocumentStore
from .packages import ARN
from .service_errors import RequestError, invalid
from .variants import Endpoints, Variant

IN_SERVICE, UPDATING = "InService", "Updating"

UPDATES_WITHIN_S = 0.5
"""How long an endpoint is ``Updating`` here. On AWS it is minutes: a caller must not count on either."""

type Later = Callable[[float, Callable[[], None]], object]
"""Has something done after a time in seconds."""


class EndpointDescription:
    """Each of :meth:`describe` and :meth:`update` is an API action: a request's document in, an answer's out.

    What was changed outlives the stack, as long as the template declares the same variants with the same weights.
    """

    def __init__(
        self, endpoints: Endpoints, documents: DocumentStore, later: Later, clock: Callable[[], float] = time.time
    ) -> None:
        self._endpoints = endpoints
        self._documents = documents
        self._later = later
        self._clock = clock
        self._wanted: dict[str, tuple[Variant, ...]] = {}

    def declare(self, endpoint: str, variants: Sequence[Variant]) -> None:
        """Have ``endpoint`` consist of ``variants``, with what has been set of them since they were declared."""
        declared = {variant.name: variant.weight for variant in variants}
        known = self._documents.read(_file(endpoint))
        if known is None or known["declared"] != declared:
            known = {"declared": declared, "made_s": self._clock(), "changed_s": self._clock(), "set": {}}
            self._documents.write(_file(endpoint), known)
        changed = [replace(variant, **known["set"].get(variant.name, {})) for variant in variants]
        # A variant that all calls went to may have been one of the last stack's own: nobody would answer now.
        self._endpoints.put(endpoint, changed if any(variant.weight > 0 for variant in changed) else variants)

    def describe(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """``DescribeEndpoint``."""
        name = str(asked["EndpointName"])
        variants = self._variants(name)
        wanted = {variant.name: variant for variant in self._wanted.get(name, ())}
        known = self._documents.read(_file(name)) or {"made_s": 0.0, "changed_s": 0.0}
        return {
            "EndpointName": name,
            "EndpointArn": _arn(name),
            "EndpointConfigName": name,
            "EndpointStatus": UPDATING if name in self._wanted else IN_SERVICE,
            "CreationTime": known["made_s"],
            "LastModifiedTime": known["changed_s"],
            "ProductionVariants": [_summary(one, wanted.get(one.name, one), known["made_s"]) for one in variants],
        }

    def update(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """``UpdateEndpointWeightsAndCapacities``: variants that are not named keep what they have."""
        name = str(asked["EndpointName"])
        variants = {variant.name: variant for variant in self._variants(name)}
        if name in self._wanted:
            raise RequestError(invalid(f'Cannot update in-progress endpoint "{_arn(name)}".'))
        for one in asked["DesiredWeightsAndCapacities"]:
            variant = one["VariantName"]
            if variant not in variants:
                raise RequestError(invalid(f'Could not find variant "{variant}" in endpoint "{_arn(name)}".'))
            variants[variant] = _changed(variants[variant], one)
        if not any(variant.weight > 0 for variant in variants.values()):
            raise RequestError(invalid("At least one variant of an endpoint must have a weight above 0."))
        self._wanted[name] = tuple(variants.values())
        self._later(UPDATES_WITHIN_S, lambda: self._finish(name))
        return {"EndpointArn": _arn(name)}

    def _finish(self, name: str) -> None:
        """Apply what is wanted to the variants that there are by now."""
        wanted = {variant.name: variant for variant in self._wanted.pop(name)}
        there = [
            replace(one, weight=wanted[one.name].weight, instances=wanted[one.name].instances)
            if one.name in wanted
            else one
            for one in self._endpoints.variants(name)
        ]
        self._endpoints.put(name, there)
        known = self._documents.read(_file(name)) or {"declared": {}, "made_s": self._clock()}
        changed = {one.name: {"weight": one.weight, "instances": one.instances} for one in there}
        self._documents.write(_file(name), {**known, "changed_s": self._clock(), "set": changed})

    def _variants(self, endpoint: str) -> tuple[Variant, ...]:
        try:
            return self._endpoints.variants(endpoint)
        except RequestError:
            raise RequestError(invalid(f'Could not find endpoint "{_arn(endpoint)}".')) from None


def _changed(variant: Variant, asked: Mapping[str, Any]) -> Variant:
    weight = float(asked.get("DesiredWeight", variant.weight))
    instances = int(asked.get("DesiredInstanceCount", variant.instances))
    if weight < 0 or instances < 1:
        raise RequestError(invalid("A weight is 0 or more, a number of instances 1 or more."))
    return replace(variant, weight=weight, instances=instances)


def _summary(variant: Variant, wanted: Variant, made_s: float) -> dict[str, Any]:
    image = {"SpecifiedImage": variant.image, "ResolvedImage": variant.image, "ResolutionTime": made_s}
    return {
        "VariantName": variant.name,
        "DeployedImages": [image],
        "CurrentWeight": variant.weight,
        "DesiredWeight": wanted.weight,
        "CurrentInstanceCount": variant.instances,
        "DesiredInstanceCount": wanted.instances,
    }


def _arn(endpoint: str) -> str:
    return f"{ARN}:endpoint/{endpoint}"


def _file(endpoint: str) -> str:
    return f"endpoints/{endpoint}"

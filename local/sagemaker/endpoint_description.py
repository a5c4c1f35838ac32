"""DescribeEndpoint and UpdateEndpointWeightsAndCapacities of the local endpoints."""

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
"""How long an endpoint is ``Updating`` here. On AWS it takes minutes: a caller must not rely on either."""

type Later = Callable[[float, Callable[[], None]], object]
"""Schedules a call after a time in seconds."""


class EndpointDescription:
    """:meth:`describe` and :meth:`update` are API actions: request document in, response document out.

    Changes outlive the stack as long as the template declares the same variants with the same weights.
    """

    def __init__(
        self, endpoints: Endpoints, documents: DocumentStore, later: Later, clock: Callable[[], float] = time.time
    ) -> None:
        self._endpoints = endpoints
        self._documents = documents
        self._later = later
        self._clock = clock
        self._desired: dict[str, tuple[Variant, ...]] = {}

    def declare(self, endpoint: str, variants: Sequence[Variant]) -> None:
        """Set the variants of ``endpoint``, with changes that were made since the same declaration."""
        declared = {variant.name: variant.weight for variant in variants}
        known = self._documents.read(_file(endpoint))
        if known is None or known["declared"] != declared:
            known = {"declared": declared, "made_s": self._clock(), "changed_s": self._clock(), "set": {}}
            self._documents.write(_file(endpoint), known)
        changed = [replace(variant, **known["set"].get(variant.name, {})) for variant in variants]
        # A variant with all of the weight may have belonged to the previous stack; now no variant would answer.
        self._endpoints.put(endpoint, changed if any(variant.weight > 0 for variant in changed) else variants)

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``DescribeEndpoint``."""
        name = str(request["EndpointName"])
        variants = self._variants(name)
        desired = {variant.name: variant for variant in self._desired.get(name, ())}
        known = self._documents.read(_file(name)) or {"made_s": 0.0, "changed_s": 0.0}
        return {
            "EndpointName": name,
            "EndpointArn": _arn(name),
            "EndpointConfigName": name,
            "EndpointStatus": UPDATING if name in self._desired else IN_SERVICE,
            "CreationTime": known["made_s"],
            "LastModifiedTime": known["changed_s"],
            "ProductionVariants": [_summary(one, desired.get(one.name, one), known["made_s"]) for one in variants],
        }

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``UpdateEndpointWeightsAndCapacities``: variants that are not named do not change."""
        name = str(request["EndpointName"])
        variants = {variant.name: variant for variant in self._variants(name)}
        if name in self._desired:
            raise RequestError(invalid(f'Cannot update in-progress endpoint "{_arn(name)}".'))
        for one in request["DesiredWeightsAndCapacities"]:
            variant = one["VariantName"]
            if variant not in variants:
                raise RequestError(invalid(f'Could not find variant "{variant}" in endpoint "{_arn(name)}".'))
            variants[variant] = _changed(variants[variant], one)
        if not any(variant.weight > 0 for variant in variants.values()):
            raise RequestError(invalid("At least one variant of an endpoint must have a weight above 0."))
        self._desired[name] = tuple(variants.values())
        self._later(UPDATES_WITHIN_S, lambda: self._finish(name))
        return {"EndpointArn": _arn(name)}

    def _finish(self, name: str) -> None:
        """Apply the desired values to the current variants."""
        desired = {variant.name: variant for variant in self._desired.pop(name)}
        there = [
            replace(one, weight=desired[one.name].weight, instances=desired[one.name].instances)
            if one.name in desired
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


def _changed(variant: Variant, request: Mapping[str, Any]) -> Variant:
    weight = float(request.get("DesiredWeight", variant.weight))
    instances = int(request.get("DesiredInstanceCount", variant.instances))
    if weight < 0 or instances < 1:
        raise RequestError(invalid("A weight must be at least 0, an instance count at least 1."))
    return replace(variant, weight=weight, instances=instances)


def _summary(variant: Variant, desired: Variant, made_s: float) -> dict[str, Any]:
    image = {"SpecifiedImage": variant.image, "ResolvedImage": variant.image, "ResolutionTime": made_s}
    return {
        "VariantName": variant.name,
        "DeployedImages": [image],
        "CurrentWeight": variant.weight,
        "DesiredWeight": desired.weight,
        "CurrentInstanceCount": variant.instances,
        "DesiredInstanceCount": desired.instances,
    }


def _arn(endpoint: str) -> str:
    return f"{ARN}:endpoint/{endpoint}"


def _file(endpoint: str) -> str:
    return f"endpoints/{endpoint}"

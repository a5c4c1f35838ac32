"""The production variants that a template declares, whether or not it makes the endpoint that they are of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

CONFIGURATION = "AWS::SageMaker::EndpointConfig"


def declared_weights(template: Mapping[str, Any], resolve: Callable[[Any], Any]) -> dict[str, float]:
    """Weights by the variants' names. ``resolve`` fills in parameters and conditions."""
    return {
        str(variant["VariantName"]): float(variant["InitialVariantWeight"])
        for resource in template["Resources"].values()
        if resource["Type"] == CONFIGURATION
        for variant in resolve(_weights_only(resource["Properties"]["ProductionVariants"]))
    }


def _weights_only(node: Any) -> Any:
    """``node`` without what says which model and machine a variant has: that does not exist here."""
    match node:
        case list():
            return [_weights_only(item) for item in node]
        case {"Fn::If": [condition, yes, no]}:
            return {"Fn::If": [condition, _weights_only(yes), _weights_only(no)]}
        case {"VariantName": name, "InitialVariantWeight": weight}:
            return {"VariantName": name, "InitialVariantWeight": weight}
    return node

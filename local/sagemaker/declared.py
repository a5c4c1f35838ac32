"""What a template declares of SageMaker's, whether or not its conditions hold: it does not exist on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

CONFIGURATION = "AWS::SageMaker::EndpointConfig"
GROUP = "AWS::SageMaker::ModelPackageGroup"


def declared_weights(template: Mapping[str, Any], resolve: Callable[[Any], Any]) -> dict[str, float]:
    """Weights by the variants' names. ``resolve`` fills in parameters and conditions."""
    return {
        str(variant["VariantName"]): float(variant["InitialVariantWeight"])
        for resource in template["Resources"].values()
        if resource["Type"] == CONFIGURATION
        for variant in resolve(_weights_only(resource["Properties"]["ProductionVariants"]))
    }


def declared_groups(template: Mapping[str, Any], resolve: Callable[[Any], Any]) -> list[str]:
    """Names of the groups of model packages, which are the registry's."""
    return [
        str(resolve(resource["Properties"]["ModelPackageGroupName"]))
        for resource in template["Resources"].values()
        if resource["Type"] == GROUP
    ]


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

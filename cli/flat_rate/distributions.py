"""Read from planned resources what CloudFront distributions use, as far as flat-rate plans depend on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .plans import load_flat_rate_plans

DISTRIBUTION = "AWS::CloudFront::Distribution"

type Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution of a deployment. Resources are named by logical id, or by ARN if they are not the template's.

    ``behaviours`` counts the default one. ``features`` are those of ``plans.toml`` in use, each with what uses it.
    ``unsupported`` are features that no plan has. ``functions`` and ``stores`` are those of all behaviours.
    """

    name: str
    behaviours: int
    features: Mapping[str, str]
    unsupported: tuple[str, ...]
    functions: frozenset[str]
    stores: frozenset[str]
    web_acl: str
    web_acl_rules: int


class Resource(Protocol):
    """A resource of a template for given parameters. References are logical ids in angle brackets."""

    @property
    def logical_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def properties(self) -> Mapping[str, Any]: ...


def list_distributions(resources: Iterable[Resource]) -> list[Distribution]:
    """Return the distributions among the resources of a deployment."""
    known = {one.logical_id: one for one in resources}
    return [
        _read(name, one.properties["DistributionConfig"], known)
        for name, one in known.items()
        if one.kind == DISTRIBUTION
    ]


def _read(name: str, config: Node, resources: Mapping[str, Resource]) -> Distribution:
    behaviours = [config["DefaultCacheBehavior"], *config.get("CacheBehaviors", [])]
    functions = frozenset(
        _referred(one["FunctionARN"]) for behaviour in behaviours for one in behaviour.get("FunctionAssociations", [])
    )
    stores = frozenset(store for function in functions for store in _stores(resources.get(function)))
    acl = _referred(config.get("WebACLId", ""))
    return Distribution(
        name,
        len(behaviours),
        dict(_features(config, behaviours, stores)),
        tuple(_unsupported(config, behaviours)),
        functions,
        stores,
        acl,
        len(resources[acl].properties.get("Rules", [])) if acl in resources else 0,
    )


def _referred(value: object) -> str:
    """Return the logical id in a reference to a resource, or the value itself."""
    found = re.match(r"<(\w+)", str(value))
    return found[1] if found else str(value)


def _stores(function: Resource | None) -> Iterator[str]:
    config = function.properties.get("FunctionConfig", {}) if function else {}
    return (_referred(one["KeyValueStoreARN"]) for one in config.get("KeyValueStoreAssociations", []))


def _features(config: Node, behaviours: Sequence[Node], stores: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield features of plans.toml with what uses them."""
    managed = load_flat_rate_plans().managed_policies
    policies = {
        "cache_policy": ("CachePolicyId", managed["cache"]),
        "origin_request_policy": ("OriginRequestPolicyId", managed["origin_request"]),
        "response_headers_policy": ("ResponseHeadersPolicyId", managed["response_headers"]),
    }
    for feature, (field, known) in policies.items():
        own = {_referred(one[field]) for one in behaviours if field in one} - set(known)
        if own:
            yield feature, ", ".join(sorted(own))
    if groups := [str(group["Id"]) for group in config.get("OriginGroups", {}).get("Items", [])]:
        yield "origin_failover", ", ".join(groups)
    origins = config.get("Origins", [])
    if shielded := [str(one["Id"]) for one in origins if one.get("OriginShield", {}).get("Enabled")]:
        yield "origin_shield", ", ".join(shielded)
    if private := [str(one["Id"]) for one in origins if "VpcOriginConfig" in one]:
        yield "vpc_origin", ", ".join(private)
    if "Logging" in config:
        yield "access_logs", _referred(config["Logging"]["Bucket"])
    if stores:
        yield "edge_store", ", ".join(sorted(stores))


def _unsupported(config: Node, behaviours: Sequence[Node]) -> Iterator[str]:
    """Yield what AWS lists as unsupported for distributions with a plan, legacy features among them."""
    for behaviour in behaviours:
        path = behaviour.get("PathPattern", "the default behaviour")
        if "CachePolicyId" not in behaviour:
            yield f"legacy cache settings of {path}"
        for field in ("FieldLevelEncryptionId", "RealtimeLogConfigArn"):
            if behaviour.get(field):
                yield f"{field} of {path}"
    for origin in config.get("Origins", []):
        if origin.get("S3OriginConfig", {}).get("OriginAccessIdentity"):
            yield f"the origin access identity of {origin['Id']}"
    certificate = config.get("ViewerCertificate", {})
    if certificate.get("IamCertificateId"):
        yield "a server certificate of IAM"
    if certificate.get("SslSupportMethod") in ("vip", "static-ip"):
        yield "dedicated IP addresses"
    for field in ("ContinuousDeploymentPolicyId", "Staging", "AnycastIpListId", "TenantConfig"):
        if config.get(field):
            yield field

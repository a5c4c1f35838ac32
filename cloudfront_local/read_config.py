"""Read the deployed distribution through the CloudFront API."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from . import policies
from .model import Behaviour, Distribution, ErrorPage, ResponseHeadersPolicy, Selections
from .policies import Document, items

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class NotBuiltLocally(ValueError):
    """The distribution uses a feature of CloudFront that the local CDN does not implement. The message names it."""


def distribution_tag(client: CloudFrontClient, distribution_id: str) -> str:
    """Return a value that changes with each deployment of the distribution or of a function that it uses."""
    answer = client.get_distribution_config(Id=distribution_id)
    documents: list[Document] = [answer["DistributionConfig"]["DefaultCacheBehavior"]]
    documents += items(answer["DistributionConfig"], "CacheBehaviors")
    functions = sorted({name for document in documents for name in _functions(document).values()})
    return answer["ETag"] + "".join(client.describe_function(Name=name, Stage="LIVE")["ETag"] for name in functions)


def function_source(client: CloudFrontClient, name: str) -> str:
    """Return the published JavaScript of a CloudFront Function."""
    return client.get_function(Name=name, Stage="LIVE")["FunctionCode"].read().decode()


def function_store(client: CloudFrontClient, name: str) -> str:
    """Return the ARN of the key-value store of a CloudFront Function, empty if there is none."""
    config: Document = client.describe_function(Name=name, Stage="LIVE")["FunctionSummary"]["FunctionConfig"]
    return next((str(item["KeyValueStoreARN"]) for item in items(config, "KeyValueStoreAssociations")), "")


def read_distribution(client: CloudFrontClient, distribution_id: str) -> Distribution:
    """Read the distribution with all its policies; raises NotBuiltLocally for features that are not implemented."""
    found = client.get_distribution(Id=distribution_id)["Distribution"]
    config: Document = found["DistributionConfig"]
    reader = _Reader(client)
    behaviours = [reader.behaviour(item, item["PathPattern"]) for item in items(config, "CacheBehaviors")]
    behaviours.append(reader.behaviour(config["DefaultCacheBehavior"], "*"))
    error_documents = items(config, "CustomErrorResponses")
    return Distribution(
        id=distribution_id,
        domain=found["DomainName"],
        behaviours=tuple(behaviours),
        origins={item["Id"]: policies.origin(item, reader.signed_as(item)) for item in items(config, "Origins")},
        groups={item["Id"]: policies.origin_group(item) for item in items(config, "OriginGroups")},
        error_ttl_s={
            int(document["ErrorCode"]): int(document["ErrorCachingMinTTL"])
            for document in error_documents
            if document.get("ErrorCachingMinTTL") is not None
        },
        error_pages={
            int(document["ErrorCode"]): ErrorPage(document["ResponsePagePath"], int(document["ResponseCode"]))
            for document in error_documents
            if document.get("ResponsePagePath")
        },
        root_object=config.get("DefaultRootObject", ""),
        aliases=frozenset(str(name).lower() for name in items(config, "Aliases")),
        log_bucket=policies.log_bucket(config.get("Logging") or {}),
        log_prefix=(config.get("Logging") or {}).get("Prefix", ""),
    )


def _functions(document: Document) -> dict[str, str]:
    """Return names of a behaviour's CloudFront Functions by event type; raises NotBuiltLocally for Lambda@Edge."""
    if items(document, "LambdaFunctionAssociations"):
        raise NotBuiltLocally("The local CDN does not implement Lambda@Edge")
    associations = items(document, "FunctionAssociations")
    return {item["EventType"]: str(item["FunctionARN"]).rsplit("/", 1)[-1] for item in associations}


class _Reader:
    """Policies by id, each read once."""

    def __init__(self, client: CloudFrontClient) -> None:
        self._client = client
        self._cache_policy = cache(self._read_cache_policy)
        self._forward = cache(self._read_origin_request_policy)
        self._respond = cache(self._read_response_headers_policy)

    def behaviour(self, document: Document, pattern: str) -> Behaviour:
        if "CachePolicyId" not in document:
            raise NotBuiltLocally(f"The behaviour {pattern} has no cache policy (ForwardedValues are not implemented)")
        methods = document.get("AllowedMethods") or {"Items": ["GET", "HEAD"]}
        cached = (methods.get("CachedMethods") or {}).get("Items") or ["GET", "HEAD"]
        forward, respond = document.get("OriginRequestPolicyId"), document.get("ResponseHeadersPolicyId")
        functions = _functions(document)
        return Behaviour(
            pattern=pattern,
            target=document["TargetOriginId"],
            methods=frozenset(methods["Items"]),
            cached_methods=frozenset(cached),
            cache=self._cache_policy(document["CachePolicyId"]),
            forward=self._forward(forward) if forward else Selections(),
            respond=self._respond(respond) if respond else ResponseHeadersPolicy(),
            request_function=functions.get("viewer-request", ""),
            response_function=functions.get("viewer-response", ""),
        )

    def signed_as(self, document: Document) -> str:
        """Return the origin type for which an origin's access control signs, or empty."""
        control_id = document.get("OriginAccessControlId")
        if not control_id:
            return ""
        found = self._client.get_origin_access_control_config(Id=control_id)
        config = found["OriginAccessControlConfig"]
        return "" if config["SigningBehavior"] == "never" else str(config["OriginAccessControlOriginType"])

    def _read_cache_policy(self, policy_id: str) -> Any:
        return policies.cache_policy(self._client.get_cache_policy(Id=policy_id)["CachePolicy"]["CachePolicyConfig"])

    def _read_origin_request_policy(self, policy_id: str) -> Any:
        found = self._client.get_origin_request_policy(Id=policy_id)["OriginRequestPolicy"]
        return policies.selections(found["OriginRequestPolicyConfig"])

    def _read_response_headers_policy(self, policy_id: str) -> Any:
        found = self._client.get_response_headers_policy(Id=policy_id)["ResponseHeadersPolicy"]
        return policies.response_headers_policy(found["ResponseHeadersPolicyConfig"])

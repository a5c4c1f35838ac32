"""Read an account's resources and quotas through AWS's APIs, without changes.

A fact that cannot be read is `Unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from .regions import WEB_ACL_REGION

IAM_ACTIONS = (
    "acm:DescribeCertificate",
    "cloudformation:DescribeStacks",
    "cloudfront:ListCachePolicies",
    "cloudfront:ListDistributions",
    "cloudfront:ListFunctions",
    "cloudfront:ListKeyValueStores",
    "cloudfront:ListOriginAccessControls",
    "cloudfront:ListOriginRequestPolicies",
    "cloudfront:ListResponseHeadersPolicies",
    "iam:GetRole",
    "iam:SimulatePrincipalPolicy",
    "kms:DescribeKey",
    "lambda:GetAccountSettings",
    "lambda:GetFunctionConcurrency",
    "s3vectors:ListVectorBuckets",
    "servicequotas:ListServiceQuotas",
    "ssm:GetParametersByPath",
    "sts:GetCallerIdentity",
)
"""The API calls of a preflight."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be read, and the reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class ExistingStack:
    """A CloudFormation stack. ``status`` is empty if it does not exist."""

    status: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Concurrency:
    """Concurrent executions of Lambda in a region: the quota, the unreserved ones, and those of this stack."""

    quota: int
    unreserved: int
    own: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """An ACM certificate: its state (``ISSUED`` is usable) and its names."""

    status: str
    names: tuple[str, ...]


class Reader:
    """Reads facts of an account in ``region``; for global services in us-east-1."""

    def __init__(self, session: boto3.Session, region: str, endpoint_url: str | None = None) -> None:
        self._session = session
        self._region = region
        self._endpoint_url = endpoint_url
        self._config = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})
        self._clients: dict[tuple[str, str], Any] = {}

    def read_identity(self) -> str | Unknown:
        """Return the ARN of the credentials."""
        return self._ask(lambda: str(self._client("sts").get_caller_identity()["Arn"]))

    def read_stack(self, name: str) -> ExistingStack | Unknown:
        """Return a stack."""

        def describe() -> ExistingStack:
            try:
                [found] = self._client("cloudformation").describe_stacks(StackName=name)["Stacks"]
            except ClientError as error:
                if "does not exist" in str(error):
                    return ExistingStack()
                raise
            return ExistingStack(
                str(found["StackStatus"]),
                {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])},
                {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])},
            )

        return self._ask(describe)

    def read_concurrency(self, function: str) -> Concurrency | Unknown:
        """Return Lambda's concurrency; ``function`` is this stack's function that may have reserved some."""

        def read() -> Concurrency:
            limits = self._client("lambda").get_account_settings()["AccountLimit"]
            own = 0
            if function:
                found = self._client("lambda").get_function_concurrency(FunctionName=function)
                own = int(found.get("ReservedConcurrentExecutions", 0))
            return Concurrency(int(limits["ConcurrentExecutions"]), int(limits["UnreservedConcurrentExecutions"]), own)

        return self._ask(read)

    def read_quotas(self, service: str) -> dict[str, float] | Unknown:
        """Return a service's quotas of the account by name. CloudFront's are in us-east-1."""
        region = WEB_ACL_REGION if service == "cloudfront" else self._region

        def read() -> dict[str, float]:
            pages = self._client("service-quotas", region).get_paginator("list_service_quotas")
            found = {
                str(one["QuotaName"]): float(one["Value"])
                for page in pages.paginate(ServiceCode=service)
                for one in page["Quotas"]
            }
            if not found:
                raise LookupError("no quota is listed")
            return found

        return self._ask(read)

    def count_in_cloudfront(self, kind: str) -> int | Unknown:
        """Count the account's resources of a CloudFormation type, without AWS's own policies."""
        count = _COUNTS[kind]
        return self._ask(lambda: count(self._client("cloudfront", WEB_ACL_REGION)))

    def read_services(self) -> frozenset[str] | Unknown:
        """Return short names of the region's services, by AWS's public parameters in Systems Manager."""

        def read() -> frozenset[str]:
            pages = self._client("ssm", WEB_ACL_REGION).get_paginator("get_parameters_by_path")
            path = f"/aws/service/global-infrastructure/regions/{self._region}/services"
            found = frozenset(str(one["Value"]) for page in pages.paginate(Path=path) for one in page["Parameters"])
            if not found:
                raise LookupError("no service is listed")
            return found

        return self._ask(read)

    def read_certificate(self, arn: str) -> Certificate | Unknown:
        """Return a certificate, from the region in its ARN."""

        def read() -> Certificate:
            found = self._client("acm", arn.split(":")[3]).describe_certificate(CertificateArn=arn)["Certificate"]
            names = {str(found.get("DomainName", "")), *map(str, found.get("SubjectAlternativeNames", []))}
            return Certificate(str(found["Status"]), tuple(sorted(names - {""})))

        return self._ask(read)

    def read_key_state(self, arn: str) -> str | Unknown:
        """Return the state of a KMS key; ``Enabled`` is usable."""
        region = arn.split(":")[3]
        return self._ask(lambda: str(self._client("kms", region).describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]))

    def read_principal(self, identity: str) -> str | Unknown:
        """Return the ARN of the user or role behind credentials; empty for the root user, who may do everything."""
        kind, _, name = identity.split(":", 5)[5].partition("/")
        if kind == "root":
            return ""
        if kind != "assumed-role":
            return identity if kind == "user" else Unknown(f"{kind} has no policies that can be simulated")
        role = name.split("/")[0]  # the session's ARN lacks the role's path
        return self._ask(lambda: str(self._client("iam").get_role(RoleName=role)["Role"]["Arn"]))

    def read_refused(
        self, principal: str, actions: Sequence[str], arns: Sequence[str], context: Mapping[str, str]
    ) -> frozenset[str] | Unknown:
        """Return those of ``actions`` that the policies of a user or role do not allow on each of ``arns``."""
        entries = [
            {"ContextKeyName": k, "ContextKeyValues": [v], "ContextKeyType": "string"} for k, v in context.items()
        ]

        def read() -> frozenset[str]:
            pages = (
                self._client("iam")
                .get_paginator("simulate_principal_policy")
                .paginate(
                    PolicySourceArn=principal,
                    ActionNames=list(actions),
                    ResourceArns=list(arns),
                    ContextEntries=entries,
                )
            )
            results = [one for page in pages for one in page["EvaluationResults"]]
            if {str(one["EvalActionName"]) for one in results} != set(actions):
                raise LookupError("not every action was evaluated")
            return frozenset(str(one["EvalActionName"]) for one in results if one["EvalDecision"] != "allowed")

        return self._ask(read)

    def has_vectors(self) -> bool | Unknown:
        """Return whether S3 Vectors is available in the region."""
        return self._ask(lambda: "vectorBuckets" in self._client("s3vectors").list_vector_buckets(maxResults=1))

    def _client(self, service: str, region: str = "") -> Any:
        at = region or self._region
        if (service, at) not in self._clients:
            self._clients[service, at] = self._session.client(
                service,  # type: ignore[call-overload]
                region_name=at,
                endpoint_url=self._endpoint_url,
                config=self._config,
            )
        return self._clients[service, at]

    @staticmethod
    def _ask[T](read: Callable[[], T]) -> T | Unknown:
        try:
            return read()
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            return Unknown(" ".join(str(error).split())[:200])
        except (KeyError, ValueError, TypeError, LookupError) as error:  # a response that lacks a field
            return Unknown(f"unexpected response: {error!r}"[:200])


def _pages(ask: Callable[..., Mapping[str, Any]], top: str, **options: str) -> Iterator[Any]:
    """Yield the items of a CloudFront list, page by page."""
    marker: dict[str, str] = {}
    while True:
        found = ask(**options, **marker)[top]
        yield from found.get("Items", [])
        if not found.get("NextMarker"):
            return
        marker = {"Marker": found["NextMarker"]}


def _count(operation: str, top: str, **options: str) -> Callable[[Any], int]:
    return lambda client: sum(1 for _ in _pages(getattr(client, operation), top, **options))


_COUNTS: Mapping[str, Callable[[Any], int]] = {
    "AWS::CloudFront::Distribution": _count("list_distributions", "DistributionList"),
    "AWS::CloudFront::Function": _count("list_functions", "FunctionList", Stage="DEVELOPMENT"),
    "AWS::CloudFront::KeyValueStore": _count("list_key_value_stores", "KeyValueStoreList"),
    "AWS::CloudFront::CachePolicy": _count("list_cache_policies", "CachePolicyList", Type="custom"),
    "AWS::CloudFront::OriginRequestPolicy": _count(
        "list_origin_request_policies", "OriginRequestPolicyList", Type="custom"
    ),
    "AWS::CloudFront::ResponseHeadersPolicy": _count(
        "list_response_headers_policies", "ResponseHeadersPolicyList", Type="custom"
    ),
    "AWS::CloudFront::OriginAccessControl": _count("list_origin_access_controls", "OriginAccessControlList"),
}

"""Regions that can run a stack, and features that some of them lack.

The template's Rules refuse the same combinations at deployment (they cannot read a Mapping, so that they repeat the
lists), and docs/getting-started/deploy.md has the table; tests compare all three.
"""

from __future__ import annotations

from collections.abc import Mapping

SUPPORTED = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1"),
        *("ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "af-south-1", "me-south-1"),
    }
)
"""Commercial regions with Lambda function URLs.

AWS Lambda Developer Guide, "Creating and managing Lambda function URLs": not in ap-south-2, ap-southeast-4 to 7,
ap-east-2, ca-west-1, eu-south-2, eu-central-2, il-central-1 and me-central-1. CloudFormation has no AWS::Lambda::Url in
mx-central-1. China and GovCloud have no CloudFront Functions with a KeyValueStore.
"""

NO_BUDGETS = frozenset({"af-south-1", "ap-east-1", "ap-northeast-3", "ap-southeast-3", "eu-north-1", "eu-south-1"})
"""Where CloudFormation has no AWS::Budgets::Budget, by the resource provider schemas of each region."""

NO_ACCESS_LOGS = frozenset({"af-south-1", "ap-east-1", "ap-southeast-3", "eu-south-1", "me-south-1"})
"""Opt-in regions. CloudFront delivers standard logs (legacy) to no bucket there.

Amazon CloudFront Developer Guide, "Configure standard logging (v2)": only v2 delivers to opt-in regions.
"""

WEB_ACL_REGION = "us-east-1"
"""The only region for web ACLs of scope CLOUDFRONT and for CloudFront's certificates."""


def find_missing(region: str, parameters: Mapping[str, str]) -> list[str]:
    """Return sentences about features that a stack with these parameters needs and ``region`` lacks."""
    if region not in SUPPORTED:
        return [f"{region} has no Lambda function URLs; choose one of {', '.join(sorted(SUPPORTED))}"]
    missing = []
    if parameters.get("MonthlyBudgetUsd", "0") != "0" and region in NO_BUDGETS:
        missing.append(
            f"CloudFormation has no budgets in {region}; set MonthlyBudgetUsd=0 and create one in the billing console"
        )
    if parameters.get("AccessLogDays", "0") != "0" and region in NO_ACCESS_LOGS:
        missing.append(f"CloudFront delivers no access logs to {region}; set AccessLogDays=0")
    if parameters.get("WafRateLimit", "0") != "0" and region != WEB_ACL_REGION:
        missing.append(f"a web ACL for CloudFront exists in {WEB_ACL_REGION} only; make one there and set WebAclArn")
    return missing

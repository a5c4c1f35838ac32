"""Check resources of the account around the stack: budget, tags, web ACL, key-value store."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from darkroom.errors import Unavailable
from darkroom_pipeline.plan.edge_settings import SETTINGS_KEY

from ...deployment import make_edge_store
from ..failures import CheckFailed, CheckSkipped, require
from ..model import Check
from ..world import World

LEAST_TAGGED = 20
"""A stack has more resources that can have tags than this."""


def find_budget(world: World) -> str:
    """Read the budget."""
    if world.is_local:
        raise CheckSkipped("the local stack deploys no budget")
    if float(world.parameters.get("MonthlyBudgetUsd") or 0) == 0:
        raise CheckSkipped("MonthlyBudgetUsd is 0")
    account = world.client("sts").get_caller_identity()["Account"]
    pages = world.client("budgets").get_paginator("describe_budgets").paginate(AccountId=account)
    names = [one["BudgetName"] for page in pages for one in page.get("Budgets", [])]
    own = [name for name in names if name.startswith(f"{world.stack}-{world.region}")]
    require(own, f"no budget's name begins with {world.stack}-{world.region}")
    return ", ".join(own)


def find_tags(world: World) -> str:
    """Count the resources with the stack's tag."""
    pages = (
        world.client("resourcegroupstaggingapi")
        .get_paginator("get_resources")
        .paginate(TagFilters=[{"Key": "darkroom", "Values": [world.stack]}])
    )
    found = [one["ResourceARN"] for page in pages for one in page["ResourceTagMappingList"]]
    require(len(found) >= LEAST_TAGGED, f"only {len(found)} resources have the tag darkroom={world.stack}")
    return f"{len(found)} resources"


def find_cost_tag(world: World) -> str:
    """Read whether the cost allocation tag is active."""
    if world.is_local:
        raise CheckSkipped("the local stack has no billing")
    try:
        found: dict[str, Any] = world.client("ce").list_cost_allocation_tags(TagKeys=["darkroom"])
    except ClientError as error:
        raise CheckSkipped(f"Cost Explorer answers only to the payer account: {error}") from error
    active = [one for one in found["CostAllocationTags"] if one["Status"] == "Active"]
    require(active, "the tag darkroom is not active: activate it in the billing console")
    return "active"


def find_web_acl(world: World) -> str:
    """Read the web ACL of the distribution."""
    if world.parameters.get("WafRateLimit", "0") == "0" and not world.parameters.get("WebAclArn"):
        raise CheckSkipped("WafRateLimit is 0")
    found = world.client("cloudfront").get_distribution_config(Id=world.outputs["DistributionId"])
    arn = found["DistributionConfig"].get("WebACLId", "")
    require(arn, "the distribution has no web ACL")
    return str(arn)


def read_store(world: World) -> str:
    """Read the entries of the key-value store."""
    arn = world.outputs["FindingsStoreArn"]
    try:
        entries = make_edge_store(world.session, arn, world.endpoints.get("")).read()
    except Unavailable as error:
        raise CheckFailed(error.detail) from error
    require(SETTINGS_KEY in entries, "the deployment has published no settings")
    return f"{len(entries)} entries"


CHECKS = (
    Check("budget", "the budget exists", "events of the stack; the region of Budgets", find_budget),
    Check("tags", "resources have the stack's tag", "Tags of samconfig.toml", find_tags),
    Check("cost-tag", "costs can be separated by the tag", "cost allocation tags of the payer account", find_cost_tag),
    Check(
        "web-acl", "the distribution has its web ACL", "the region: us-east-1 only", find_web_acl, ("DistributionId",)
    ),
    Check(
        "key-values",
        "the edge function's key-value store is readable",
        "the resource EdgeEntries of the stack, and the logs of publish",
        read_store,
        ("FindingsStoreArn",),
    ),
)

"""The IAM policy of the principal that deploys: what CloudFormation, the SAM CLI and `darkroom install` call. Pure.

CloudFormation creates resources with the permissions of its caller ("Controlling access with IAM", CloudFormation user
guide). ``deployer_actions.json`` has the actions of each resource type (tools/deployer_actions.py).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .account import IAM_ACTIONS
from .plan import Plan
from .templates import Planned

LONGEST_POLICY = 6144
"""Characters of a managed policy, without white space. IAM user guide, "IAM and AWS STS quotas"."""

MOST_POLICIES = 10
"""Managed policies of a user or role by default. IAM user guide, "IAM and AWS STS quotas"."""

STACKS = (
    "arn:aws:cloudformation:${Region}:${Account}:stack/${Stack}/*",
    "arn:aws:cloudformation:${Region}:${Account}:stack/${Stack}-*",
    "arn:aws:cloudformation:${Region}:${Account}:stack/aws-sam-cli-managed-default/*",
)
CODE = ("arn:aws:s3:::aws-sam-cli-managed-default-*",)
"""The bucket of `--resolve-s3`, in a stack that the SAM CLI creates."""

RELEASES = ("arn:aws:s3:::darkroom-releases-*",)
"""The bucket of `darkroom install`, which it creates itself."""

DEPLOYER_ACTIONS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    STACKS: (
        *("cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet", "cloudformation:ExecuteChangeSet"),
        *("cloudformation:DeleteChangeSet", "cloudformation:ListChangeSets", "cloudformation:DescribeStacks"),
        *("cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResources"),
        *("cloudformation:ListStackResources", "cloudformation:GetTemplate", "cloudformation:GetTemplateSummary"),
        *("cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack"),
        *("cloudformation:TagResource", "cloudformation:UntagResource"),
    ),
    ("arn:aws:cloudformation:${Region}:aws:transform/Serverless-2016-10-31",): ("cloudformation:CreateChangeSet",),
    CODE: ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:GetBucketLocation"),
    RELEASES: (
        *("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
        *("s3:CreateBucket", "s3:PutBucketPublicAccessBlock"),
    ),
    ("*",): ("cloudformation:GetTemplateSummary", "cloudformation:ValidateTemplate"),
}
"""Calls of `sam deploy`, `sam delete`, `darkroom install` and `darkroom uninstall`, by resources. SAM's are those of
samcli/lib/deploy, delete, package and utils/managed_cloudformation_stack.py of SAM CLI 1.170. The summary of a template
that is not deployed has no stack."""

SAM_TYPES = ("AWS::S3::Bucket", "AWS::S3::BucketPolicy")
"""What the stack of the bucket for code has."""

AT_ONCE = "AllAtOnce"
"""Value of the parameter Deployments with which SAM generates no resources of CodeDeploy."""

KEY, SECRET, SECRET_NAME = "AWS::KMS::Key", "AWS::SecretsManager::Secret", "${Secret}"

PASSED_TO = "iam:PassedToService"
SERVICES = ("codedeploy", "events", "lambda", "sagemaker", "states")
"""Services that the roles of the templates trust."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Actions that are allowed on resources. Patterns contain ``${Region}``, ``${Account}`` and names of the stack."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the statement as in a policy."""
        found: dict[str, Any] = {"Effect": "Allow", "Action": list(self.actions), "Resource": list(self.resources)}
        if self.actions == ("iam:PassRole",):
            found["Condition"] = {"StringEquals": {PASSED_TO: [f"{one}.amazonaws.com" for one in SERVICES]}}
        return found


@cache
def _table() -> Mapping[str, Mapping[str, list[str]]]:
    found: Mapping[str, Mapping[str, list[str]]] = json.loads(
        (Path(__file__).parent / "deployer_actions.json").read_text(encoding="utf-8")
    )
    return found


def list_types(plan: Plan) -> frozenset[str]:
    """Return the resource types that a plan creates after SAM's transform, for the values of its parameters."""
    planned = _list_resources(plan)
    generated = {kind for name in {one.template for one in planned} for kind in _table()["generated"][name]}
    written = {one.kind for one in planned if not one.kind.startswith("AWS::Serverless::")}
    if plan.text("Deployments") == AT_ONCE:
        generated = {kind for kind in generated if not kind.startswith("AWS::CodeDeploy::")}
    return frozenset(written | generated | set(SAM_TYPES))


def list_statements(plan: Plan, account: str = "*") -> list[Statement]:
    """Return what the deploying principal needs for a plan, by resources. ``account`` is the number, or ``*``."""
    allowed: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for kind in list_types(plan):
        for action in _table()["actions"].get(kind, []):
            if scopes := _scope(kind, action, plan):
                allowed[("pass", *scopes) if action == "iam:PassRole" else scopes].add(action)
    for resources, named in DEPLOYER_ACTIONS.items():
        allowed[resources].update(named)
    allowed[("*",)].update(IAM_ACTIONS)
    return [
        Statement(tuple(sorted(named)), tuple(_name(one, plan, account) for one in resources if one != "pass"))
        for resources, named in sorted(allowed.items())
    ]


def _scope(kind: str, action: str, plan: Plan) -> tuple[str, ...]:
    """Return patterns of resources for an action of a type; none if the plan does not need it.

    Keys of KMS are those that a template creates, and the one that encrypts the other resources, if there is one.
    """
    scopes = tuple(_table()["scopes"][action])
    if action.startswith("kms:") and kind != KEY:
        return (key,) if (key := plan.text("KmsKeyArn")) and scopes != ("*",) else ()
    if any(SECRET_NAME in one for one in scopes):
        names = sorted(one.logical_id for one in _list_resources(plan) if one.kind == SECRET)
        return tuple(one.replace(SECRET_NAME, name) for one in scopes for name in names)
    return scopes


def _list_resources(plan: Plan) -> list[Planned]:
    return [*plan.planned, *(one for group in plan.further.values() for one in group)]


def _name(pattern: str, plan: Plan, account: str) -> str:
    values = {"Region": plan.region, "Account": account, "Stack": plan.stack, "stack": plan.stack.lower()}
    for name, value in values.items():
        pattern = pattern.replace(f"${{{name}}}", value)
    return pattern


def build_policies(statements: Iterable[Statement]) -> list[dict[str, Any]]:
    """Return managed policies that fit into IAM's limit, as few as their order allows."""
    policies: list[list[Statement]] = [[]]
    for statement in (part for one in statements for part in _split(one)):
        if policies[-1] and _length([*policies[-1], statement]) > LONGEST_POLICY:
            policies.append([])
        policies[-1].append(statement)
    return [_policy(one) for one in policies]


def _split(statement: Statement) -> Iterator[Statement]:
    """Yield a statement in parts that fit into a policy of their own."""
    if _length([statement]) <= LONGEST_POLICY:
        yield statement
        return
    half = len(statement.actions) // 2
    yield from _split(Statement(statement.actions[:half], statement.resources))
    yield from _split(Statement(statement.actions[half:], statement.resources))


def _policy(statements: list[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [one.document() for one in statements]}


def _length(statements: list[Statement]) -> int:
    return len(json.dumps(_policy(statements), separators=(",", ":")))

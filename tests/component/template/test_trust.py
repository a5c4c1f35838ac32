"""Services act for this account alone: every grant to a service names its account or resource (confused deputies)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .stack import Stack
from .test_permissions import DEPLOYMENTS

SOURCES = {"aws:sourceaccount", "aws:sourcearn"}


def granted_to_services(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each statement with a service as its principal, and the resource that has it."""
    for name, resource in stack.resources.items():
        properties = resource.get("Properties", {})
        for document in ("AssumeRolePolicyDocument", "PolicyDocument", "KeyPolicy"):
            for statement in properties.get(document, {}).get("Statement", ()):
                if "Service" in (statement.get("Principal") or ()) and statement["Effect"] == "Allow":
                    yield name, statement


@pytest.mark.parametrize("deployment", ["default", "all", "inference"])
def test_every_grant_to_a_service_names_its_source(deployment: str) -> None:
    stack = Stack(**DEPLOYMENTS[deployment])
    granted = list(granted_to_services(stack))
    assert len(granted) > 15
    for name, statement in granted:
        keys = {key.lower() for operator in statement.get("Condition", {}).values() for key in operator}
        assert keys & SOURCES, name
    for name, permission in stack.of_type("AWS::Lambda::Permission").items():
        assert {"SourceArn", "SourceAccount"} & permission.keys(), name


def test_roles_trust_services_of_their_account_alone() -> None:
    stack = Stack(**DEPLOYMENTS["inference"])
    for name, role in stack.of_type("AWS::IAM::Role").items():
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}, name
        if trust["Principal"] == {"Service": "states.amazonaws.com"}:
            arn = "arn:aws:states:eu-central-1:111122223333:stateMachine:stack-*"
            assert trust["Condition"]["ArnLike"] == {"aws:SourceArn": arn}, name

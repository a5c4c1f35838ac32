"""Roles in MiniStack, which refuses functions whose role it does not know."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4


def create_role(iam: Any, principal: dict[str, str], grants: list[tuple[str, str]], **condition: Any) -> str:
    """The ARN of a new role that ``principal`` may assume and that may do ``grants``, pairs of action and resource."""
    name = f"role-{uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]))["Role"]["Arn"]
    if grants:
        statements = [{"Effect": "Allow", "Action": act, "Resource": on, **condition} for act, on in grants]
        iam.put_role_policy(RoleName=name, PolicyName="grants", PolicyDocument=_document(statements))
    return str(arn)


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})

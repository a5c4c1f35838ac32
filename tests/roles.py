"""Roles and functions in MiniStack, which refuses functions whose role it does not know."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
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


def create_function(
    aws: Callable[[str], Any], code: str, grants: list[tuple[str, str]] | None = None, **settings: Any
) -> str:
    """The name of a new function whose ``app.py`` is ``code`` and whose role may do ``grants``.

    ``aws`` makes clients by the name of their service; ``settings`` are further arguments of CreateFunction.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", code)
    name = f"function-{uuid4().hex[:8]}"
    aws("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=create_role(aws("iam"), {"Service": "lambda.amazonaws.com"}, grants or []),
        Code={"ZipFile": archive.getvalue()},
        **settings,
    )
    return name


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})

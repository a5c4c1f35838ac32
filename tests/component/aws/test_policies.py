"""MiniStack refuses policies that IAM refuses: by requests, and of resources of a template."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

type Aws = Callable[[str], Any]
type Document = dict[str, Any]

TRUST: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def policy(**changes: Any) -> Document:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/*"}
    return {"Version": "2012-10-17", "Statement": [statement | changes]}


MALFORMED: dict[str, Document] = {
    "a resource that is no ARN": policy(Resource="photos"),
    "an action without a service": policy(Action="GetObject"),
    "an unknown condition operator": policy(Condition={"StringMatches": {"s3:prefix": "a"}}),
    "an unknown element": policy(Principals="*"),
    "an unknown version": policy() | {"Version": "2020-01-01"},
    "a statement's id with a space": policy(Sid="read photos"),
    "a principal in a role's permissions": policy(Principal="*"),
}


@pytest.fixture(scope="module")
def role(aws: Aws) -> str:
    aws("iam").create_role(RoleName="validated", AssumeRolePolicyDocument=json.dumps(TRUST))
    return "validated"


def test_a_policy_of_iams_grammar_is_stored(aws: Aws, role: str) -> None:
    conditions = {"StringLike": {"s3:prefix": ["a/*"]}, "Bool": {"aws:SecureTransport": "true"}}
    document = json.dumps(policy(Sid="ReadPhotos", Condition=conditions))
    aws("iam").put_role_policy(RoleName=role, PolicyName="valid", PolicyDocument=document)
    assert aws("iam").get_role_policy(RoleName=role, PolicyName="valid")["PolicyDocument"] == json.loads(document)


@pytest.mark.parametrize("document", MALFORMED.values(), ids=MALFORMED)
def test_a_request_with_a_malformed_policy_is_refused(aws: Aws, role: str, document: Document) -> None:
    with pytest.raises(aws("iam").exceptions.MalformedPolicyDocumentException):
        aws("iam").put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=json.dumps(document))


@pytest.mark.parametrize("statement", [{"Action": "s3:GetObject"}, {"Resource": "*"}], ids=["action", "resource"])
def test_a_trust_policy_allows_assuming_and_nothing_else(aws: Aws, role: str, statement: Document) -> None:
    document = json.dumps(TRUST | {"Statement": [TRUST["Statement"][0] | statement]})
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        aws("iam").create_role(RoleName="another", AssumeRolePolicyDocument=document)
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        aws("iam").update_assume_role_policy(RoleName=role, PolicyDocument=document)


@pytest.mark.parametrize("document", [policy(Resource="photos"), policy(Action="GetObject")], ids=["ARN", "action"])
def test_a_template_with_a_malformed_policy_fails(aws: Aws, document: Document) -> None:
    name = "malformed-policy"
    role = {"AssumeRolePolicyDocument": TRUST, "Policies": [{"PolicyName": "p", "PolicyDocument": document}]}
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}}
    client = aws("cloudformation")
    client.create_stack(
        StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"], OnFailure="DO_NOTHING"
    )
    with pytest.raises(WaiterError):
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    reasons = [
        event.get("ResourceStatusReason", "") for event in client.describe_stack_events(StackName=name)["StackEvents"]
    ]
    client.delete_stack(StackName=name)
    assert any("MalformedPolicyDocument" in reason for reason in reasons), reasons

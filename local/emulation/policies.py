"""Policies of roles in MiniStack, validated as IAM does (IAM user guide, "IAM JSON policy element reference").

MiniStack 1.5.33 stores a policy with an unknown version, element or condition operator, or with a resource that is no
ARN. IAM refuses it with ``MalformedPolicyDocument``, from a template too. moto validates policies by IAM's grammar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

ERROR = "MalformedPolicyDocument"

TRUST, PERMISSIONS = "AssumeRolePolicyDocument", "PolicyDocument"
"""Parameters and properties that contain a policy: of who may assume a role, and of what it allows."""

_STATEMENT_ID = re.compile("[0-9A-Za-z]*")

_KINDS = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")


def find_malformed(trust: Any, permissions: Iterable[Any]) -> str:
    """Return why IAM refuses one of the policies, documents or their JSON; "" if it does not."""
    from moto.iam.exceptions import MalformedPolicyDocument
    from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator

    documents = [(IAMTrustPolicyDocumentValidator, trust)] if trust else []
    documents += [(IAMPolicyDocumentValidator, document) for document in permissions if document]
    for validator, document in documents:
        try:
            validator(document if isinstance(document, str) else json.dumps(document)).validate()
        except MalformedPolicyDocument as error:
            return str(error.message)
    return next((reason for _, document in documents for reason in _find_beyond_moto(document)), "")


def _find_beyond_moto(document: Any) -> Iterator[str]:
    """Yield rules of IAM that moto does not know, of a valid ``document``."""
    policy = json.loads(document) if isinstance(document, str) else document
    statements = policy["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if not _STATEMENT_ID.fullmatch(statement.get("Sid", "")):
            yield "Statement IDs (SID) must be alpha-numeric."
        if "Principal" in statement and "Resource" in statement:
            yield "Policy document should not specify a principal."


def check_policies_of_templates(provisioners: Any) -> None:
    """Refuse resources of MiniStack's CloudFormation whose policies IAM refuses."""
    for kind in _KINDS:
        handlers = provisioners._RESOURCE_HANDLERS[kind]
        for name, place in (("create", 1), ("update", 2)):
            if name in handlers:
                handlers[name] = _checking(handlers[name], place)


def _checking(own: Any, place: int) -> Any:
    def handle(*arguments: Any) -> Any:
        properties: Mapping[str, Any] = arguments[place]
        policies = [one.get(PERMISSIONS) for one in properties.get("Policies", [])]
        if reason := find_malformed(properties.get(TRUST), [*policies, properties.get(PERMISSIONS)]):
            raise ValueError(f"{reason} (Service: Iam, Status Code: 400, Error Code: {ERROR})")
        return own(*arguments)

    return handle

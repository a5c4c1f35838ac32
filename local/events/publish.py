"""Events of the publish function: requests of CloudFormation about the custom resource EdgeEntries.

Source: CloudFormation user guide, "Custom resource request objects". The signatures of the URLs have expired.
"""

from __future__ import annotations

from . import Event
from .sqs import ACCOUNT, REGION

_FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:darkroom-PublishFunction-4kqTf2mZ0sXv"
_STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/darkroom/6f3c1f20-c1b0-11f0-8f4e-0a1b2c3d4e5f"
_STORE = f"arn:aws:cloudfront::{ACCOUNT}:key-value-store/0a1b2c3d-0000-4000-8000-000000000000"


def events() -> dict[str, Event]:
    """Return each event by file name."""
    existing: Event = {"PhysicalResourceId": _STORE}
    return {
        "create.json": _request("Create", "1"),
        "update.json": _request("Update", "2") | existing | {"OldResourceProperties": _properties("1")},
        "delete.json": _request("Delete", "2") | existing,
    }


def _request(kind: str, release: str) -> Event:
    return {
        "RequestType": kind,
        "ServiceToken": _FUNCTION,
        "ResponseURL": f"https://cloudformation-custom-resource-response-{REGION.replace('-', '')}.s3.{REGION}"
        ".amazonaws.com/request?X-Amz-Signature=expired",
        "StackId": _STACK,
        "RequestId": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "LogicalResourceId": "EdgeEntries",
        "ResourceType": "Custom::EdgeEntries",
        "ResourceProperties": _properties(release),
    }


def _properties(release: str) -> Event:
    return {
        "ServiceToken": _FUNCTION,
        "ServiceTimeout": "300",
        "Store": "darkroom-eu-central-1-findings",
        "Release": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:darkroom:{release}",
        "Parameters": ["off", "off", "on", "0"],
    }

"""What a request to AWS asks for, read from its outside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/([^/]+)/")
_SERVICES = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs", "AWSEvents": "events"}


class AwsRequest(NamedTuple):
    """``who`` is the caller's access key, ``about`` what the operation works on: an object, an item, a queue."""

    who: str
    service: str
    operation: str
    about: str


def parse_request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> AwsRequest:
    """Of an HTTP request with the request target ``target``. What no service of ours looks like is ``other``."""
    signed = _CREDENTIAL.search(headers.get("Authorization", ""))
    who, scope = (signed[1], signed[2]) if signed else ("", "")
    prefix, _, action = headers.get("X-Amz-Target", "").partition(".")
    if prefix in _SERVICES:
        return AwsRequest(who, _SERVICES[prefix], action, _about(_read_json(body)))
    if scope != "s3":
        return AwsRequest(who, scope or "other", method, urlsplit(target).path)
    path, _, query = target.partition("?")
    return AwsRequest(who, "s3", _s3_operation(method, headers, query), path)


def _s3_operation(method: str, headers: Mapping[str, str], query: str) -> str:
    copied = "Copy" if "x-amz-copy-source" in {name.lower() for name in headers} else ""
    names = sorted(part.partition("=")[0] for part in query.split("&") if part)
    kinds = [name for name in names if name in ("delete", "list-type", "uploads", "uploadId", "versions")]
    return "".join([method, copied, *(f"?{kind}" for kind in kinds)])


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _about(document: Mapping[str, Any]) -> str:
    """The item's key, or the queue's or the table's name."""
    item = document.get("Key") or document.get("Item") or {}
    parts = (document.get("TableName"), _text(item.get("pk")), document.get("QueueUrl", "").rpartition("/")[2])
    return " ".join(part for part in parts if part)


def _text(attribute: object) -> str:
    return str(attribute.get("S", "")) if isinstance(attribute, dict) else ""

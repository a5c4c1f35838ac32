"""Identify the service, operation and object of an HTTP request to AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/([^/]+)/")
_FOLDERS = frozenset({"masters", "held", "derivatives", "manifests"})
"""Folders of the media bucket."""

_SERVICES = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs", "AWSEvents": "events"}


class AwsRequest(NamedTuple):
    """An AWS call. ``worker_id`` is the caller's access key, ``about`` the object, item or queue it works on."""

    worker_id: str
    service: str
    operation: str
    about: str

    @property
    def function(self) -> str:
        """The folder of the caller's function."""
        return self.worker_id.partition("-")[0]

    @property
    def call(self) -> str:
        """The function, the operation, and the first folder of the object of S3, for counts."""
        parts = self.about.split("/")[2:] if self.service == "s3" else []
        folder = f" {parts[0]}/" if len(parts) > 1 and parts[0] in _FOLDERS else ""
        return f"{self.function:<9} {self.service} {self.operation}{folder}"


def parse_request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> AwsRequest:
    """Parse an HTTP request with the request target ``target``. The service of unknown requests is ``other``."""
    signed = _CREDENTIAL.search(headers.get("Authorization", ""))
    worker_id, scope = (signed[1], signed[2]) if signed else ("", "")
    prefix, _, action = headers.get("X-Amz-Target", "").partition(".")
    if prefix in _SERVICES:
        return AwsRequest(worker_id, _SERVICES[prefix], action, _about(_read_json(body)))
    if scope != "s3":
        return AwsRequest(worker_id, scope or "other", method, urlsplit(target).path)
    path, _, query = target.partition("?")
    return AwsRequest(worker_id, "s3", _s3_operation(method, headers, query), path)


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
    """Return the item's key, or the name of the queue or table."""
    item = document.get("Key") or document.get("Item") or {}
    parts = (document.get("TableName"), _text(item.get("pk")), document.get("QueueUrl", "").rpartition("/")[2])
    return " ".join(part for part in parts if part)


def _text(attribute: object) -> str:
    return str(attribute.get("S", "")) if isinstance(attribute, dict) else ""

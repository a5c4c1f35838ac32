"""Write entries of CloudFront's key-value store by its REST API.

boto3's client needs AWS's C library for the signature, and puts the account's id into the host, which no emulator has.
Source: CloudFront KeyValueStore API reference, "DescribeKeyValueStore" and "UpdateKeys".
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from botocore.session import get_session

from ..aws.clients import CONNECT_S, READ_S, translate_errors
from ..errors import Unavailable
from .sigv4a import SigV4AAuth

SERVICE = "cloudfront-keyvaluestore"
ATTEMPTS = 4
"""Attempts of an update: another writer changes the store's entity tag."""


@dataclass(frozen=True)
class EdgeStore:
    """The store ``arn``, at the endpoint of ``environment`` if it has one. Raises Unavailable."""

    arn: str
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def put(self, entries: Mapping[str, str]) -> None:
        """Write ``entries``; others stay."""
        puts = [{"Key": key, "Value": value} for key, value in entries.items()]
        with translate_errors("update the edge's store"):
            for _ in range(ATTEMPTS):
                _, etag = self._request("GET", "")
                status, _ = self._request("POST", "/keys", {"Puts": puts, "Deletes": []}, {"If-Match": etag})
                if status not in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED):
                    return
        raise Unavailable(detail=f"update the edge's store: {ATTEMPTS} conflicts")

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Return status and entity tag. Raises Unavailable for an error that is no conflict."""
        account = self.arn.split(":")[4]
        host = self.environment.get("AWS_ENDPOINT_URL") or f"https://{account}.cloudfront-kvs.global.api.aws"
        url = f"{host.rstrip('/')}/key-value-stores/{quote(self.arn, safe='')}{path}"
        data = None if body is None else json.dumps(body).encode()
        request = AWSRequest(method, url, {"Content-Type": "application/json"} | dict(headers or {}), data)
        SigV4AAuth(self._credentials(), SERVICE).add_auth(request)
        answer = URLLib3Session(timeout=(CONNECT_S, READ_S)).send(request.prepare())  # type: ignore[arg-type]
        if answer.status_code >= HTTPStatus.BAD_REQUEST and answer.status_code not in (
            HTTPStatus.CONFLICT,
            HTTPStatus.PRECONDITION_FAILED,
        ):
            raise Unavailable(detail=f"{method} {url}: {answer.status_code} {answer.text[:500]}")
        return answer.status_code, answer.headers.get("ETag", "")

    def _credentials(self) -> Any:
        """Return the credentials of the environment, else those of botocore's own chain."""
        access_key, secret_key = (
            self.environment.get(f"AWS_{name}") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
        )
        if access_key and secret_key:
            return Credentials(access_key, secret_key, self.environment.get("AWS_SESSION_TOKEN"))
        return get_session().get_credentials()

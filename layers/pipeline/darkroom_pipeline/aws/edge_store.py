"""CloudFront's key-value stores by their REST API, for functions and commands.

boto3's client needs AWS's C library for the signature (SigV4A), and puts the account's id into the host, which no
emulator has. Source: CloudFront KeyValueStore API reference, "DescribeKeyValueStore", "ListKeys" and "UpdateKeys".
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.parsers import RestJSONParser
from botocore.session import get_session
from botocore.utils import get_environ_proxies

from darkroom.errors import Unavailable

from .clients import CONNECT_S, READ_S, translate_errors
from .sigv4a import SigV4AAuth

SERVICE = "cloudfront-keyvaluestore"
ATTEMPTS = 4
"""Attempts of a request that failed on the way or with 429 or 5xx, and of :meth:`EdgeStore.put`."""

PAUSE_S = 0.2
"""Time before the second attempt; before each further one it is twice as long."""

PAGE = 50
"""The maximum number of keys in a response of ListKeys."""

_CONFLICTS = (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)
_PASSING = (HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600))


class StoreConflict(Unavailable):
    """The store was written to at the same time. Nothing was changed by this call; it may be repeated."""


@dataclass(frozen=True)
class EdgeStore:
    """The store ``arn``, with ``credentials`` of botocore, at ``endpoint_url`` or, if that is empty, on AWS.

    Every method raises Unavailable, whose cause is the ClientError or the error of the network.
    """

    arn: str
    credentials: Any
    endpoint_url: str = ""

    def fetch_tag(self) -> str:
        """Return the entity tag of the store, which each update changes."""
        with translate_errors("describe the edge's store"):
            return self._request("DescribeKeyValueStore", "GET", "")[1]

    def read(self) -> Mapping[str, str]:
        """Return all entries."""
        found: dict[str, str] = {}
        query = {"MaxResults": str(PAGE)}
        with translate_errors("read the edge's store"):
            while True:
                page, _ = self._request("ListKeys", "GET", f"/keys?{urlencode(query)}")
                found |= {item["Key"]: item["Value"] for item in page["Items"]}
                if not page.get("NextToken"):
                    return found
                query["NextToken"] = page["NextToken"]

    def update(self, puts: Mapping[str, str], deletes: Sequence[str] = ()) -> None:
        """Put and delete entries at once; others stay. Raises StoreConflict."""
        body = {
            "Puts": [{"Key": key, "Value": value} for key, value in puts.items()],
            "Deletes": [{"Key": key} for key in deletes],
        }
        tag = self.fetch_tag()
        with translate_errors("update the edge's store"):
            try:
                self._request("UpdateKeys", "POST", "/keys", body, {"If-Match": tag})
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] in _CONFLICTS:
                    raise StoreConflict(detail=f"{self.arn}: {error}") from error
                raise

    def put(self, entries: Mapping[str, str]) -> None:
        """Write ``entries``, again after a conflict."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self.update(entries)
            except StoreConflict:
                pass
        return self.update(entries)

    def _request(
        self,
        operation: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Any, str]:
        """Return the document and the entity tag of the response. Raises ClientError and HTTPClientError."""
        host = self.endpoint_url or f"https://{self.arn.split(':')[4]}.cloudfront-kvs.global.api.aws"
        url = f"{host.rstrip('/')}/key-value-stores/{quote(self.arn, safe='')}{path}"
        data = None if body is None else json.dumps(body).encode()
        answer = self._send_until_answered(
            lambda: AWSRequest(method, url, {"Content-Type": "application/json", **(headers or {})}, data)
        )
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise ClientError(_parse_error(answer), operation)
        return json.loads(answer.content), answer.headers.get("ETag", "")

    def _send_until_answered(self, make_request: Callable[[], AWSRequest]) -> Any:
        for attempt in itertools.count(1):
            try:
                answer = self._send(make_request())
                if attempt == ATTEMPTS or answer.status_code not in _PASSING:
                    return answer
            except HTTPClientError:
                if attempt == ATTEMPTS:
                    raise
            time.sleep(PAUSE_S * 2 ** (attempt - 1))

    def _send(self, request: AWSRequest) -> Any:
        if self.credentials is None:
            raise NoCredentialsError
        SigV4AAuth(self.credentials.get_frozen_credentials(), SERVICE).add_auth(request)
        session = URLLib3Session(
            verify=os.environ.get("AWS_CA_BUNDLE") or True,  # type: ignore[arg-type] # as botocore's own clients
            proxies=get_environ_proxies(str(request.url)),
            timeout=(CONNECT_S, READ_S),  # type: ignore[arg-type]
        )
        return session.send(request.prepare())


def connect_edge_store(arn: str, environment: Mapping[str, str] = os.environ) -> EdgeStore:
    """Return the store ``arn`` with the credentials and, if any, at the endpoint of ``environment``.

    Credentials that ``environment`` lacks come from botocore's own chain.
    """
    access_key, secret_key = (environment.get(f"AWS_{name}") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
    given = access_key and secret_key and Credentials(access_key, secret_key, environment.get("AWS_SESSION_TOKEN"))
    return EdgeStore(arn, given or get_session().get_credentials(), find_endpoint(environment))


def find_endpoint(environment: Mapping[str, str] = os.environ) -> str:
    """Return the endpoint of key-value stores that ``environment`` names as for clients of boto3, "" if none."""
    names = ("AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE", "AWS_ENDPOINT_URL")
    return next((environment[name] for name in names if environment.get(name)), "")


def _parse_error(answer: Any) -> Any:
    """Return an error response as botocore's clients have it in a ClientError."""
    received = {"status_code": answer.status_code, "headers": answer.headers, "body": answer.content}
    return RestJSONParser().parse(received, None)  # type: ignore[arg-type] # errors have no shape

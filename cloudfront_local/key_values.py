"""CloudFront's key-value stores, through MiniStack's data plane.

Plain HTTP is used because boto3's client signs with SigV4A, which needs AWS's C library, and puts the account id into
the host name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PAGE = 50
"""The maximum number of keys in a response."""

TIMEOUT_S = 5.0


class StoreChanged(Exception):
    """Another client wrote to the store at the same time."""


class KeyValues:
    """Reads and writes the stores at ``endpoint_url``."""

    def __init__(self, endpoint_url: str, credentials: Credentials, region: str) -> None:
        self._credentials = credentials
        self._region = region
        self._url = endpoint_url.rstrip("/") + "/key-value-stores/"

    def read(self, store: str) -> dict[str, str]:
        """Return all entries of ``store``, an ARN. Raises OSError."""
        found: dict[str, str] = {}
        query = {"MaxResults": str(PAGE)}
        while True:
            page, _ = self._request("GET", f"{_quoted(store)}/keys?{urlencode(query)}")
            found |= {item["Key"]: item["Value"] for item in page["Items"]}
            if "NextToken" not in page:
                return found
            query["NextToken"] = page["NextToken"]

    def write(self, store: str, key: str, value: str) -> None:
        """Write one entry. Raises StoreChanged and OSError."""
        self.update(store, {key: value})

    def update(self, store: str, puts: Mapping[str, str], deletes: Sequence[str] = ()) -> None:
        """Write and delete several entries atomically. Raises StoreChanged and OSError."""
        _, tag = self._request("GET", _quoted(store))
        body = {
            "Puts": [{"Key": key, "Value": value} for key, value in puts.items()],
            "Deletes": [{"Key": key} for key in deletes],
        }
        try:
            self._request("POST", f"{_quoted(store)}/keys", body, {"If-Match": tag})
        except HTTPError as error:
            if error.code == HTTPStatus.CONFLICT:
                raise StoreChanged(store) from error
            raise

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[dict[str, Any], str]:
        """Return the response's document and entity tag."""
        data = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        signed = AWSRequest(method, self._url + path, sent, data)
        SigV4Auth(self._credentials, "cloudfront-keyvaluestore", self._region).add_auth(signed)
        request = Request(self._url + path, data, dict(signed.headers.items()), method=method)
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            document: dict[str, Any] = json.loads(answer.read())
            return document, answer.headers.get("ETag", "")


def _quoted(text: str) -> str:
    return quote(text, safe=":/")

"""Signing keys from Secrets Manager, without botocore: one signed POST, only for requests with a signature."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import KeysInvalid, Unavailable
from ..signing import InvalidSecret, parse_secret
from .credentials import Credentials, CredentialSource

if TYPE_CHECKING:
    from .telemetry import Observer

CACHE_S = 300.0
"""Time after which keys are fetched again."""

RETRY_S = 10.0
"""Minimum age of keys at which an unknown signature makes them be fetched again (after a rotation).

A rejected secret is fetched again after the same time.
"""


class Secret[Content]:
    """A secret whose value is a JSON object, fetched on first use and cached.

    ``read`` parses the object; it raises InvalidSecret if the object does not follow its schema. Such a secret is
    rejected as a whole, even if a valid one was cached: then no signature can be verified, and none is valid.
    """

    def __init__(
        self,
        secret_arn: str,
        credentials: CredentialSource,
        read: Callable[[Mapping[str, object]], Content],
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
        observer: Observer | None = None,
    ) -> None:
        self._secret_arn = secret_arn
        self._credentials = credentials
        self._read = read
        self._environment = environment
        self._clock = clock
        self._observer = observer
        self._cached: tuple[Content, float] | None = None
        self._rejected: tuple[str, float] | None = None

    def get(self, *, refresh: bool = False) -> Content:
        """Return the content of the secret; raises KeysInvalid and other Unavailable.

        ``refresh`` fetches it again if it was fetched more than 10 s ago.
        """
        now_s, known = self._clock(), self._cached
        if known is not None and now_s - known[1] < (RETRY_S if refresh else CACHE_S):
            return known[0]
        if self._rejected is not None and now_s - self._rejected[1] < RETRY_S:
            raise KeysInvalid(detail=self._rejected[0])
        text = self._fetch()
        try:
            content = self._read(parse_secret(text))
        except InvalidSecret as error:
            self._reject(str(error), now_s)
            raise KeysInvalid(detail=str(error)) from None
        self._cached, self._rejected = (content, now_s), None
        return content

    def _reject(self, problems: str, now_s: float) -> None:
        """Record the rejection. It is counted at each fetch, so that an alarm persists, and logged when it is new."""
        known = self._rejected
        self._cached, self._rejected = None, (problems, now_s)
        if self._observer is None:
            return
        self._observer.count("SigningSecretInvalid")
        if known is None or known[0] != problems:
            self._observer.log("ERROR", "signing secret invalid", secret=self._secret_arn, problems=problems)

    def _fetch(self) -> str:
        import json
        import urllib.error
        import urllib.request

        region = self._environment.get("AWS_REGION", "us-east-1")
        endpoint = self._environment.get("AWS_ENDPOINT_URL") or f"https://secretsmanager.{region}.amazonaws.com"
        body = json.dumps({"SecretId": self._secret_arn}).encode()
        headers = sign_headers(
            host=endpoint.partition("://")[2].rstrip("/"),
            target="secretsmanager.GetSecretValue",
            body=body,
            region=region,
            credentials=self._credentials.get(),
            now=datetime.now(UTC),
        )
        request = urllib.request.Request(endpoint.rstrip("/") + "/", data=body, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=3) as response:  # noqa: S310
                document = json.load(response)
        except (OSError, ValueError) as error:
            raise Unavailable(detail=f"keys: {error!r}") from error
        return str(document.get("SecretString", ""))  # missing from a binary secret, which is rejected


def sign_headers(
    *, host: str, target: str, body: bytes, region: str, credentials: Credentials, now: datetime
) -> dict[str, str]:
    """Sign the headers of a POST to ``/`` of Secrets Manager's JSON API with AWS Signature Version 4.

    Source: AWS, "Create a signed AWS API request" (IAM user guide). A test compares it with botocore's signer.
    """
    import hashlib
    import hmac

    timestamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"content-type": "application/x-amz-json-1.1", "host": host, "x-amz-date": timestamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    headers["x-amz-target"] = target
    names = ";".join(headers)
    listed = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"POST\n/\n\n{listed}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{timestamp[:8]}/{region}/secretsmanager/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"{credentials.access_key_id}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return headers

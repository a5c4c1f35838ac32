"""Keys, from Secrets Manager without botocore: one signed POST, and only for a request with a signature."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..errors import Unavailable
from .credentials import Credentials, CredentialSource

KEEP_S = 300.0
"""How long keys are used before they are fetched again."""

RETRY_S = 10.0
"""How old keys must be before a signature that none of them made is a reason to fetch again (after a rotation)."""


class Secret[Content]:
    """A secret whose value is a JSON document, fetched when it is first asked for and kept for a while.

    ``read`` makes of the document what is kept. It raises ValueError, KeyError, TypeError or AttributeError where the
    document is not what it should be.
    """

    def __init__(
        self,
        secret_arn: str,
        credentials: CredentialSource,
        read: Callable[[Any], Content],
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secret_arn = secret_arn
        self._credentials = credentials
        self._read = read
        self._environment = environment
        self._clock = clock
        self._kept: tuple[Content, float] | None = None

    def valid(self, *, distrust: bool = False) -> Content:
        """What the secret says; raises Unavailable. ``distrust`` asks for it again if what is known is old."""
        now_s, known = self._clock(), self._kept
        if known is not None and now_s - known[1] < (RETRY_S if distrust else KEEP_S):
            return known[0]
        content = self._fetch()
        self._kept = content, now_s
        return content

    def _fetch(self) -> Content:
        import json
        import urllib.error
        import urllib.request

        region = self._environment.get("AWS_REGION", "us-east-1")
        endpoint = self._environment.get("AWS_ENDPOINT_URL") or f"https://secretsmanager.{region}.amazonaws.com"
        body = json.dumps({"SecretId": self._secret_arn}).encode()
        headers = signed_headers(
            host=endpoint.partition("://")[2].rstrip("/"),
            target="secretsmanager.GetSecretValue",
            body=body,
            region=region,
            credentials=self._credentials.current(),
            now=datetime.now(UTC),
        )
        request = urllib.request.Request(endpoint.rstrip("/") + "/", data=body, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=3) as answer:  # noqa: S310
                return self._read(json.loads(json.load(answer)["SecretString"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unavailable(detail=f"keys: {error!r}") from error


class SigningKeys(Secret[Sequence[str]]):
    """The keys in a secret of the form ``{"current": "...", "previous": "..."}``; an empty one is not used."""

    def __init__(
        self,
        secret_arn: str,
        credentials: CredentialSource,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(secret_arn, credentials, _signing_keys, environment, clock)


def _signing_keys(secret: Any) -> Sequence[str]:
    found = tuple(str(secret[name]) for name in ("current", "previous") if secret.get(name))
    if not found:
        raise ValueError("the secret holds none")
    return found


def signed_headers(
    *, host: str, target: str, body: bytes, region: str, credentials: Credentials, now: datetime
) -> dict[str, str]:
    """Headers of a POST to ``/`` of Secrets Manager's JSON API, signed by AWS Signature Version 4.

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

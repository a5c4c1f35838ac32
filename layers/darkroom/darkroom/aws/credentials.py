"""AWS credentials of the running function, for clients that do not bring botocore's chain.

A Lambda function has them in its environment. Under SnapStart they come from an endpoint on the machine instead, which
object_store only reads with a token *file* where Lambda gives the token.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..errors import Unavailable

RENEW_BEFORE = timedelta(minutes=5)
"""Lead time before expiry at which credentials are fetched again, as object_store does."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key and when it expires, None if never within this process."""

    access_key_id: str
    secret_access_key: str
    token: str = ""
    expires_at: datetime | None = None


class CredentialSource:
    """Finds credentials in ``environment`` or behind its container endpoint, and keeps them until they expire."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._kept: Credentials | None = None

    @property
    def uses_endpoint(self) -> bool:
        """Whether credentials come from the container endpoint."""
        return "AWS_CONTAINER_CREDENTIALS_FULL_URI" in self._environment

    def current(self) -> Credentials:
        """Valid credentials; raises Unavailable."""
        if self._kept is None or _expires_soon(self._kept):
            self._kept = self._from_endpoint() if self.uses_endpoint else self._from_environment()
        return self._kept

    def _from_environment(self) -> Credentials:
        try:
            return Credentials(
                self._environment["AWS_ACCESS_KEY_ID"],
                self._environment["AWS_SECRET_ACCESS_KEY"],
                self._environment.get("AWS_SESSION_TOKEN", ""),
            )
        except KeyError as error:
            raise Unavailable(detail=f"no credentials: {error} is not set") from error

    def _from_endpoint(self) -> Credentials:
        import json
        import urllib.request

        url = self._environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        token = self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        request = urllib.request.Request(url, headers={"Authorization": token} if token else {})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310
                document = json.load(answer)
            return Credentials(
                document["AccessKeyId"],
                document["SecretAccessKey"],
                document.get("Token", ""),
                datetime.fromisoformat(document["Expiration"]),
            )
        except (OSError, ValueError, KeyError) as error:
            raise Unavailable(detail=f"no credentials from the container endpoint: {error!r}") from error


def _expires_soon(credentials: Credentials) -> bool:
    return credentials.expires_at is not None and datetime.now(UTC) >= credentials.expires_at - RENEW_BEFORE

"""AWS credentials of the running function, for clients that do not bring botocore's chain.

A Lambda function has them in its environment, where they stay as they are as long as its process lives: Lambda replaces
the process before they expire. Under SnapStart they come from an endpoint on the machine instead, which object_store
only reads with a token *file* where Lambda gives the token.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from ..errors import Unavailable

RENEW_BEFORE = timedelta(minutes=5)
"""Lead time before expiry at which credentials are fetched again, as object_store does."""

RETRY_AFTER = timedelta(seconds=10)
"""How long an endpoint is left alone that has failed, or has no newer credentials yet, while the old ones hold."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key and when it expires, None if never within this process."""

    access_key_id: str
    secret_access_key: str
    token: str = ""
    expires_at: datetime | None = None

    def is_valid_at(self, at: datetime) -> bool:
        """Whether they are still valid."""
        return self.expires_at is None or at < self.expires_at


def _now() -> datetime:
    return datetime.now(UTC)


class CredentialSource:
    """Finds credentials in ``environment`` or behind its container endpoint, and keeps them until they expire.

    Any number of threads may ask at once: the endpoint is asked by one of them.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ, clock: Callable[[], datetime] = _now) -> None:
        self._environment = environment
        self._clock = clock
        self._lock = Lock()
        self._cached: Credentials | None = None
        self._retry_at = datetime.min.replace(tzinfo=UTC)

    @property
    def uses_endpoint(self) -> bool:
        """Whether credentials come from the container endpoint."""
        return "AWS_CONTAINER_CREDENTIALS_FULL_URI" in self._environment

    def get(self) -> Credentials:
        """Valid credentials; raises Unavailable."""
        with self._lock:
            now = self._clock()
            if self._cached is None or not self._cached.is_valid_at(now):
                self._cached = self._fetch(now)
            elif not self._cached.is_valid_at(now + RENEW_BEFORE) and now >= self._retry_at:
                self._cached = self._refresh(self._cached, now)
            return self._cached

    def _refresh(self, old: Credentials, now: datetime) -> Credentials:
        """What is found now, or the old ones, which still hold."""
        try:
            return self._fetch(now)
        except Unavailable:
            return old

    def _fetch(self, now: datetime) -> Credentials:
        self._retry_at = now + RETRY_AFTER
        return self._from_endpoint() if self.uses_endpoint else self._from_environment()

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
        try:
            token = self._endpoint_token()
            request = urllib.request.Request(url, headers={"Authorization": token} if token else {})  # noqa: S310
            with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310
                document = json.load(answer)
            return Credentials(
                document["AccessKeyId"],
                document["SecretAccessKey"],
                document.get("Token", ""),
                datetime.fromisoformat(document["Expiration"]).astimezone(UTC),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(detail=f"no credentials from the container endpoint: {error!r}") from error

    def _endpoint_token(self) -> str:
        """What the endpoint wants to be shown: of a file, which may be written anew at any time, or as it was given.

        The file goes first, as with botocore. Raises OSError.
        """
        if file := self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
            return Path(file).read_text(encoding="utf-8").strip()
        return self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")

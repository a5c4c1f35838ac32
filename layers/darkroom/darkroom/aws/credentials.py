"""AWS credentials of the running function, for clients without botocore's chain.

A Lambda function has them in its environment, where they stay the same while its process lives: Lambda replaces the
process before they expire. Under SnapStart they come from a local endpoint instead. object_store reads that only with a
token *file*, where Lambda provides the token.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from ..errors import Unavailable

RENEW_BEFORE = timedelta(minutes=5)
"""Time before expiry at which credentials are fetched again, as in object_store."""

RETRY_AFTER = timedelta(seconds=10)
"""Time between requests to an endpoint that failed or has no newer credentials, while the old ones are valid."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key and its expiry; None if it does not expire within this process."""

    access_key_id: str
    secret_access_key: str
    token: str = ""
    expires_at: datetime | None = None

    def is_valid_at(self, at: datetime) -> bool:
        """Whether they are valid at this time."""
        return self.expires_at is None or at < self.expires_at


def _now() -> datetime:
    return datetime.now(UTC)


class CredentialSource:
    """Reads credentials from ``environment`` or its container endpoint, and caches them until they expire.

    Thread-safe: one thread requests the endpoint at a time.
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
        """Return valid credentials; raises Unavailable."""
        with self._lock:
            now = self._clock()
            if self._cached is None or not self._cached.is_valid_at(now):
                self._cached = self._fetch(now)
            elif not self._cached.is_valid_at(now + RENEW_BEFORE) and now >= self._retry_at:
                self._cached = self._refresh(self._cached, now)
            return self._cached

    def _refresh(self, old: Credentials, now: datetime) -> Credentials:
        """Fetch credentials; return the old ones, which are valid, if that fails."""
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
            with urllib.request.urlopen(request, timeout=2) as response:  # noqa: S310
                document = json.load(response)
            return Credentials(
                document["AccessKeyId"],
                document["SecretAccessKey"],
                document.get("Token", ""),
                datetime.fromisoformat(document["Expiration"]).astimezone(UTC),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(detail=f"no credentials from the container endpoint: {error!r}") from error

    def _endpoint_token(self) -> str:
        """Read the endpoint's token: from its file, which may be replaced at any time, or from the variable.

        The file has precedence, as in botocore. Raises OSError.
        """
        if file := self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
            from pathlib import Path  # few deployments need it, and it takes 2 ms of a cold start

            return Path(file).read_text(encoding="utf-8").strip()
        return self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")

"""The stack to check: outputs, clients of its services, viewers' requests, and the keys to remove at the end."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from darkroom.plan.url_builder import sign_target
from darkroom.services.live_settings import CURRENT, parse_document
from darkroom.settings import DEFAULTS

from ..deployment import Deployment
from .failures import CheckFailed, require
from .images import png

SETTLES_WITHIN_S = 300.0
"""Time from an upload to its outcome: S3's events take seconds, a busy queue minutes."""

REMOVED_WITHIN_S = 600.0
TOKEN_LASTS_S = 12 * 3600
LOOK_EVERY_S = 2.0
NOISE_PX = (1500, 1100)
"""Noise of this size is a PNG of 5 MB, more than a function may return."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> dict[str, Any]:
        """Return the body as a JSON object."""
        return dict(json.loads(self.body))


@dataclass
class World:
    """A stack and all objects of a run, below ``folder``.

    ``keys`` are images, which are erased at the end; ``objects`` are buckets with names, or prefixes of names, of other
    objects, which are deleted.
    """

    stack: str
    region: str
    cdn_url: str
    upload_url: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    session: boto3.Session
    endpoints: Mapping[str, str] = field(default_factory=dict)
    state: Path | None = None
    folder: str = field(default_factory=lambda: f"smoke-{secrets.token_hex(4)}/")
    keys: list[str] = field(default_factory=list)
    objects: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_local(self) -> bool:
        """Whether it is a local stack."""
        return self.state is not None

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=10, read=120))

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        return _client(self.session, service, self.endpoints.get(service) or self.endpoints.get(""))

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send a request and return the answer, whatever its status. Redirects are not followed."""
        try:
            found = self._pool.request(method, url, headers=dict(headers or {}), body=body, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise CheckFailed(f"{method} {url}: {error}") from error
        return Answer(found.status, {name.lower(): value for name, value in found.headers.items()}, found.data)

    def get(self, target: str, **headers: str) -> Answer:
        """Request ``target``, path and query, from the CDN; underscores in header names become hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("GET", self.cdn_url + target, sent)

    @cached_property
    def signing_key(self) -> str:
        """The current signing key of URLs."""
        secret = self.client("secretsmanager").get_secret_value(SecretId=self.outputs["SigningKeysArn"])
        return str(json.loads(secret["SecretString"])["current"])

    @cached_property
    def access_mode(self) -> str:
        """The setting ``access_mode`` in force."""
        try:
            found = self.client("s3").get_object(Bucket=self.outputs["MediaBucketName"], Key=CURRENT)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return DEFAULTS.access_mode
            raise
        return parse_document(found["Body"].read()).access_mode

    def signed(self, target: str) -> str:
        """Sign ``target``."""
        return sign_target(target, self.signing_key)

    def path(self, key: str) -> str:
        """Return the URL path of an image."""
        return "/" + quote(key, safe="/")

    def new_key(self, name: str) -> str:
        """Return a key for ``name`` in the run's folder; it is removed at the end."""
        key = self.folder + name
        self.keys.append(key)
        return key

    def put_upload(self, key: str, body: bytes) -> None:
        """Store ``body`` in the uploads bucket, as ``aws s3 cp`` does."""
        self.client("s3").put_object(Bucket=self.outputs["UploadsBucketName"], Key=key, Body=body)

    @cached_property
    def token(self) -> str:
        """An upload token for the run's folder (docs/guides/uploads.md, "Tokens")."""
        grant = _encoded(f"{int(time.time()) + TOKEN_LASTS_S}::{self.folder}".encode())
        signature = hmac.digest(self.signing_key.encode(), b"upload-token:" + grant.encode(), "sha256")
        return f"{grant}.{_encoded(signature)}"

    def api(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Answer:
        """Call the upload API."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body = None if document is None else json.dumps(document).encode()
        return self.request(method, self.upload_url + path, headers, body)

    def wait_for_outcome(self, key: str, *, other_than: str = "", within_s: float = SETTLES_WITHIN_S) -> dict[str, Any]:
        """Return the outcome of an upload, once it is ready or refused and its SHA-256 is ``other_than`` before."""

        def condition() -> dict[str, Any] | None:
            answer = self.api("GET", f"/uploads/{quote(key, safe='/')}")
            if answer.status == 404:
                return None
            require(answer.status == 200, f"GET /uploads answered {answer.status}: {answer.body[:200]!r}")
            found = answer.document()
            settled = found["state"] in ("ready", "refused") and found.get("sha256", "") != other_than
            return found if settled else None

        return self.wait(condition, f"{key} is neither ready nor refused", within_s)

    def wait[T](self, condition: Callable[[], T | None], what: str, within_s: float) -> T:
        """Call ``condition`` until it returns something true. Raises CheckFailed with ``what`` after ``within_s``."""
        deadline_s = time.monotonic() + within_s
        while not (found := condition()):
            require(time.monotonic() < deadline_s, f"{what} after {within_s:.0f} s")
            time.sleep(LOOK_EVERY_S)
        return found

    @cached_property
    def image(self) -> str:
        """The key of an ingested image of 1200 × 800 px."""
        return self._ready("image.png", png(1200, 800, secrets.randbelow(40_000)))

    @cached_property
    def noise(self) -> str:
        """The key of an ingested image whose PNG is over 4.5 MB."""
        return self._ready("noise.png", png(*NOISE_PX, secrets.randbelow(40_000), noise=True))

    def _ready(self, name: str, body: bytes) -> str:
        key = self.new_key(name)
        self.put_upload(key, body)
        outcome = self.wait_for_outcome(key)
        require(outcome["state"] == "ready", f"{key} is {outcome['state']}: {outcome.get('reason', '')}")
        return key

    def forget(self, key: str, *, check: bool = False) -> dict[str, Any]:
        """Erase ``key`` and return the report; with ``check`` only the state of its erasure."""
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs["ForgetFunctionName"],
            Payload=json.dumps({"key": key, "by": "darkroom smoke", "check": check}).encode(),
        )
        document: dict[str, Any] = json.loads(answer["Payload"].read())
        require("FunctionError" not in answer, f"the forget function failed: {document.get('errorMessage', document)}")
        require("reason" not in document, f"the erasure was not accepted: {document.get('reason')}")
        return document

    def clean_up(self) -> list[str]:
        """Remove all objects of the run. Return the remaining ones, each with the reason."""
        left = [fault for bucket, prefix in self.objects if (fault := self._delete_objects(bucket, prefix))]
        deadline_s = time.monotonic() + REMOVED_WITHIN_S
        while self.keys:
            key = self.keys.pop()
            try:
                while (report := self.forget(key))["status"] == "failed" and time.monotonic() < deadline_s:
                    time.sleep(min(30.0, float(report.get("again_in_s", 30))))
            except (CheckFailed, ClientError, BotoCoreError) as error:
                left.append(f"{key}: {error}")
            else:
                if report["status"] == "failed":
                    left.append(f"{key}: {report['failed']}")
        return left

    def _delete_objects(self, bucket: str, prefix: str) -> str:
        """Delete all versions of objects below ``prefix``. Return why that failed, "" if it did not."""
        s3 = self.client("s3")
        try:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                    s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        except (ClientError, BotoCoreError) as error:
            return f"s3://{bucket}/{prefix}: {error}"
        return ""


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@cache
def _client(session: boto3.Session, service: str, endpoint_url: str | None) -> Any:
    config = Config(
        read_timeout=900, retries={"mode": "standard"}, s3={"addressing_style": "path"} if endpoint_url else {}
    )
    return session.client(service, endpoint_url=endpoint_url, config=config)  # type: ignore[call-overload]


def world_of(deployment: Deployment) -> World:
    """Return the environment of a deployed stack."""
    return World(
        deployment.name,
        deployment.region,
        deployment.cdn_url,
        deployment.upload_url,
        deployment.outputs,
        deployment.parameters,
        deployment.session,
        deployment.endpoints,
        deployment.state,
    )

"""The service on two buckets of MiniStack, and requests to it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import connect
from medical.access import Grant, make_token
from medical.app import Medical
from medical.ingest import Ingest, Outcome
from medical.instance import Instance
from medical.masters_bucket import Masters
from medical.store import INCOMING, document_name
from tests.fixed_keys import FixedKeys

KEY = "0123456789abcdef0123456789abcdef"
UID_KEY = "a key of UIDs that no test reads"
NOW_S = 1_800_000_000
UPLOADS, MASTERS = "medical-uploads", "medical-masters"


@dataclass
class World:
    """Buckets, the ingest, and the app."""

    s3: Any
    ingest: Ingest
    app: Medical
    responses: list[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    def build(cls, aws: Callable[[str], Any], environment: Mapping[str, str]) -> World:
        s3 = aws("s3")
        for bucket in (UPLOADS, MASTERS):
            s3.create_bucket(Bucket=bucket)

        def list_keys(prefix: str, most: int, delimiter: str) -> Iterator[str]:
            found = s3.list_objects_v2(Bucket=MASTERS, Prefix=prefix, MaxKeys=most, Delimiter=delimiter)
            yield from (one["Prefix"] for one in found.get("CommonPrefixes", ()))
            yield from (one["Key"] for one in found.get("Contents", ()))

        masters = connect(MASTERS, CredentialSource(environment), environment)
        return cls(
            s3,
            Ingest(s3, UPLOADS, Masters(s3, MASTERS), lambda: UID_KEY),
            Medical(masters, list_keys, FixedKeys((KEY,)), clock=lambda: NOW_S),
        )

    def upload(self, body: bytes, name: str = "image.dcm") -> Outcome:
        """Upload a file, and ingest it."""
        self.s3.put_object(Bucket=UPLOADS, Key=INCOMING + name, Body=body)
        return self.ingest.ingest(INCOMING + name)

    def store(self, path: Path) -> Instance:
        """Ingest a file; return its document."""
        outcome = self.upload(path.read_bytes())
        assert outcome.outcome == "stored", outcome
        return self.read(outcome)

    def read(self, outcome: Outcome) -> Instance:
        name = document_name(outcome.study, outcome.series, outcome.instance)
        return Instance.from_json(self.s3.get_object(Bucket=MASTERS, Key=name)["Body"].read())

    def names(self, bucket: str, prefix: str = "") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
        return [one["Key"] for one in found]

    def objects(self, bucket: str) -> dict[str, bytes]:
        """All objects by name."""
        return {name: self.s3.get_object(Bucket=bucket, Key=name)["Body"].read() for name in self.names(bucket)}

    def empty(self) -> None:
        for bucket in (UPLOADS, MASTERS):
            for name in self.names(bucket):
                self.s3.delete_object(Bucket=bucket, Key=name)

    def get(self, path: str, accept: str = "", token: str | None = "") -> dict[str, Any]:
        """Request a path with its query; without ``token`` one for all studies is sent, with None none."""
        target, _, query = path.partition("?")
        headers = {"accept": accept} if accept else {}
        if token is not None:
            headers["authorization"] = f"Bearer {token or make_token(Grant(NOW_S + 600, '*'), KEY)}"
        event = {
            "rawPath": target,
            "rawQueryString": query,
            "headers": headers,
            "requestContext": {"http": {"method": "GET"}},
        }
        response = dict(self.app.respond(event)[0])
        self.responses.append(response)
        return response


def path_of(instance: Instance, rest: str) -> str:
    """Return the path of a resource of an instance."""
    return f"/dicomweb/studies/{instance.study}/series/{instance.series}/instances/{instance.instance}{rest}"


def body_of(response: Mapping[str, Any]) -> bytes:
    """Return the body of a response that is successful."""
    assert response["statusCode"] == 200, response
    return base64.b64decode(response["body"]) if response.get("isBase64Encoded") else response["body"].encode()


def pixels_of(response: Mapping[str, Any]) -> np.ndarray:
    """Return the pixels of a rendered image."""
    return np.asarray(Image.open(io.BytesIO(body_of(response))))


def problem_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the problem details of a response."""
    found: dict[str, Any] = json.loads(response["body"])
    return found

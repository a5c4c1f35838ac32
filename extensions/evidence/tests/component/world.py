"""The evidence and custody functions with a stack's resources in MiniStack."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import boto3

from darkroom.findings import SIMILARITY
from darkroom.image_keys import MASTERS
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.record import READY, MasterRef, Record, pad_sequencer, to_item
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.vectors import StoredVector
from darkroom_pipeline.aws.vectors.factory import open_vectors
from evidence.custody import Custody
from evidence.environment import EvidenceEnvironment
from evidence.identity import sign_identity
from evidence.locked_bucket import LockedBucket
from evidence.tokens import EvidenceGrant, make_token
from extensions import find_extension
from tests.component.aws.similar import make_vector_table
from tests.component.services.functions import Function, load
from tests.component.services.ingest_environment import make_table

HOME = find_extension("evidence").folder
KEY = "0123456789abcdef"
RETENTION = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class World:
    """The functions and what they work on."""

    aws: Callable[[str], Any]
    names: dict[str, str]
    environment: dict[str, str]
    evidence: Function
    receiver: Function

    @classmethod
    def build(cls, aws: Callable[[str], Any], aws_environment: dict[str, str], **variables: str) -> World:
        """Create new resources. ``variables`` are further ones of the evidence function."""
        number = next(_numbers)
        names = {
            name: f"evidence-{name}-{number}" for name in ("uploads", "media", "audit", "custody", "index", "vectors")
        }
        s3, dynamodb = aws("s3"), aws("dynamodb")
        for bucket in ("uploads", "media", "audit"):
            s3.create_bucket(Bucket=names[bucket])
        s3.put_bucket_versioning(Bucket=names["uploads"], VersioningConfiguration={"Status": "Enabled"})
        s3.create_bucket(Bucket=names["custody"], ObjectLockEnabledForBucket=True)
        s3.put_object_lock_configuration(Bucket=names["custody"], ObjectLockConfiguration=RETENTION)
        make_table(dynamodb, names["index"])
        make_vector_table(dynamodb, names["vectors"])
        secret = aws("secretsmanager").create_secret(Name=names["index"], SecretString=json.dumps({"current": KEY}))
        common = {
            **aws_environment,
            "MEDIA_BUCKET": names["media"],
            "UPLOADS_BUCKET": names["uploads"],
            "CUSTODY_BUCKET": names["custody"],
            "AUDIT_BUCKET": names["audit"],
        }
        environment = common | {
            "INDEX_TABLE": names["index"],
            "VECTOR_TABLE": names["vectors"],
            "SIGNING_KEYS_ARN": secret["ARN"],
            "ANALYSIS_TIMEOUT_S": "600",  # however slow the machine is
            **variables,
        }
        return cls(
            aws,
            names,
            environment,
            load("evidence", environment, {}, within=HOME),
            load("custody", common, within=HOME),
        )

    @property
    def custody(self) -> Custody:
        """Records, without entries in the audit log."""
        return Custody(LockedBucket(self.aws("s3"), self.names["custody"]), None)

    def sign(self, action: str, key: str, reason: str, **credentials: str) -> dict[str, object]:
        """What an operator sends, who signs by the credentials of the tests, or by others."""
        sts = self.aws("sts")
        if credentials:
            sts = boto3.client(
                "sts", region_name=sts.meta.region_name, endpoint_url=sts.meta.endpoint_url, **credentials
            )
        return {action: {"key": key, "reason": reason, "identity": sign_identity(sts, action, key, reason)}}

    def upload(self, key: str, body: bytes, *, ingest: bool = True, **changes: Any) -> str:
        """Upload ``body``, as ingest leaves the index; return the version."""
        version_id = str(self.aws("s3").put_object(Bucket=self.names["uploads"], Key=key, Body=body)["VersionId"])
        if ingest:
            stored = self.aws("s3").put_object(Bucket=self.names["media"], Key=MASTERS.name(key), Body=body)
            master = MasterRef(stored["ETag"], "1", version_id, "image/jpeg", len(body))
            digest = sha256(body).hexdigest()
            values = {"version_id": version_id, "master": master, "sha256": digest} | changes
            item = to_item(Record(key, READY, pad_sequencer("1"), **values))
            self.aws("dynamodb").put_item(TableName=self.names["index"], Item=item)
        return version_id

    def embed(self, key: str, vector: tuple[float, ...]) -> None:
        """Store the embedding of the current master, where the function searches."""
        head = self.aws("s3").head_object(Bucket=self.names["media"], Key=MASTERS.name(key))
        stores = open_vectors(EvidenceEnvironment(self.environment), self.aws("dynamodb"))
        stores[SIMILARITY].put(StoredVector(key, vector, head["ETag"].strip('"'), "sscd 1", ""))

    def receive(self, key: str, version_id: str) -> Any:
        """Send the event of an upload to the custody function."""
        detail = {
            "bucket": {"name": self.names["uploads"]},
            "object": {"key": key, "version-id": version_id, "sequencer": "1", "size": 1},
            "reason": "PutObject",
            "requester": "111122223333",
            "source-ip-address": "192.0.2.7",
        }
        return self.receiver.invoke({"Records": [{"body": json.dumps({"detail": detail})}]})

    def token(self, prefix: str = "trips/", person: str = "anna@example.com", expires_s: int | None = None) -> str:
        return make_token(EvidenceGrant(prefix, expires_s or int(time.time()) + 600, person), KEY)

    def request(
        self, key: str, token: str = "", method: str = "GET", query: str = "evidence", body: str = "", **headers: str
    ) -> dict[str, Any]:
        """Request the report as the HTTP API does."""
        sent = headers | ({"authorization": f"Bearer {token}"} if token else {})
        event = {
            "routeKey": "ANY /_evidence/{key+}",
            "rawPath": f"/_evidence/{key}",
            "headers": sent,
            "pathParameters": {"key": key},
            "queryStringParameters": {"f": query} if query else {},
            "requestContext": {"http": {"method": method}},
            "body": body,
        }
        return dict(self.evidence.invoke(event))

    def read_audit(self) -> list[dict[str, Any]]:
        return AuditLog(S3Bucket(self.aws("s3"), self.names["audit"])).list_newest(50)

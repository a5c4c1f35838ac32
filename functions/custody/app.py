"""The custody function: copies each upload into the locked bucket, and records who sent it."""

from __future__ import annotations

import json
from typing import Any

from darkroom.aws.audit import AuditLog
from darkroom.aws.clients import create_client
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.telemetry.powertools import PowertoolsObserver
from evidence.custody import Custody
from evidence.environment import CustodyEnvironment
from evidence.locked_bucket import LockedBucket
from evidence.receiving import Receiver

_env = CustodyEnvironment()
_observer = PowertoolsObserver("custody")
_s3 = create_client("s3")
_receiver = Receiver(
    client=_s3,
    uploads=S3Bucket(_s3, _env.uploads_bucket),
    custody=Custody(LockedBucket(_s3, _env.custody_bucket), AuditLog(S3Bucket(_s3, _env.audit_bucket))),
)


def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Copy the upload of each SQS message, an EventBridge event of S3. A message that fails is received again."""
    _observer.begin(context)
    digests = []
    for message in event["Records"]:
        with _observer.message("receive"):
            digests.append(_receiver.receive(json.loads(message["body"])["detail"]))
    return {"sha256": digests}

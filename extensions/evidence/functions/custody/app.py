"""The custody function: copies each upload into the locked bucket, records who sent it, and sets legal holds."""

from __future__ import annotations

import json
from typing import Any

from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from evidence.custody import Custody
from evidence.environment import CustodyEnvironment
from evidence.identity import HOLD, RELEASE, prove_request
from evidence.locked_bucket import LockedBucket
from evidence.receiving import Receiver

_env = CustodyEnvironment()
_observer = PowertoolsObserver("custody")
_s3 = create_client("s3")
_sts = create_client("sts").meta.endpoint_url
_custody = Custody(LockedBucket(_s3, _env.custody_bucket), AuditLog(S3Bucket(_s3, _env.audit_bucket)))
_receiver = Receiver(client=_s3, uploads=S3Bucket(_s3, _env.uploads_bucket), custody=_custody)


def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Copy the upload of each SQS message, an EventBridge event of S3. A message that fails is received again.

    Only principals with the permission to invoke the function can set a legal hold, ``{"hold": {"key": …, "reason": …,
    "identity": …}}``, with the signed query of :mod:`evidence.identity`, or remove it: ``{"release": …}``.
    """
    _observer.begin(context)
    for action in (HOLD, RELEASE):
        if asked := event.get(action):
            with _observer.message(action, key=asked["key"]):
                key, reason, operator = prove_request(asked, action, _sts)
                return {"copies": _custody.set_hold(key, operator, reason, is_on=action == HOLD)}
    digests = []
    for message in event["Records"]:
        with _observer.message("receive"):
            digests.append(_receiver.receive(json.loads(message["body"])["detail"]))
    return {"sha256": digests}

"""Check the stack on AWS, as its users use it, and say when to do so (`./darkroom smoke`)."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from cli.smoke.failures import require
from cli.smoke.further import find_further
from cli.smoke.model import Check
from cli.smoke.plan import Step
from cli.smoke.world import World

READY_WITHIN_S = 300.0
TOKEN_LASTS_S = 3600


def report_evidence(world: World) -> str:
    """Get the report of an image, and find its locked copy."""
    from evidence.tokens import EvidenceGrant, make_token

    stack = find_further(world, "evidence")
    grant = EvidenceGrant(world.image, int(time.time()) + TOKEN_LASTS_S, "smoke")
    url = f"{world.upload_url}/_evidence/{quote(world.image, safe='/')}?f=evidence"
    token = make_token(grant, world.signing_key)
    answer = world.request("GET", url, {"Authorization": f"Bearer {token}", "Accept": "application/json"})
    require(answer.status == 200, f"the answer is {answer.status}: {answer.body[:200]!r}")
    measures = len(answer.document()["measures"])
    if stack.parameters.get("CopyUploads") == "off":
        return f"{measures} measures"
    s3, bucket = world.client("s3"), stack.outputs["CustodyBucketName"]

    def look() -> list[dict[str, Any]]:
        found = s3.list_object_versions(Bucket=bucket, Prefix=f"originals/{world.image}/")
        return list(found.get("Versions", []))

    [copy, *_] = world.wait(look, f"{bucket} has no copy", READY_WITHIN_S)
    retention = s3.get_object_retention(Bucket=bucket, Key=copy["Key"], VersionId=copy["VersionId"])["Retention"]
    return f"{measures} measures; the copy is locked until {retention['RetainUntilDate']:%Y-%m-%d} and stays"


CHECK = Check(
    "evidence",
    "reports are made, and uploads are copied to a bucket with Object Lock",
    "the logs of both functions; messages of CustodyDeadLettersUrl",
    report_evidence,
)

STEP = Step(
    "Evidence and custody",
    15,
    "Object Lock cannot be removed: the copies of this run stay for LockDays, so deploy it with LockDays=1",
    ("the commands of extensions/evidence/docs/guide.md, section Deploy",),
    "CREATE_COMPLETE of {stack}-evidence",
    {"evidence": "the number of measures, and the day until which the copy is locked"},
    "the log of custody: AccessDenied names the action",
)

"""Custody of images for operators: legal holds, exports, and who the operator is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.deployment import Deployment, make_client, read_further_outputs
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.s3 import S3Bucket

if TYPE_CHECKING:
    from evidence.custody import Custody


@dataclass(frozen=True)
class EvidenceStack:
    """The stack of ``extensions/evidence/stack.yaml`` beside ``deployment``, by its ``outputs``."""

    deployment: Deployment
    outputs: Mapping[str, str]

    @property
    def custody(self) -> Custody:
        """Its records, and their entries in the audit log of the other stack."""
        from evidence.custody import Custody
        from evidence.locked_bucket import LockedBucket

        s3 = self.deployment.client("s3")
        audit = AuditLog(S3Bucket(s3, self.deployment.output("AuditBucketName")))
        return Custody(LockedBucket(s3, self.outputs["CustodyBucketName"]), audit)


def read_stack(deployment: Deployment, name: str) -> EvidenceStack:
    """Read the stack ``name``, by default that of ``deployment`` with ``-evidence``. Raises NoStack."""
    return EvidenceStack(deployment, read_further_outputs(deployment, "evidence", name))


def _ask(stack: EvidenceStack, function: str, action: str, key: str, reason: str) -> dict[str, Any]:
    """Have the function of the output ``function`` do ``action``, with a proof of who asks. Raises ValueError."""
    from evidence.identity import sign_identity

    deployment = stack.deployment
    sts = make_client(deployment.session, "sts", deployment.endpoints.get(""))
    asked = {"key": key, "reason": reason, "identity": sign_identity(sts, action, key, reason)}
    return deployment.invoke(stack.outputs[function], {action: asked})


def set_hold(stack: EvidenceStack, key: str, reason: str, *, is_on: bool) -> int:
    """Set or remove the legal hold of ``key``; return the number of copies. Raises ValueError."""
    return int(_ask(stack, "CustodyFunctionName", "hold" if is_on else "release", key, reason)["copies"])


def export(stack: EvidenceStack, key: str, reason: str) -> tuple[bytes, str]:
    """Return the export of ``key``, and the SHA-256 of the key that signed it. Raises DarkroomError, ValueError.

    The function records the export before the records are read, so that they have it.
    """
    from evidence.export import Evidence, KmsSigner, build_export

    report = _ask(stack, "EvidenceFunctionName", "export", key, reason)
    evidence = Evidence(report, read_original(stack, report), stack.custody.read(key))
    body, signature = build_export(evidence, KmsSigner(stack.deployment.client("kms"), stack.outputs["ExportKeyId"]))
    return body, signature.fingerprint


def read_original(stack: EvidenceStack, report: Mapping[str, Any]) -> bytes:
    """Return the upload that ``report`` is about, empty if it is gone."""
    from evidence.locked_bucket import read_version

    original, key = report["original"], report["key"]
    s3 = stack.deployment.client("s3")
    for version in stack.custody.list_originals(key):
        if version.name.endswith(f"/_/{original['version_id']}"):
            return stack.custody.bucket.read(version)
    uploads = stack.deployment.output("UploadsBucketName")
    if S3Bucket(s3, uploads).head(key, original["version_id"]) is None:
        return b""
    return read_version(s3, uploads, key, original["version_id"])

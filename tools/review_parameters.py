"""Parameters of ``stacks/review.yaml`` for a deployed stack of ``template.yaml``."""

from __future__ import annotations

from collections.abc import Mapping


def build_parameters(
    name: str, cdn_url: str, outputs: Mapping[str, str], parameters: Mapping[str, str]
) -> dict[str, str]:
    """Return the parameters by name, from the stack's ``outputs`` and ``parameters``.

    ``cdn_url`` is where browsers reach its CDN, without a slash at the end. Raises KeyError for a missing output.
    """
    return {
        "StackName": name,
        "CdnUrl": cdn_url,
        "ApiId": outputs["UploadApiUrl"].split("//", 1)[1].split(".", 1)[0],
        "MediaBucket": outputs["MediaBucketName"],
        "SourceBucket": parameters.get("SourceBucket", ""),
        "SourcePrefix": parameters.get("SourcePrefix", "masters/"),
        "IndexTable": outputs["IndexTableName"],
        "AuditBucket": outputs["AuditBucketName"],
        "ReviewQueueUrl": outputs["ReviewQueueUrl"],
        "SigningKeysArn": outputs["SigningKeysArn"],
        "KmsKeyArn": parameters.get("KmsKeyArn", ""),
        "Arch": parameters.get("Arch", "arm64"),
        "LogDays": parameters.get("RetentionDays", "90,30,14,30,365").split(",")[3],
    }

"""Parameters of ``stacks/review.yaml`` for a deployed stack of ``template.yaml``."""

from __future__ import annotations

from collections.abc import Mapping

from .stack_parameters import build_common_parameters


def build_parameters(
    name: str, cdn_url: str, outputs: Mapping[str, str], parameters: Mapping[str, str]
) -> dict[str, str]:
    """Return the parameters by name, from the stack's ``outputs`` and ``parameters``.

    ``cdn_url`` is where browsers reach its CDN, without a slash at the end. Raises KeyError for a missing output.
    """
    return build_common_parameters(name, outputs, parameters) | {
        "CdnUrl": cdn_url,
        "IndexTable": outputs["IndexTableName"],
        "AuditBucket": outputs["AuditBucketName"],
        "ReviewQueueUrl": outputs["ReviewQueueUrl"],
    }

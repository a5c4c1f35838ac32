"""Parameters of ``stacks/evidence.yaml`` for a deployed stack of ``template.yaml``."""

from __future__ import annotations

from collections.abc import Mapping

from .stack_parameters import build_common_parameters


def build_parameters(name: str, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters by name, from the stack's ``outputs`` and ``parameters``; KeyError for a missing one."""
    in_table = parameters.get("SimilarityStore", "table") == "table"
    return build_common_parameters(name, outputs, parameters) | {
        "UploadsBucket": outputs["UploadsBucketName"],
        "AuditBucket": outputs["AuditBucketName"],
        "IndexTable": outputs["IndexTableName"],
        "VectorTable": outputs["VectorTableName"] if in_table else "",
        "InferenceMode": parameters.get("InferenceMode", "off"),
    }

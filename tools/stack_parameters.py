"""Parameters of the stacks beside a deployed stack of ``template.yaml``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

type BuildParameters = Callable[[str, Mapping[str, str], Mapping[str, str]], Mapping[str, str]]
"""From name, outputs and parameters of the stack of ``template.yaml`` to parameters of the other one."""


def build_common_parameters(name: str, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return all parameters of ``stacks/textures.yaml`` by name; ``stacks/review.yaml`` has them, too.

    ``outputs`` and ``parameters`` are those of the stack ``name``. Raises KeyError for a missing output.
    """
    return {
        "StackName": name,
        "ApiId": outputs["UploadApiUrl"].split("//", 1)[1].split(".", 1)[0],
        "MediaBucket": outputs["MediaBucketName"],
        "SourceBucket": parameters.get("SourceBucket", ""),
        "SourcePrefix": parameters.get("SourcePrefix", "masters/"),
        "SigningKeysArn": outputs["SigningKeysArn"],
        "KmsKeyArn": parameters.get("KmsKeyArn", ""),
        "Arch": parameters.get("Arch", "arm64"),
        "LogDays": parameters.get("RetentionDays", "90,30,14,30,365").split(",")[3],
    }


def build_map_tiles_parameters(name: str, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of ``stacks/map-tiles.yaml``: no route of the API leads to it, and it reads no master."""
    found = build_common_parameters(name, outputs, parameters)
    return {one: found[one] for one in ("StackName", "MediaBucket", "SigningKeysArn", "KmsKeyArn", "Arch", "LogDays")}


def build_medical_parameters(name: str, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of ``stacks/medical.yaml``, which has buckets and an API of its own."""
    found = build_common_parameters(name, outputs, parameters)
    shared = {one: found[one] for one in ("StackName", "SigningKeysArn", "KmsKeyArn", "Arch", "LogDays")}
    return shared | {"EndpointName": outputs.get("InferEndpointName", "")}


def build_documents_parameters(name: str, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of ``stacks/documents.yaml``, which writes into the bucket of uploads alone."""
    found = build_common_parameters(name, outputs, parameters)
    shared = {one: found[one] for one in ("StackName", "KmsKeyArn", "Arch", "LogDays")}
    return shared | {"UploadsBucket": outputs["UploadsBucketName"]}


def build_evidence_parameters(name: str, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of ``stacks/evidence.yaml``."""
    return build_common_parameters(name, outputs, parameters) | {
        "UploadsBucket": outputs["UploadsBucketName"],
        "AuditBucket": outputs["AuditBucketName"],
        "IndexTable": outputs["IndexTableName"],
        "VectorTable": outputs["VectorTableName"],
        "VectorIndexArns": outputs.get("VectorIndexArns", ""),
        "InferenceMode": parameters.get("InferenceMode", "off"),
    }


def build_review_parameters(
    name: str, outputs: Mapping[str, str], parameters: Mapping[str, str], *, cdn_url: str
) -> dict[str, str]:
    """Return the parameters of ``stacks/review.yaml``.

    ``cdn_url`` is where browsers reach the CDN of the first stack, without a slash at the end.
    """
    return build_common_parameters(name, outputs, parameters) | {
        "CdnUrl": cdn_url,
        "IndexTable": outputs["IndexTableName"],
        "AuditBucket": outputs["AuditBucketName"],
        "ReviewQueueUrl": outputs["ReviewQueueUrl"],
    }

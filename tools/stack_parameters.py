"""Parameters that the stacks beside a deployed stack of ``template.yaml`` have in common."""

from __future__ import annotations

from collections.abc import Mapping


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

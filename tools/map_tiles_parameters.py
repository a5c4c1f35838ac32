"""Parameters of ``stacks/map-tiles.yaml`` for a deployed stack of ``template.yaml``."""

from __future__ import annotations

from collections.abc import Mapping


def build_parameters(name: str, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters by name, from the stack's ``outputs`` and ``parameters``; KeyError for a missing one."""
    return {
        "StackName": name,
        "MediaBucket": outputs["MediaBucketName"],
        "SigningKeysArn": outputs["SigningKeysArn"],
        "KmsKeyArn": parameters.get("KmsKeyArn", ""),
        "Arch": parameters.get("Arch", "arm64"),
        "LogDays": parameters.get("RetentionDays", "90,30,14,30,365").split(",")[3],
    }

"""Parameters of the stacks beside a deployed stack of ``template.yaml``: a name means the same in all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.template_values import read_template


@dataclass(frozen=True, slots=True)
class FirstStack:
    """A deployed stack of ``template.yaml``. ``cdn_url`` is the address of its CDN, without a slash at the end."""

    name: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    cdn_url: str


SOURCES: Mapping[str, Callable[[FirstStack], str]] = {
    "StackName": lambda first: first.name,
    "ApiId": lambda first: first.outputs["UploadApiUrl"].split("//", 1)[1].split(".", 1)[0],
    "AuditBucket": lambda first: first.outputs["AuditBucketName"],
    "CdnUrl": lambda first: first.cdn_url,
    "IndexTable": lambda first: first.outputs["IndexTableName"],
    "MediaBucket": lambda first: first.outputs["MediaBucketName"],
    "ReviewQueueUrl": lambda first: first.outputs["ReviewQueueUrl"],
    "SigningKeysArn": lambda first: first.outputs["SigningKeysArn"],
    "UploadsBucket": lambda first: first.outputs["UploadsBucketName"],
    "VectorTable": lambda first: first.outputs["VectorTableName"],
    "EndpointName": lambda first: first.outputs.get("InferEndpointName", ""),
    "VectorIndexArns": lambda first: first.outputs.get("VectorIndexArns", ""),
    "Arch": lambda first: first.parameters.get("Arch", "arm64"),
    "InferenceMode": lambda first: first.parameters.get("InferenceMode", "off"),
    "KmsKeyArn": lambda first: first.parameters.get("KmsKeyArn", ""),
    "LogDays": lambda first: first.parameters.get("RetentionDays", "90,30,14,30,365").split(",")[3],
    "SourceBucket": lambda first: first.parameters.get("SourceBucket", ""),
    "SourcePrefix": lambda first: first.parameters.get("SourcePrefix", "masters/"),
}
"""Values that describe the first stack, by the name of the parameter. KeyError for an output that it does not have."""


def build_parameters(template: Path, first: FirstStack) -> dict[str, str]:
    """Return the parameters of ``template`` that describe the stack ``first``. Raises KeyError for a missing output."""
    return {name: SOURCES[name](first) for name in read_template(template)["Parameters"] if name in SOURCES}

"""The model registry: versions in a SageMaker model package group, with metrics, lineage and approval."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from darkroom.errors import NoSuchVersion
from darkroom_pipeline.aws.clients import error_code, translate_errors

PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"
"""SageMaker's approval statuses."""

_METRICS, _LINEAGE = "metric.", "lineage."
"""Prefixes of a version's properties: SageMaker stores one flat map of at most 50 strings."""

MAX_PROPERTIES, MAX_VALUE = 50, 256
"""SageMaker's limits of properties, and of characters of one."""

_UNKNOWN = frozenset({"ResourceNotFound", "ValidationException"})
"""Error codes for an unknown version, depending on its ARN."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version. ``image`` is the container's, with tag or digest; ``metrics`` are numbers by name.

    ``lineage`` has its origins, such as ``dataset``, ``parent`` and ``revision``. The registry assigns ``arn`` and
    ``version``; ``reason`` is that of its approval or rejection.
    """

    image: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    lineage: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    approval: str = PENDING
    arn: str = ""
    version: int = 0
    reason: str = ""


class ModelRegistry:
    """The model package group ``group``. Raises Unavailable for any failure."""

    def __init__(self, client: Any, group: str) -> None:
        self._client = client
        self.group = group

    def register(self, model: ModelVersion) -> str:
        """Register a version; return its ARN.

        The first one creates the group, which outlives stacks and is in no template. Raises ValueError for properties
        over SageMaker's limits.
        """
        properties = _properties(model)
        self._ensure_group()
        with translate_errors(f"register a version of {self.group}"):
            answer = self._client.create_model_package(
                ModelPackageGroupName=self.group,
                ModelPackageDescription=model.description or f"Image {model.image}",
                InferenceSpecification={
                    "Containers": [{"Image": model.image}],
                    "SupportedContentTypes": ["image/jpeg"],
                    "SupportedResponseMIMETypes": ["application/json"],
                },
                ModelApprovalStatus=model.approval,
                CustomerMetadataProperties=properties,
            )
            return str(answer["ModelPackageArn"])

    def _ensure_group(self) -> None:
        with translate_errors(f"model package group {self.group}"):
            try:
                self._client.describe_model_package_group(ModelPackageGroupName=self.group)
            except ClientError as error:
                if error_code(error) not in _UNKNOWN:
                    raise
                self._client.create_model_package_group(
                    ModelPackageGroupName=self.group, ModelPackageGroupDescription="Darkroom: versions of models"
                )

    def list_versions(self) -> list[ModelVersion]:
        """Return all versions, newest first; none without the group."""
        arns: list[str] = []
        asked: dict[str, Any] = {
            "ModelPackageGroupName": self.group,
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": 100,
        }
        while True:
            with translate_errors(f"versions of {self.group}"):
                try:
                    answer = self._client.list_model_packages(**asked)
                except ClientError as error:
                    if error_code(error) in _UNKNOWN:
                        return []
                    raise
                arns += [str(one["ModelPackageArn"]) for one in answer["ModelPackageSummaryList"]]
            if not answer.get("NextToken"):
                found = [self.get_version(arn) for arn in arns]
                return sorted(found, key=lambda one: one.version, reverse=True)
            asked["NextToken"] = answer["NextToken"]

    def get_version(self, arn: str) -> ModelVersion:
        """Return the version ``arn``. Raises NoSuchVersion."""
        with translate_errors(f"model version {arn}"):
            try:
                answer = self._client.describe_model_package(ModelPackageName=arn)
            except ClientError as error:
                if error_code(error) in _UNKNOWN:
                    raise NoSuchVersion(detail=repr(error)) from error
                raise
            return _parse_version(answer)

    def find_by_image(self, image: str) -> ModelVersion | None:
        """Return the newest version with ``image``, None without one."""
        return next((one for one in self.list_versions() if one.image == image), None)

    def approve(self, arn: str, why: str) -> None:
        """Approve ``arn``. Raises NoSuchVersion."""
        self._set_approval(arn, APPROVED, why)

    def reject(self, arn: str, why: str) -> None:
        """Reject ``arn``. Raises NoSuchVersion."""
        self._set_approval(arn, REJECTED, why)

    def _set_approval(self, arn: str, approval: str, why: str) -> None:
        with translate_errors(f"{approval} {arn}"):
            try:
                self._client.update_model_package(
                    ModelPackageArn=arn, ModelApprovalStatus=approval, ApprovalDescription=why[:1024]
                )
            except ClientError as error:
                if error_code(error) in _UNKNOWN:
                    raise NoSuchVersion(detail=repr(error)) from error
                raise


def _properties(model: ModelVersion) -> dict[str, str]:
    figures = {_METRICS + name: json.dumps(value) for name, value in model.metrics.items()}
    properties = figures | {_LINEAGE + name: text for name, text in model.lineage.items()}
    if len(properties) > MAX_PROPERTIES or any(not 0 < len(text) <= MAX_VALUE for text in properties.values()):
        raise ValueError(
            f"a version has at most {MAX_PROPERTIES} metrics and origins, each of 1 to {MAX_VALUE} characters"
        )
    return properties


def _parse_version(answer: Mapping[str, Any]) -> ModelVersion:
    properties = answer.get("CustomerMetadataProperties", {})
    return ModelVersion(
        image=str(answer["InferenceSpecification"]["Containers"][0]["Image"]),
        metrics={name: json.loads(text) for name, text in _with_prefix(properties, _METRICS).items()},
        lineage=_with_prefix(properties, _LINEAGE),
        description=str(answer.get("ModelPackageDescription", "")),
        approval=str(answer["ModelApprovalStatus"]),
        arn=str(answer["ModelPackageArn"]),
        version=int(answer.get("ModelPackageVersion", 0)),
        reason=str(answer.get("ApprovalDescription", "")),
    )


def _with_prefix(properties: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): text for name, text in properties.items() if name.startswith(prefix)}

"""The model registry over files: groups of model packages, and their versions with metadata and approval.

Shapes and limits are those of botocore's service model (sagemaker 2017-07-24). Names are checked here, since they
become names of files; what a client checks before it sends anything is not checked again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..paths import REGION
from .document_store import DocumentStore
from .service_errors import RequestError, invalid

ACCOUNT = "000000000000"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"

APPROVALS = ("Approved", "Rejected", "PendingManualApproval")
MAX_PROPERTIES, MAX_PROPERTY_NAME, MAX_PROPERTY_VALUE = 50, 128, 256
"""Of ``CustomerMetadataProperties``: how many, and the characters of each."""

PAGE = 10
"""Versions that are listed at a time unless ``MaxResults`` says otherwise, which is at most 100."""

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_VERSION = re.compile(r"arn:aws:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/([a-zA-Z0-9-]{1,63})/([1-9][0-9]{0,8})")
_KEPT = ("ModelPackageDescription", "InferenceSpecification", "ModelMetrics", "MetadataProperties")
_LISTED = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
)


class Packages:
    """Each method is an API action: it takes the request's document and returns the answer's; raises Refusal."""

    def __init__(self, documents: DocumentStore, clock: Callable[[], float] = time.time) -> None:
        self._documents = documents
        self._clock = clock

    def create_group(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """``CreateModelPackageGroup``."""
        name = _group(asked)
        arn = _group_arn(name)
        if self._documents.read(_group_file(name)) is not None:
            raise RequestError(invalid(f"ModelPackageGroup already exists: {arn}"))
        group = {"ModelPackageGroupName": name, "ModelPackageGroupArn": arn, "CreationTime": self._clock()}
        described = {key: asked[key] for key in ("ModelPackageGroupDescription",) if key in asked}
        self._documents.write(
            _group_file(name), {**group, **described, "ModelPackageGroupStatus": "Completed", "CreatedBy": {}}
        )
        return {"ModelPackageGroupArn": arn}

    def describe_group(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """``DescribeModelPackageGroup``."""
        name = _group(asked)
        found = self._documents.read(_group_file(name))
        if found is None:
            raise RequestError(invalid(f"ModelPackageGroup {_group_arn(name)} does not exist."))
        return found

    def create(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """``CreateModelPackage``: the next version in a group."""
        name = self.describe_group(asked)["ModelPackageGroupName"]
        number = 1 + max((one["ModelPackageVersion"] for one in self._versions(name)), default=0)
        arn = f"{ARN}:model-package/{name}/{number}"
        self._write(
            {key: asked[key] for key in _KEPT if key in asked}
            | {
                "ModelPackageGroupName": name,
                "ModelPackageVersion": number,
                "ModelPackageArn": arn,
                "CreationTime": self._clock(),
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
                "ModelApprovalStatus": _approval(asked.get("ModelApprovalStatus", APPROVALS[-1])),
                "CustomerMetadataProperties": _properties(asked.get("CustomerMetadataProperties", {})),
            }
        )
        return {"ModelPackageArn": arn}

    def describe(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """``DescribeModelPackage``, by the version's ARN."""
        arn = str(asked["ModelPackageName"])
        matched = _VERSION.fullmatch(arn)
        found = self._documents.read(_version_file(matched[1], int(matched[2]))) if matched else None
        if found is None:
            raise RequestError(invalid(f"ModelPackage {arn} does not exist."))
        return found

    def list_all(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """``ListModelPackages`` of a group, the oldest first unless ``SortOrder`` is Descending, by pages."""
        name = self.describe_group(asked)["ModelPackageGroupName"]
        wanted = asked.get("ModelApprovalStatus")
        found = [one for one in self._versions(name) if wanted in (None, one["ModelApprovalStatus"])]
        if asked.get("SortOrder") == "Descending":
            found.reverse()
        start, size = int(asked.get("NextToken", 0)), int(asked.get("MaxResults", PAGE))
        page = [{key: one[key] for key in _LISTED if key in one} for one in found[start : start + size]]
        more = {"NextToken": str(start + size)} if start + size < len(found) else {}
        return {"ModelPackageSummaryList": page, **more}

    def update(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """``UpdateModelPackage``: its approval, and its metadata."""
        known = self.describe({"ModelPackageName": asked["ModelPackageArn"]})
        removed = set(asked.get("CustomerMetadataPropertiesToRemove", ()))
        kept = {name: value for name, value in known["CustomerMetadataProperties"].items() if name not in removed}
        known["CustomerMetadataProperties"] = _properties(kept | asked.get("CustomerMetadataProperties", {}))
        if "ModelApprovalStatus" in asked:
            known["ModelApprovalStatus"] = _approval(asked["ModelApprovalStatus"])
        if "ApprovalDescription" in asked:
            known["ApprovalDescription"] = asked["ApprovalDescription"]
        self._write({**known, "LastModifiedTime": self._clock()})
        return {"ModelPackageArn": known["ModelPackageArn"]}

    def _versions(self, group: str) -> list[dict[str, Any]]:
        return self._documents.below(f"packages/{group}")

    def _write(self, package: dict[str, Any]) -> None:
        self._documents.write(_version_file(package["ModelPackageGroupName"], package["ModelPackageVersion"]), package)


def _group(asked: Mapping[str, Any]) -> str:
    """The name of a group that is called by its name or its ARN."""
    name = str(asked.get("ModelPackageGroupName", "")).rpartition("/")[2]
    if not _NAME.fullmatch(name):
        raise RequestError(invalid("ModelPackageGroupName must be a name of letters, digits and hyphens, or an ARN"))
    return name


def _group_arn(name: str) -> str:
    return f"{ARN}:model-package-group/{name}"


def _group_file(name: str) -> str:
    return f"groups/{name}"


def _version_file(group: str, number: int) -> str:
    return f"packages/{group}/{number:09}"


def _approval(status: str) -> str:
    if status not in APPROVALS:
        raise RequestError(invalid(f"ModelApprovalStatus is one of {', '.join(APPROVALS)}"))
    return status


def _properties(properties: Mapping[str, str]) -> dict[str, str]:
    if len(properties) > MAX_PROPERTIES:
        raise RequestError(invalid(f"CustomerMetadataProperties has more than {MAX_PROPERTIES} members"))
    for name, value in properties.items():
        if not 1 <= len(name) <= MAX_PROPERTY_NAME or not 1 <= len(value) <= MAX_PROPERTY_VALUE:
            raise RequestError(
                invalid(
                    f"CustomerMetadataProperties: a name has 1 to {MAX_PROPERTY_NAME} characters, "
                    f"a value 1 to {MAX_PROPERTY_VALUE}"
                )
            )
    return dict(properties)

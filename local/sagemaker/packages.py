"""The model registry in files: model package groups, and versions with metadata and approval.

Shapes and limits are those of botocore's service model (sagemaker 2017-07-24). Names are validated because they become
file names; what a client validates before it sends a request is not validated again.
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
"""Limits of ``CustomerMetadataProperties``: number, and characters of names and values."""

PAGE = 10
"""Versions on one page unless ``MaxResults`` is given, which is at most 100."""

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_VERSION = re.compile(r"arn:aws:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/([a-zA-Z0-9-]{1,63})/([1-9][0-9]{0,8})")
_STORED = ("ModelPackageDescription", "InferenceSpecification", "ModelMetrics", "MetadataProperties")
_SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
)


class Packages:
    """Each method is an API action: request document in, response document out. All raise RequestError."""

    def __init__(self, documents: DocumentStore, clock: Callable[[], float] = time.time) -> None:
        self._documents = documents
        self._clock = clock

    def create_group(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``CreateModelPackageGroup``."""
        name = _group(request)
        arn = _group_arn(name)
        if self._documents.read(_group_file(name)) is not None:
            raise RequestError(invalid(f"ModelPackageGroup already exists: {arn}"))
        group = {"ModelPackageGroupName": name, "ModelPackageGroupArn": arn, "CreationTime": self._clock()}
        described = {key: request[key] for key in ("ModelPackageGroupDescription",) if key in request}
        self._documents.write(
            _group_file(name), {**group, **described, "ModelPackageGroupStatus": "Completed", "CreatedBy": {}}
        )
        return {"ModelPackageGroupArn": arn}

    def describe_group(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``DescribeModelPackageGroup``."""
        name = _group(request)
        found = self._documents.read(_group_file(name))
        if found is None:
            raise RequestError(invalid(f"ModelPackageGroup {_group_arn(name)} does not exist."))
        return found

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``CreateModelPackage``: create the next version in a group."""
        name = self.describe_group(request)["ModelPackageGroupName"]
        number = 1 + max((one["ModelPackageVersion"] for one in self._versions(name)), default=0)
        arn = f"{ARN}:model-package/{name}/{number}"
        self._write(
            {key: request[key] for key in _STORED if key in request}
            | {
                "ModelPackageGroupName": name,
                "ModelPackageVersion": number,
                "ModelPackageArn": arn,
                "CreationTime": self._clock(),
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
                "ModelApprovalStatus": _approval(request.get("ModelApprovalStatus", APPROVALS[-1])),
                "CustomerMetadataProperties": _properties(request.get("CustomerMetadataProperties", {})),
            }
        )
        return {"ModelPackageArn": arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``DescribeModelPackage``, by the version's ARN."""
        arn = str(request["ModelPackageName"])
        matched = _VERSION.fullmatch(arn)
        found = self._documents.read(_version_file(matched[1], int(matched[2]))) if matched else None
        if found is None:
            raise RequestError(invalid(f"ModelPackage {arn} does not exist."))
        return found

    def list_all(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``ListModelPackages`` of a group, oldest first unless ``SortOrder`` is Descending, in pages."""
        name = self.describe_group(request)["ModelPackageGroupName"]
        status = request.get("ModelApprovalStatus")
        found = [one for one in self._versions(name) if status in (None, one["ModelApprovalStatus"])]
        if request.get("SortOrder") == "Descending":
            found.reverse()
        start, size = int(request.get("NextToken", 0)), int(request.get("MaxResults", PAGE))
        page = [{key: one[key] for key in _SUMMARY if key in one} for one in found[start : start + size]]
        more = {"NextToken": str(start + size)} if start + size < len(found) else {}
        return {"ModelPackageSummaryList": page, **more}

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``UpdateModelPackage``: change approval and metadata."""
        known = self.describe({"ModelPackageName": request["ModelPackageArn"]})
        removed = set(request.get("CustomerMetadataPropertiesToRemove", ()))
        properties = {name: value for name, value in known["CustomerMetadataProperties"].items() if name not in removed}
        known["CustomerMetadataProperties"] = _properties(properties | request.get("CustomerMetadataProperties", {}))
        if "ModelApprovalStatus" in request:
            known["ModelApprovalStatus"] = _approval(request["ModelApprovalStatus"])
        if "ApprovalDescription" in request:
            known["ApprovalDescription"] = request["ApprovalDescription"]
        self._write({**known, "LastModifiedTime": self._clock()})
        return {"ModelPackageArn": known["ModelPackageArn"]}

    def _versions(self, group: str) -> list[dict[str, Any]]:
        return self._documents.list_folder(f"packages/{group}")

    def _write(self, package: dict[str, Any]) -> None:
        self._documents.write(_version_file(package["ModelPackageGroupName"], package["ModelPackageVersion"]), package)


def _group(request: Mapping[str, Any]) -> str:
    """Return the name of a group, which may be given as an ARN."""
    name = str(request.get("ModelPackageGroupName", "")).rpartition("/")[2]
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
        raise RequestError(invalid(f"ModelApprovalStatus must be one of {', '.join(APPROVALS)}"))
    return status


def _properties(properties: Mapping[str, str]) -> dict[str, str]:
    if len(properties) > MAX_PROPERTIES:
        raise RequestError(invalid(f"CustomerMetadataProperties has more than {MAX_PROPERTIES} members"))
    for name, value in properties.items():
        if not 1 <= len(name) <= MAX_PROPERTY_NAME or not 1 <= len(value) <= MAX_PROPERTY_VALUE:
            raise RequestError(
                invalid(
                    f"CustomerMetadataProperties: names have 1 to {MAX_PROPERTY_NAME} characters, "
                    f"values 1 to {MAX_PROPERTY_VALUE}"
                )
            )
    return dict(properties)

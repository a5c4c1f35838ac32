"""Conversion of lifecycle rules from CloudFormation to S3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import LifecycleRuleTypeDef

_FILTERS: Mapping[str, Callable[[Any], Any]] = {"Prefix": str, "ObjectSizeGreaterThan": int}

_PROPERTIES: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "Id": lambda name: {"ID": name},
    "Status": lambda status: {"Status": status},
    "ExpirationInDays": lambda days: {"Expiration": {"Days": int(days)}},
    "ExpiredObjectDeleteMarker": lambda expires: {"Expiration": {"ExpiredObjectDeleteMarker": expires}},
    "NoncurrentVersionExpiration": lambda how: {
        "NoncurrentVersionExpiration": {"NoncurrentDays": int(how["NoncurrentDays"])}
    },
    "AbortIncompleteMultipartUpload": lambda how: {
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": int(how["DaysAfterInitiation"])}
    },
    "Transitions": lambda transitions: {
        "Transitions": [
            {"StorageClass": moved["StorageClass"], "Days": int(moved["TransitionInDays"])} for moved in transitions
        ]
    },
}


def to_s3_rule(rule: Mapping[str, Any]) -> LifecycleRuleTypeDef:
    """Convert a rule of an ``AWS::S3::Bucket`` to a rule of S3. Raises KeyError for an unknown property."""
    filters = {name: _FILTERS[name](rule[name]) for name in rule if name in _FILTERS}
    converted: Any = {"Filter": {"And": filters} if len(filters) > 1 else filters or {"Prefix": ""}}
    for name in rule.keys() - filters.keys():
        converted |= _PROPERTIES[name](rule[name])
    return converted  # type: ignore[no-any-return]

"""Files of a release in the user's bucket, from which CloudFormation and Lambda read them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from cli.errors import CommandError
from cli.template_values import Resolver

from .release import Release

BUCKET, PREFIX = "ReleaseBucket", "ReleasePrefix"


class WrongBucket(CommandError):
    """The bucket cannot be used. The message has the reason."""


def name_bucket(account: str, region: str) -> str:
    """Return the name of the bucket that is made for releases."""
    return f"darkroom-releases-{account}-{region}"


def name_prefix(version: str) -> str:
    """Return the prefix of the files of a version."""
    return f"darkroom/{version}/"


def name_address(bucket: str, region: str, version: str, path: str) -> str:
    """Return the address at which CloudFormation reads a file of a version in a bucket."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://s3.{region}.{suffix}/{bucket}/{name_prefix(version)}{path}"


def list_needed(template: Mapping[str, Any], values: Mapping[str, str], region: str) -> Iterator[str]:
    """Yield the paths in the release that a deployment with the parameters ``values`` reads, each once."""
    resolver = Resolver(template, values, "darkroom", region, is_planned=True)
    prefix, seen = values[PREFIX], set()
    for resource in template["Resources"].values():
        if not resolver.holds(resource.get("Condition")):
            continue
        for value in resource.get("Properties", {}).values():
            text = _reference(value)
            if text is not None and (path := str(resolver.resolve(text)).partition(prefix)[2]) not in seen:
                seen.add(path)
                yield path


def _reference(value: Any) -> dict[str, str] | None:
    """Return the expression that names a file of the release in a property, if there is one."""
    key = value.get("Key", value) if isinstance(value, dict) else None
    is_reference = isinstance(key, dict) and f"${{{PREFIX}}}" in str(key.get("Fn::Sub", ""))
    return key if is_reference else None


def ensure_bucket(s3: Any, bucket: str, region: str, account: str) -> bool:
    """Make sure that a bucket of the account exists in the region; return whether it was made. Raises WrongBucket.

    A new one blocks public access. Its owner is checked, because names of buckets are global.
    """
    try:
        found = s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise WrongBucket(f"the bucket {bucket} cannot be used: {error}") from error
    else:
        where = found.get("BucketRegion") or found["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", region)
        if where != region:
            raise WrongBucket(f"the bucket {bucket} is in {where}; Lambda reads code from one in {region} only")
        return False
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **place)
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
    return True


def upload_files(
    s3: Any, bucket: str, release: Release, paths: Iterator[str], report: Callable[[str, int], object]
) -> None:
    """Copy files of a release to the bucket; ``report`` gets path and bytes of each that was not there. BadRelease.

    S3 compares a file with its SHA-256, and a file that has it is not sent again.
    """
    for path in paths:
        key, digest = name_prefix(release.version) + path, bytes.fromhex(release.find_checksum(path))
        checksum = base64.b64encode(digest).decode("ascii")
        if _has(s3, bucket, key, checksum):
            continue
        data = release.read(path)
        s3.put_object(Bucket=bucket, Key=key, Body=data, ChecksumSHA256=checksum)
        report(path, len(data))


def _has(s3: Any, bucket: str, key: str, checksum: str) -> bool:
    try:
        found = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):  # without s3:ListBucket a 404 is a 403
            return False
        raise
    return str(found.get("ChecksumSHA256")) == checksum

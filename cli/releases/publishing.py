"""Host a release: its files in a bucket per region, and links that open CloudFormation's console with the template."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from .files import BUCKET, PREFIX, ensure_bucket, name_address, name_prefix, upload_files
from .release import Release

FOLDERS = ("archives/", "templates/")
"""What CloudFormation and Lambda read."""


def name_regional_bucket(bucket: str, region: str) -> str:
    """Return the name of the bucket of a region: Lambda reads code from the region of the function only."""
    return f"{bucket}-{region}"


def publish_release(
    s3: Any, release: Release, bucket: str, region: str, account: str, report: Callable[[str, int], object]
) -> None:
    """Copy what a deployment may read to the bucket of ``region``, which is created if it is missing.

    Raises BadRelease and WrongBucket.
    """
    ensure_bucket(s3, bucket, region, account)
    paths = (path for path in sorted(release.checksums) if path.startswith(FOLDERS))
    upload_files(s3, bucket, release, paths, report)


def open_to_public(s3: Any, bucket: str) -> None:
    """Allow everyone to read the files of releases in a bucket, but not to list them."""
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            **dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls"), True),
            **dict.fromkeys(("BlockPublicPolicy", "RestrictPublicBuckets"), False),
        },
    )
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/{name_prefix('*')}*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def link_to_console(release: Release, arch: str, bucket: str, region: str) -> str:
    """Return the address that creates a stack of the release in the console.

    Source: AWS CloudFormation user guide, "Create quick-create links to launch CloudFormation stacks".
    """
    query = urlencode(
        {
            "templateURL": name_address(bucket, region, release.version, release.find_template(arch, "")),
            "stackName": "darkroom",
            f"param_{BUCKET}": bucket,
            f"param_{PREFIX}": name_prefix(release.version),
        }
    )
    return f"https://{region}.console.aws.amazon.com/cloudformation/home?region={region}#/stacks/quickcreate?{query}"

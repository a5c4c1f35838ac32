"""Check changes that must reach the CDN: overwrites and erasures."""

from __future__ import annotations

import secrets

from ..failures import require
from ..images import png
from ..model import Check
from ..world import World

REACHES_VIEWERS_WITHIN_S = 900.0
"""CloudFront's invalidations take a minute or two."""

COMPLETE_WITHIN_S = 1200.0
"""A second pass begins a minute after the first; each invalidation takes a minute or two."""

WIDTH_PX = 335
ODD_NAME = "é ~ +.png"


def _tag(world: World, key: str) -> str | None:
    answer = world.get(world.signed(f"{world.path(key)}?w={WIDTH_PX}"))
    return answer.headers.get("etag") if answer.status == 200 else None


def purge(world: World) -> str:
    """Overwrite an image that is in the CDN's cache."""
    key = world.new_key(f"overwritten {ODD_NAME}")
    world.put_upload(key, png(900, 600, 1 + secrets.randbelow(199)))
    before = world.wait_for_outcome(key)
    tag = world.wait(lambda: _tag(world, key), f"{key} is not served", 60.0)
    world.put_upload(key, png(900, 600, 20_001 + secrets.randbelow(199)))
    world.wait_for_outcome(key, other_than=str(before["sha256"]))

    def changed() -> str | None:
        found = _tag(world, key)
        return found if found and found != tag else None

    world.wait(changed, "viewers still get the former image", REACHES_VIEWERS_WITHIN_S)
    return "viewers get the new image"


def _complete(world: World, key: str) -> bool:
    found = world.forget(key, check=True)
    require(found["status"] != "failed", f"the erasure failed: {found}")
    return str(found["status"]) == "complete"


def erase(world: World) -> str:
    """Erase an image that is in the CDN's cache."""
    key = world.new_key(f"erased {ODD_NAME}")
    world.put_upload(key, png(900, 600, secrets.randbelow(40_000)))
    world.wait_for_outcome(key)
    world.wait(lambda: _tag(world, key), f"{key} is not served", 60.0)
    report = world.forget(key)
    require(report["status"] != "failed", f"not everything was removed: {report['failed']}")
    world.wait(lambda: _complete(world, key), "CloudFront has not completed the invalidation", COMPLETE_WITHIN_S)
    world.wait(lambda: _tag(world, key) is None, "viewers still get the image", REACHES_VIEWERS_WITHIN_S)
    left = world.client("s3").list_object_versions(Bucket=world.outputs["UploadsBucketName"], Prefix=key)
    require(not left.get("Versions"), "versions of the upload are left")
    return f"erasure {report['erasure']} is complete"


CHECKS = (
    Check(
        "purge",
        "an overwritten image is invalidated at the CDN, also under a key with odd characters",
        "the purge queue and its dead letters; the distribution's invalidations",
        purge,
        ("DistributionId",),
    ),
    Check(
        "erasure",
        "a forgotten image is gone from all buckets and from the CDN",
        "the report of the forget function: failed, and what its check returns",
        erase,
        ("ForgetFunctionName", "DistributionId"),
    ),
)

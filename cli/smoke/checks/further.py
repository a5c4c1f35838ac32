"""Check what is deployed beside the first stack: extensions, by their modules ``smoke``, and masters elsewhere."""

from __future__ import annotations

from extensions import list_extensions

from ..failures import CheckSkipped, require
from ..model import Check
from ..world import World

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def serve_source(world: World) -> str:
    """Get a master of the bucket SourceBucket."""
    bucket, prefix = world.parameters.get("SourceBucket", ""), world.parameters.get("SourcePrefix", "")
    if not bucket:
        raise CheckSkipped("SourceBucket is empty")
    found = world.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    keys = [one["Key"] for one in found.get("Contents", []) if one["Key"].lower().endswith(IMAGE_SUFFIXES)]
    require(keys, f"the first 1,000 objects below s3://{bucket}/{prefix} have no name of an image")
    answer = world.get(world.signed(f"{world.path(keys[0].removeprefix(prefix))}?w=337"))
    require(answer.status == 200, f"{keys[0]} is answered with {answer.status}: {answer.body[:200]!r}")
    return f"{answer.headers.get('content-type')}, {len(answer.body):,} bytes"


CHECKS = (
    *(module.CHECK for one in list_extensions() if (module := one.load("smoke")) is not None),
    Check(
        "source",
        "functions may read the masters of another bucket",
        "the bucket's policy, and the managed policies of stacks/sources.yaml",
        serve_source,
    ),
)

"""A stack whose masters are in an existing bucket, and in a second one: served, purged by events, listed, re-read."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from darkroom_pipeline.aws.s3 import S3Bucket
from local.paths import ROOT, STACK
from tests.images.photographs import jpeg_photo
from tests.stack.conftest import Stack, start_stack, stop_stack
from tests.stack.viewer import Viewer
from tests.waiting import wait_until

PHOTOS, PARTNER = "existing-photos", "partner-photos"
SOURCES = f'sources={{"partner/" = {{bucket = "{PARTNER}", prefix = "public/"}}}}'
KEY = "trips/Rom é.jpg"
PATH = "/trips/Rom%20%C3%A9.jpg"


@pytest.fixture(scope="module")
def sourced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    parameters = (f"SourceBucket={PHOTOS}", "SourcePrefix=originals/", SOURCES)
    options = [word for pair in parameters for word in ("--parameter", pair)]
    running = start_stack(tmp_path_factory.mktemp("sourced"), "--no-watch", "--no-inference", *options)
    yield running
    assert stop_stack(running) == 0


@pytest.fixture
def viewer(sourced: Stack) -> Viewer:
    return sourced.viewer()


@pytest.fixture
def photos(sourced: Stack) -> S3Bucket:
    return S3Bucket(sourced.cloud.s3, PHOTOS)


def control(stack: Stack, path: str) -> Any:
    with urllib.request.urlopen(stack.control_url + path) as answer:
        return json.loads(answer.read())


def width(viewer: Viewer, path: str = PATH) -> int:
    answer = viewer.get(f"{path}?f=json")
    return int(json.loads(answer.body)["width"]) if answer.status == 200 else 0


def test_an_overwrite_and_a_deletion_in_the_bucket_reach_the_cdn(
    sourced: Stack, viewer: Viewer, photos: S3Bucket
) -> None:
    photos.put(f"originals/{KEY}", jpeg_photo((640, 480)), headers={}, metadata={})
    photos.put("drafts/hidden.jpg", jpeg_photo((640, 480)), headers={}, metadata={})
    wait_until(lambda: width(viewer) == 640, "the image is served")
    assert viewer.again(f"{PATH}?f=json").cache == "Hit"
    assert viewer.get("/hidden.jpg?w=320").status == 404

    photos.put(f"originals/{KEY}", jpeg_photo((480, 640)), headers={}, metadata={})
    wait_until(lambda: width(viewer) == 480, "the CDN has the new image")

    listed = control(sourced, "/photographs")
    assert KEY in listed
    rows = control(sourced, "/watch/index?limit=500")["rows"]
    states = {row["key"]: row["state"] for row in rows}
    assert states[KEY] == "source"
    assert states["samples/coffee.png"] == "ready"  # ingested into the bucket
    assert control(sourced, f"/watch/index/record?key={KEY.replace(' ', '%20').replace('é', '%C3%A9')}")["size_bytes"]

    photos.delete(f"originals/{KEY}")
    wait_until(lambda: viewer.get(f"{PATH}?f=json").status == 404, "the image has gone")
    assert viewer.derivatives(PATH) == []


def test_a_second_bucket_serves_its_prefix_once_the_roles_may_read_it(sourced: Stack, viewer: Viewer) -> None:
    s3 = sourced.cloud.s3
    s3.create_bucket(Bucket=PARTNER)
    s3.put_object(Bucket=PARTNER, Key="public/a.jpg", Body=jpeg_photo((640, 480)))
    s3.put_object(Bucket=PARTNER, Key="secret/b.jpg", Body=jpeg_photo((640, 480)))
    found = sourced.cloud.cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    roles = [one["PhysicalResourceId"] for one in found if one["LogicalResourceId"] in ("TransformRole", "PurgeRole")]
    allow(sourced, roles)
    wait_until(lambda: width(viewer, "/partner/a.jpg") == 640, "the second bucket is served")
    assert viewer.get("/partner/b.jpg?w=320").status == 404
    assert viewer.get("/partner/secret/b.jpg?w=320").status == 404


def allow(stack: Stack, roles: list[str]) -> None:
    """Deploy stacks/sources.yaml."""
    arn = f"arn:aws:s3:::{PARTNER}"
    values = {"Roles": ",".join(roles), "Buckets": arn, "Objects": f"{arn}/public/*"}
    cloudformation = stack.cloud.cloudformation
    cloudformation.create_stack(
        StackName="sources",
        TemplateBody=(ROOT / "stacks" / "sources.yaml").read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="sources", WaiterConfig={"Delay": 1})

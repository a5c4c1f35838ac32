"""Re-encode a derivative in the background and serve the smaller one to viewers."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import pyvips

from darkroom.imaging.quality.ssimulacra2 import Comparator
from darkroom.services.caching import UNREFINED_S, CachePolicy
from darkroom_pipeline.reencode.search import MAX_SCORE_LOSS, MAX_SIZE_RATIO
from darkroom_pipeline.reencode.service import reencode_message
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until

from .conftest import Stack
from .operating import Operator
from .viewer import Answer, Viewer

WEBP = "image/webp,*/*"


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> Operator:
    operating = Operator(stack, tmp_path)
    operating.forget_orders()
    return operating


def shared_s(answer: Answer) -> int:
    """How long the CDN may keep an answer."""
    found = re.search(r"s-maxage=(\d+)", answer.headers["cache-control"])
    assert found is not None
    return int(found[1])


def refine(operator: Operator, name: str) -> None:
    """Re-encode the derivative at once, as a popular one."""
    stack = operator.stack
    stack.cloud.queues.send_message(
        QueueUrl=operator.info["queues"]["refine"], MessageBody=json.dumps(reencode_message(name, 1)), DelaySeconds=0
    )

    def is_done() -> bool:
        head = stack.cloud.s3.head_object(Bucket=stack.media_bucket, Key=name)
        return head["Metadata"]["pace"] == "thorough"

    wait_until(is_done, f"{name} is refined")


def test_the_next_viewer_gets_fewer_bytes_of_equal_quality(stack: Stack, viewer: Viewer, operator: Operator) -> None:
    path = viewer.upload(jpeg_photo(), "refined.jpg")
    waiting = operator.waiting("refine")
    first = viewer.get(f"{path}?w=640", accept=WEBP)
    assert (first.status, first.headers["content-type"], shared_s(first)) == (200, "image/webp", UNREFINED_S)
    wait_until(lambda: operator.waiting("refine") > waiting, "S3 has sent the event of the derivative")

    refine(operator, f"derivatives{path}/_/w-640.auto-webp")
    stack.restart_cdn()
    second = viewer.get(f"{path}?w=640", accept=WEBP)
    assert (second.status, second.headers["content-type"]) == (200, "image/webp")
    assert len(second.body) <= MAX_SIZE_RATIO * len(first.body)
    assert shared_s(second) == CachePolicy().cdn_max_age_s
    assert not [name for name in second.headers if name.startswith("x-amz-meta")]

    whole = viewer.get(f"{path}?w=640&f=png").body
    judge = Comparator(pyvips.Image.new_from_buffer(whole, ""))
    assert judge.score(second.body) >= judge.score(first.body) - MAX_SCORE_LOSS


def test_it_is_logged_counted_and_done_once(stack: Stack, viewer: Viewer, operator: Operator) -> None:
    begun_ms = time.time_ns() // 1_000_000  # a page has 10,000 events, and other tests have logged more
    path = viewer.upload(jpeg_photo(), "counted.jpg")
    viewer.get(f"{path}?w=960&f=webp")
    name = f"derivatives{path}/_/w-960.webp"
    refine(operator, name)
    etag = stack.cloud.s3.head_object(Bucket=stack.media_bucket, Key=name)["ETag"]
    log = stack.functions["RefineFunction"]["log_group"]

    def said(word: str) -> list[str]:
        found = stack.cloud.logs.filter_log_events(logGroupName=log, startTime=begun_ms)["events"]
        return [event["message"] for event in found if word in event["message"] and name in event["message"]]

    wait_until(lambda: bool(said('"outcome":"refined"')), "the log records it")
    stack.cloud.queues.send_message(
        QueueUrl=operator.info["queues"]["refine"], MessageBody=json.dumps(reencode_message(name, 1)), DelaySeconds=0
    )
    wait_until(lambda: bool(said('"outcome":"thorough"')), "the second message found nothing to do")
    assert stack.cloud.s3.head_object(Bucket=stack.media_bucket, Key=name)["ETag"] == etag
    assert operator.waiting("refine_dead_letters") == 0

"""A large image on its own stack, whose limits are low enough for a test."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import pyvips

from darkroom.imaging.block_cache import BlockCache
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop, Plan
from darkroom_pipeline.aws.s3 import S3Bucket
from tests.component.services.large_images import scene_image
from tests.stack.conftest import Stack, start_stack, stop_stack
from tests.stack.function_processes import cpu_s, processes
from tests.stack.operating import Operator
from tests.stack.viewer import Viewer
from tests.waiting import wait_until

WIDTH, HEIGHT = 6000, 16_000
TILE = (2700, 9000, 512, 512)
SAME = 4.0
"""Mean difference from the upload of a re-encoded JPEG tile."""


@pytest.fixture(scope="module")
def scenic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One strip at a time, so that it is known which one is at work."""
    low = ("--parameter", "max_source_pixels=12000000", "--parameter", "scene_concurrency=1")
    running = start_stack(tmp_path_factory.mktemp("scenic"), "--no-watch", "--no-inference", *low)
    yield running
    assert stop_stack(running) == 0


@pytest.fixture
def viewer(scenic: Stack) -> Viewer:
    return scenic.viewer()


@pytest.fixture
def operator(scenic: Stack, tmp_path: Path) -> Operator:
    return Operator(scenic, tmp_path)


@cache
def tiff() -> bytes:
    body: bytes = scene_image(WIDTH, HEIGHT).tiffsave_buffer(tile=True, compression="deflate", level=1)
    return body


def apart(shown: bytes, expected: pyvips.Image) -> float:
    image = pyvips.Image.new_from_buffer(shown, "")
    assert (image.width, image.height) == (expected.width, expected.height)
    return float(np.abs(image.numpy()[:, :, :3].astype(int) - expected.numpy().astype(int)).mean())


def said(stack: Stack, word: str, scene: str) -> list[dict[str, object]]:
    """Lines of the scene function's log."""
    log = stack.functions["SceneFunction"]["log_group"]
    found = stack.cloud.logs.filter_log_events(logGroupName=log, filterPattern="").get("events", [])
    lines = [json.loads(one["message"]) for one in found if one["message"].startswith("{")]
    return [line for line in lines if line.get("message") == word and line.get("scene") == scene]


def test_only_the_strip_of_a_lost_worker_is_cut_again(scenic: Stack, viewer: Viewer, operator: Operator) -> None:
    key, s3 = "maps/tall.tif", scenic.cloud.s3
    s3.put_object(Bucket=operator.info["uploads_bucket"], Key=key, Body=tiff())
    wait_until(lambda: bool(operator.index.get(key)), "ingest has begun")
    wait_until(lambda: bool(cutting(operator, key)), "a machine cuts it")
    scene = cutting(operator, key)
    notes = f"scenes/{scene}/notes/"
    wait_until(lambda: operator.keys("media_bucket", notes), "the first strip is cut", every_s=0.02)
    assert operator.keys("media_bucket", notes) == [f"{notes}00000.json"]
    first = s3.head_object(Bucket=scenic.media_bucket, Key=f"scenes/{scene}/strips/00000")
    before_s = sum(map(cpu_s, workers(scenic)))
    wait_until(lambda: sum(map(cpu_s, workers(scenic))) > before_s + 0.2, "the next strip is being cut", every_s=0.02)
    alive = workers(scenic)
    for pid in alive:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert alive
    assert operator.keys("media_bucket", notes) == [f"{notes}00000.json"]
    wait_until(lambda: len(operator.keys("media_bucket", notes)) == 2, "the second strip is cut", every_s=0.02)
    again = s3.head_object(Bucket=scenic.media_bucket, Key=f"scenes/{scene}/strips/00000")
    assert (again["ETag"], again["LastModified"]) == (first["ETag"], first["LastModified"])
    wait_until(lambda: operator.state(key) == "ready", "it is served")
    assert sorted(int(str(line["strip"])) for line in said(scenic, "strip cut", scene)) == [0, 1]
    wait_until(lambda: operator.keys("media_bucket", "scenes/") == [], "its parts are gone")

    record = operator.index.get(key)
    assert record is not None
    assert (record.facts["width"], record.facts["height"]) == (WIDTH, HEIGHT)
    assert viewer.get(f"/{key}?w=320").status == 200
    crop = viewer.get(viewer.signed(f"/{key}?crop={','.join(map(str, TILE))}&f=png"))
    assert crop.status == 200
    assert apart(crop.body, scene_image(WIDTH, HEIGHT).crop(*TILE)) < SAME


def test_a_tile_of_it_reads_little(scenic: Stack, operator: Operator) -> None:
    key = "masters/maps/tall.tif"
    vault = S3Bucket(scenic.cloud.s3, scenic.media_bucket)
    kept = vault.head(key)
    assert kept is not None
    blocks = BlockCache(lambda start, end: vault.read_range(key, start, end, etag=kept.etag), kept.size_bytes)
    plan = Plan("maps/tall.tif", crop=Crop("px", *TILE), format="png")
    shown = render(plan, Source.from_ranges(blocks), limits=Limits())
    assert apart(shown.body, scene_image(WIDTH, HEIGHT).crop(*TILE)) < SAME
    assert blocks.fetched_bytes < 2_000_000 < kept.size_bytes / 5
    assert operator.waiting("ingest_dead_letters") == 0


def test_a_damaged_large_image_is_refused_with_its_reason(scenic: Stack, operator: Operator) -> None:
    damaged = bytearray(tiff())
    middle = len(damaged) // 2
    damaged[middle : middle + 100_000] = b"\xa5" * 100_000
    key = "maps/damaged.tif"
    scenic.cloud.s3.put_object(Bucket=operator.info["uploads_bucket"], Key=key, Body=bytes(damaged))
    wait_until(lambda: operator.state(key) == "refused", "it is refused")
    record = operator.index.get(key)
    assert record is not None
    assert record.refusal.code == "damaged"
    assert operator.keys("quarantine_bucket", key) == [record.refusal.quarantined]
    wait_until(lambda: operator.keys("media_bucket", "scenes/") == [], "its parts are gone")


def cutting(operator: Operator, key: str) -> str:
    """The id of the scene that is being cut of ``key``."""
    record = operator.index.get(key)
    return record.large_image.id if record is not None else ""


def workers(stack: Stack) -> list[int]:
    """Return the ids of the scene function's processes."""
    return processes(stack.functions["SceneFunction"]["name"], stack.pids["ministack"])

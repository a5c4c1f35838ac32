"""A stack whose endpoint has the model of upscaling: from a signed URL to the enlarged image."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import pyvips
from skimage import data

from cli.models.upscale_model import write_models
from darkroom.services.caching import RESAMPLED_S, CachePolicy
from darkroom_pipeline.reencode.service import reencode_message
from darkroom_pipeline.reencode.upscale import measure_blur
from tests.images.detectors import models_folder
from tests.images.upscaling import to_vips, upscale_folder
from tests.stack.conftest import Stack, start_stack, stop_stack
from tests.stack.inference_client import HANG_S, InferenceClient
from tests.stack.operating import Operator
from tests.stack.viewer import Answer, Viewer
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def enlarging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with the released models and that of upscaling, for keys below ``shop/``."""
    folder = tmp_path_factory.mktemp("models")
    network = upscale_folder() / "realesrgan-x4plus.onnx"
    (folder / network.name).write_bytes(network.read_bytes())
    write_models(models_folder(), folder)
    running = start_stack(tmp_path_factory.mktemp("enlarging"), "--no-watch", "--models", str(folder))
    operator = Operator(running, tmp_path_factory.mktemp("operator"))
    settings = tmp_path_factory.mktemp("settings") / "settings.json"
    settings.write_text(json.dumps({"upscale_prefixes": ["shop/"], "access_mode": "open"}), encoding="utf-8")
    assert operator.darkroom("settings", "apply", str(settings), "--by", "test", "--yes").returncode == 0
    yield running
    assert stop_stack(running) == 0


@pytest.fixture(scope="module")
def viewer(enlarging: Stack) -> Viewer:
    return enlarging.viewer()


def shared_s(answer: Answer) -> int:
    """How long the CDN may keep an answer."""
    found = re.search(r"s-maxage=(\d+)", answer.headers["cache-control"])
    assert found is not None
    return int(found[1])


def test_a_signed_url_is_enlarged_by_the_model(enlarging: Stack, viewer: Viewer, tmp_path: Path) -> None:
    operator = Operator(enlarging, tmp_path)
    InferenceClient(enlarging, viewer).ready()
    key, name = "shop/astronaut.png", "derivatives/shop/astronaut.png/_/up-ai_w-320.png"
    source = to_vips(np.ascontiguousarray(data.astronaut())).thumbnail_image(320).resize(0.25)
    operator.upload(key, source.pngsave_buffer())
    url = f"/{key}?w=320&up=ai&f=png"
    wait_until(lambda: viewer.get(viewer.signed(url)).status != 400, "the function has the settings", HANG_S)
    assert viewer.get(url).status == 403, "also where access is open"

    first = viewer.get(viewer.signed(url))
    assert (first.status, shared_s(first)) == (200, RESAMPLED_S)
    enlarging.cloud.queues.send_message(
        QueueUrl=operator.info["queues"]["refine"], MessageBody=json.dumps(reencode_message(name, 1)), DelaySeconds=0
    )

    def is_done() -> bool:
        head = enlarging.cloud.s3.head_object(Bucket=enlarging.media_bucket, Key=name)
        return bool(head["Metadata"]["pace"] == "thorough")

    wait_until(is_done, "the image is enlarged", HANG_S)
    enlarging.restart_cdn()
    second = viewer.get(viewer.signed(url))
    assert (second.status, shared_s(second)) == (200, CachePolicy().cdn_max_age_s)
    resampled, enlarged = (pyvips.Image.new_from_buffer(one.body, "") for one in (first, second))
    assert (enlarged.width, enlarged.height) == (320, 320)
    assert measure_blur(enlarged) < 0.8 * measure_blur(resampled)


def test_another_prefix_is_refused(enlarging: Stack, viewer: Viewer, tmp_path: Path) -> None:
    answer = viewer.get(viewer.signed("/other.png?w=320&up=ai&f=png"))
    assert (answer.status, answer.problem["option"]) == (400, "up")
